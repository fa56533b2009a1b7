import type { Speed, VideoCodec } from "./encoding.ts";
import { encodedPart, type Ladder } from "./ladder.ts";
import { inspectWeight, lookWeights } from "./look-parts.ts";
import type { AudioTrack } from "./plan-sounds.ts";
import { eagerUnits } from "./preview.ts";
import { publishWeight, readTasks } from "./publish-cost.ts";
import { scoringGoes, windowCount } from "./quality.ts";
import type { AssetRecord } from "./records/asset.ts";
import type { TaskKind, TaskRecord } from "./records/task.ts";
import { chunkFrames } from "./timeline.ts";
import { curvesMissing, isOf } from "./title-analysis.ts";

/** A task as the state of its asset calls for it, before anyone has worked on it. */
export interface TaskSpec {
  id: string;
  kind: TaskKind;
  part: string;
  chunk: number;
  /** What it costs in seconds of one core, roughly: shares and places in the queue go by it. */
  weight: number;
}

/** CPU seconds per second of picture as measured (`npm run bench -- costs`, AV1 by SVT-AV1 4): the whole ladder of 1080p at 24 frames. */
const VIDEO_COST: Record<VideoCodec, Record<Speed, number>> = {
  h264: { fast: 1.7, balanced: 2.6, small: 5.5 },
  hevc: { fast: 4.3, balanced: 4.3, small: 6 },
  av1: { fast: 2, balanced: 4.1, small: 6.2 },
};
/** Two passes: one measures, one encodes. By channels. */
const AUDIO_COST: Record<AudioTrack["channels"], number> = { 2: 0.033, 6: 0.07 };
/** The master is read once more, but nothing of it is decoded. */
const TEXT_COST = 0.002;
const FIXED_COST = 0.5;
/** Samples of that ladder in a second: other pictures cost by how many they have. */
const MEASURED_SAMPLES_PER_SECOND = 24 * (1920 * 1080 + 1280 * 720 + 960 * 540 + 640 * 360 + 416 * 234);
/** One small picture from a decode of its own, by the quickest preset. */
const PREVIEW_COST = 0.5;
/** A ladder's scoring, in CPU seconds for each window. */
const SCORE_COST = 2;
/** The part of a task that there is one of. */
const WHOLE = "all";

/**
 * The tasks that an asset in this state needs, all of them: what has no record yet is missing. The queue is
 * rebuilt from this and nothing else. The publishing task appears with the rest and waits for them.
 */
export function tasksOf(asset: AssetRecord): TaskSpec[] {
  if (isPulled(asset)) return [ofMaster(asset, "fetch")];
  if (asset.state === "queued" || asset.state === "probing") return [ofMaster(asset, "probe")];
  const { plan, generation } = asset;
  if (asset.state !== "encoding" || plan === null || generation === null) return [];
  // What is on air already is looked at there.
  const previews = asset.published === null ? eagerUnits(plan.timeline) : [];
  const eager = previews.map((unit) => previewSpec(asset, unit));
  // Nobody who looks waits for what is still to be found out; its chunks do.
  if (isDraft(asset)) return [...eager, ofMaster(asset, "analyse")];
  const seconds = (frames: number): number =>
    (frames * plan.timeline.frameRate.den) / plan.timeline.frameRate.num;
  const spec = (kind: TaskKind, part: string, chunk: number, weight: number): TaskSpec => ({
    id: taskId(asset._id, generation, kind, part, chunk),
    kind,
    part,
    chunk,
    weight,
  });
  return [
    ...eager,
    ...plan.ladders.flatMap((ladder) =>
      plan.chunks.map((chunk) => {
        const frames = chunkFrames(plan.timeline, chunk).frameCount;
        return spec("video", ladder.id, chunk.index, pictureCost(ladder, plan.speed, frames));
      }),
    ),
    ...plan.audio.map((track) =>
      spec("audio", track.id, 0, AUDIO_COST[track.channels] * seconds(plan.timeline.frameCount)),
    ),
    ...plan.subtitles.map((track) =>
      spec("subtitle", track.id, 0, FIXED_COST + TEXT_COST * seconds(plan.timeline.frameCount)),
    ),
    ...plan.ladders.flatMap(({ id }) =>
      scoringGoes(windowCount(seconds(plan.timeline.frameCount))).map(({ first, end }, go) =>
        spec("score", id, go, SCORE_COST * (end - first)),
      ),
    ),
    // Parts of a master are used before all of it has been read; what its owner stated of the whole is checked beside.
    ...(asset.pinned?.sha256 == null ? [] : [spec("checksum", WHOLE, 0, FIXED_COST)]),
    // Stills are taken from the ladder that the pictures for seeking are made with.
    spec("images", plan.trickPlay.ladderId, 0, FIXED_COST),
    // At what the first ladder shows: every title has it.
    ...lookWeights(plan).map((weight, part) => spec("look", plan.ladders[0]!.id, part, weight)),
    spec("inspect", plan.ladders[0]!.id, 0, inspectWeight(plan)),
    ...readTasks(plan).map(({ part, chunk, weight }) => spec("verify", part, chunk, weight)),
    spec("publish", revisionPart(asset), 0, publishWeight(plan)),
  ];
}

