import { decodeLogReader, type Rhythm } from "../core/decode-log.ts";
import { Failure } from "../core/errors.ts";
import { partCount } from "../core/film-parts.ts";
import { damageFindings } from "../core/findings-damage.ts";
import { type MeasuredPicture, pictureFindings } from "../core/findings-picture.ts";
import { nameOf, soundFindings } from "../core/findings-sound.ts";
import { sourceFindings } from "../core/findings-source.ts";
import type { Ladder } from "../core/ladder.ts";
import { wholeFilm } from "../core/look-parts.ts";
import type { Plan } from "../core/plan.ts";
import type { AudioTrack } from "../core/plan-sounds.ts";
import { joinTracks, type ProducedTrack } from "../core/produced-track.ts";
import type { Finding } from "../core/records/asset.ts";
import type { TaskRecord } from "../core/records/task.ts";
import type { TaskResult } from "../core/records/task-result.ts";
import { joinSeen, type SeenPart } from "../core/seen-parts.ts";
import type { SourceAudio } from "../core/source.ts";
import { segmentCount, timelineSeconds } from "../core/timeline.ts";
import { recordFindings } from "../stores/library/findings.ts";
import { tasksOfAsset } from "../stores/library/tasks.ts";
import { decodeArgs } from "./inspect-recipe.ts";
import { runInspection } from "./inspection-run.ts";
import { measurePicture } from "./measure-picture.ts";
import { type PlannedAsset, requirePlanned } from "./planned-asset.ts";
import type { TaskContext } from "./task-context.ts";

/**
 * Looks at what was made of a master, or at what was seen of it in parts, and tells what a person should know: `findings` on the asset. Publication goes by
 * them. The master itself is decoded again only where a decoder complained of it while it was encoded.
 */
export async function inspect(context: TaskContext): Promise<TaskResult> {
  const planned = requirePlanned(context.asset);
  const { plan, source, generation } = planned;
  const tasks = (await tasksOfAsset(context.library, context.asset._id)).filter(
    (task) => task.generation === generation && task.result !== null,
  );
  const ladder = plan.ladders.find(({ id }) => id === context.task.part)!;
  const findings: Finding[] = [
    ...(await findDamage(context, planned, tasks)),
    ...(await findInPicture(context, planned, ladder, tasks)),
    ...findInSound(planned, tasks),
    ...sourceFindings(source),
  ];
  await recordFindings(context.library, context.asset._id, generation, findings);
  context.log.info(
    { assetId: context.asset._id, findings: findings.map(({ code, severity }) => `${code} ${severity}`) },
    "inspected",
  );
  return { tracks: [], images: [] };
}

async function findInPicture(
  context: TaskContext,
  { plan, source }: PlannedAsset,
  ladder: Ladder,
  tasks: readonly TaskRecord[],
): Promise<Finding[]> {
  const own = tasks.filter(({ kind, part }) => kind === "video" && part === ladder.id);
  const tracks = joinTracks(
    own.map(({ result }) => result!),
    segmentCount(plan.timeline),
  );
  const [top, bottom] = [ladder.rungs[0]!, ladder.rungs.at(-1)!];
  // Lines that were scaled or turned tell nothing of fields any more.
  const isTakenForProgressive =
    plan.picture.deinterlace === "none" && top.height === source.video.codedHeight;
  const isInOnePiece = partCount(plan.chunks.length) === 1;
  const { seen, combing } = await measurePicture(
    context,
    plan.timeline,
    isInOnePiece ? { picture: tracks.get(bottom.id)!, span: wholeFilm(plan) } : null,
    isTakenForProgressive ? tracks.get(top.id)! : null,
  );
  const parts = seen === null ? seenIn(plan, ladder, tasks) : [seen];
  const picture: MeasuredPicture = {
    ...joinSeen(parts, plan.timeline.frameRate),
    ...combing,
    durationSeconds: timelineSeconds(plan.timeline),
    measuredSize: bottom,
    shownSize: source.video,
    isTakenForProgressive,
  };
  return pictureFindings(picture);
}