/** What all encoded rungs of so many frames cost, in seconds of one core. */
export function pictureCost(ladder: Ladder, speed: Speed, frames: number): number {
  const { codec, rungs } = encodedPart(ladder);
  const samples = frames * rungs.reduce((sum, { width, height }) => sum + width * height, 0);
  return VIDEO_COST[codec][speed] * (samples / MEASURED_SAMPLES_PER_SECOND);
}

/** The task that makes one unit of the preview of what the asset is becoming, or has become. */
export function previewSpec(
  asset: Pick<AssetRecord, "_id" | "generation" | "draftGeneration">,
  unit: number,
): TaskSpec {
  const id = taskId(asset._id, previewedGeneration(asset) ?? "", "preview", WHOLE, unit);
  return { id, kind: "preview", part: WHOLE, chunk: unit, weight: PREVIEW_COST };
}

/** A task about the master itself, before it is decided what is made of it. */
function ofMaster(
  asset: Pick<AssetRecord, "_id" | "revision">,
  kind: "fetch" | "probe" | "analyse",
): TaskSpec {
  const part = revisionPart(asset);
  return { id: taskId(asset._id, "source", kind, part, 0), kind, part, chunk: 0, weight: FIXED_COST };
}

/** Whether its master is still to be fetched from where its owner said. */
export function isPulled({ state, pull }: Pick<AssetRecord, "state" | "pull">): boolean {
  return state === "waiting" && pull?.sourceUrl != null;
}

/** Whether its plan is only good for a preview: its description is a sketch, or a ladder of the film's own needs curves that are not there yet. */
function isDraft(asset: AssetRecord): boolean {
  const { source, generation, draftGeneration } = asset;
  // Whatever was planned of it, by whom: a worker of an older version takes a sketch for all there is.
  if (source?.isSketch) return true;
  return draftGeneration != null && draftGeneration === generation && isTried(asset);
}

/** Whether curves are lacking that trials are to tell. */
export function isTried({ source, pinned, encoding, analysis }: AssetRecord): boolean {
  if (source === null || pinned === null) return false;
  const curves = analysis && isOf(analysis, pinned) ? analysis.curves : [];
  return curvesMissing(source, encoding, curves).length > 0;
}

/** The generation under which an asset's preview lies: that of its first plan. */
export function previewedGeneration({
  draftGeneration,
  generation,
}: Pick<AssetRecord, "draftGeneration" | "generation">): string | null {
  return draftGeneration ?? generation;
}

/** Looking and publishing are done anew for each revision, also where the same generation comes of it. */
function revisionPart({ revision }: Pick<AssetRecord, "revision">): string {
  return `r${revision}`;
}

/** Whether its asset, as it is now, calls for this task: one of an earlier revision does nothing any more. */
export function isWanted(task: Judged, asset: AssetRecord): boolean {
  return wantedBy(asset)(task);
}

type Judged = Pick<TaskRecord, "_id" | "kind" | "generation">;

/** The same of many tasks of one asset. */
export function wantedBy(asset: AssetRecord): (task: Judged) => boolean {
  const ids = new Set(tasksOf(asset).map(({ id }) => id));
  // Units of a preview are there because somebody asked, who may still be looking when the film is ready.
  const previewed = isPreviewed(asset) ? previewedGeneration(asset) : null;
  return ({ _id, kind, generation }) =>
    kind === "preview" ? previewed !== null && generation === previewed : ids.has(_id);
}

/** Whether units of its preview are made on demand. */
export function isPreviewed({ state, plan }: Pick<AssetRecord, "state" | "plan">): boolean {
  return plan !== null && (state === "encoding" || state === "ready");
}

/** `<assetId>.<generation or "source">.<kind>.<part>.<chunk>`: an id that the queue accepts as a job's id too. */
export function taskId(
  assetId: string,
  generation: string,
  kind: TaskKind,
  part: string,
  chunk: number,
): string {
  return `${assetId}.${generation}.${kind}.${part}.${chunk}`;
}

/** A chunk of one ladder of a film. */
export interface ChunkOfFilm {
  assetId: string;
  generation: string;
  part: string;
  chunk: number;
}

const CHUNK_ID = /^([^.]+)\.([^.]+)\.video\.([^.]+)\.(\d+)$/;

/** The chunk that a task's id names; null of a task that encodes none. */
export function chunkOfTask(id: string): ChunkOfFilm | null {
  const [, assetId, generation, part, chunk] = CHUNK_ID.exec(id) ?? [];
  if (assetId === undefined || generation === undefined || part === undefined) return null;
  return { assetId, generation, part, chunk: Number(chunk) };
}