/** What was seen in each part of the film, in order. Throws where a part has not been looked at. */
function seenIn({ chunks }: Plan, ladder: Ladder, tasks: readonly TaskRecord[]): SeenPart[] {
  const seen = tasks
    .filter(({ kind, part }) => kind === "look" && part === ladder.id)
    .flatMap(({ result }) => result?.seen ?? []);
  if (seen.length !== partCount(chunks.length))
    throw new Failure("transient", "internal", "Not all parts of the film have been looked at.");
  return seen.toSorted((a, b) => a.first - b.first);
}

function findInSound({ plan, source }: PlannedAsset, tasks: readonly TaskRecord[]): Finding[] {
  const film = {
    startSeconds: source.video.startSeconds,
    durationSeconds: timelineSeconds(plan.timeline),
  };
  return source.audio.flatMap((track) => {
    const heard = heardOf(track, plan.audio, tasks);
    return heard === undefined ? [] : soundFindings(track, heard, film);
  });
}

/** What was heard of a track where it was mixed down least: peaks of a mix are not those of the source. */
function heardOf(track: SourceAudio, planned: readonly AudioTrack[], tasks: readonly TaskRecord[]) {
  const own = planned.filter((one) => isOf(one, track));
  const widest = own.toSorted((a, b) => b.channels - a.channels)[0];
  const made = tasks.find(({ kind, part }) => kind === "audio" && part === widest?.id)?.result;
  return made?.tracks.find((one: ProducedTrack) => one.trackId === widest?.id)?.heard;
}

/** Whether a planned track is made from this one of the master, and not from a file beside it. */
function isOf({ file, streamIndex }: AudioTrack, track: SourceAudio): boolean {
  return file === null && streamIndex === track.streamIndex;
}

/** A stream of the master that a decoder complained of. */
interface Suspect {
  streamIndex: number;
  name: string;
  rhythm: Rhythm;
  /** On the file's own clock. */
  startSeconds: number;
  endSeconds: number;
}

/** Decodes the streams that were complained of, each frame with the decoder's words. */
async function findDamage(
  context: TaskContext,
  planned: PlannedAsset,
  tasks: readonly TaskRecord[],
): Promise<Finding[]> {
  const { source, pinned } = planned;
  const suspects = suspectsOf(planned, tasks);
  if (suspects.length === 0) return [];
  return context.scratch.withSource(pinned, context.signal, async (path) => {
    const found: Finding[] = [];
    for (const suspect of suspects) {
      const reader = decodeLogReader(suspect);
      await runInspection(context, {
        program: "ffprobe",
        args: decodeArgs(suspect.streamIndex),
        source: path,
        mediaSeconds: source.durationSeconds,
        outputBytes: 0,
        onStdoutLine: reader.add,
      });
      found.push(...damageFindings(suspect.name, reader.log()));
    }
    return found;
  });
}

function suspectsOf({ plan, source }: PlannedAsset, tasks: readonly TaskRecord[]): Suspect[] {
  const { video } = source;
  const startSeconds = video.startSeconds;
  const filmEndSeconds = startSeconds + source.durationSeconds;
  const complained = tasks.filter(({ result }) => result?.isSuspect);
  const picture: Suspect = {
    streamIndex: video.streamIndex,
    name: "The picture",
    rhythm: video.variableFrameRate ? null : { frameSeconds: video.frameRate.den / video.frameRate.num },
    startSeconds,
    endSeconds: filmEndSeconds,
  };
  const sounds = source.audio.filter((track) =>
    complained.some(({ kind, part }) =>
      plan.audio.some((one) => kind === "audio" && one.id === part && isOf(one, track)),
    ),
  );
  return [
    ...(complained.some(({ kind }) => kind === "video") ? [picture] : []),
    ...sounds.map((track) => ({
      streamIndex: track.streamIndex,
      name: nameOf(track),
      rhythm: { sampleRateHz: track.sampleRateHz },
      startSeconds,
      endSeconds: Math.min(filmEndSeconds, track.startSeconds + track.durationSeconds),
    })),
  ];
}
