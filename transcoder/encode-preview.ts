import { gzipSync } from "node:zlib";
import { contentTypeOf } from "../core/delivery-rules.ts";
import { Failure } from "../core/errors.ts";
import { PREVIEW_FOLDER, packagePrefix } from "../core/keys.ts";
import { type Preview, previewOf, unitSeconds } from "../core/preview.ts";
import { previewPlaylists } from "../core/preview-playlists.ts";
import type { TaskResult } from "../core/records/task-result.ts";
import type { Source } from "../core/source.ts";
import { withoutLookedEntries } from "../core/stream-entries.ts";
import { type Chunk, chunkFrames } from "../core/timeline.ts";
import { markPreviewed } from "../stores/library/work.ts";
import { AAC_SAMPLES_PER_FRAME } from "./audio-recipe.ts";
import type { TrackPlace } from "./cells.ts";
import { listenToEncoders } from "./encoder-scores.ts";
import type { FfmpegRecipe } from "./ffmpeg-command.ts";
import { type RunManner, runFfmpeg } from "./ffmpeg-run.ts";
import { withNearEntry } from "./near-entry.ts";
import { requirePlanned } from "./planned-asset.ts";
import { heardSeconds, previewSoundRecipe, readPreviewSound } from "./preview-sound.ts";
import { type MadeTrack, openProtector } from "./protect-media.ts";
import { readRung } from "./read-rung.ts";
import { rangesOver } from "./source-index.ts";
import { type LoggedRun, pictureWindow, type Wanted, withSourceWindow } from "./source-window.ts";
import { storeTrack } from "./store-track.ts";
import type { TaskContext } from "./task-context.ts";
import { videoRecipe } from "./video-recipe.ts";

/** Somebody waits for it: before all encodes that nobody looks at. */
const NICENESS = 0;

/** One unit of a preview, as a task names it. */
interface PreviewUnit {
  source: Source;
  preview: Preview;
  unit: Chunk;
}

/** Sound is null where there is none, or the master can only be entered by its picture. */
interface EncodedUnit {
  picture: MadeTrack;
  heard: MadeTrack | null;
}

/**
 * Makes one unit of what is shown of a film before it is ready: a few cells of one small rung and their sound, side by
 * side. The first also writes the playlists, which name every cell of the film, and says that it can be looked at.
 */
export async function encodePreview(context: TaskContext): Promise<TaskResult> {
  // Its own: the film's may have been planned anew since, which changes nothing in its preview.
  const { generation } = context.task;
  if (generation === null) throw new Failure("ours", "internal", "A preview of no generation.");
  const { plan, source: described, pinned } = requirePlanned(context.asset);
  const preview = previewOf(plan, described);
  const unit = preview.plan.chunks[context.task.chunk];
  if (unit === undefined) throw new Failure("ours", "internal", "The task names a unit that no preview has.");
  const frames = chunkFrames(preview.plan.timeline, unit);
  const source = await withNearEntry(context, pinned, described, preview.plan, frames);
  const wanted = { source, preview, unit };
  const doubted = { ...wanted, source: withoutLookedEntries(described) };
  const made = await withSourceWindow(context, pinned, windowOf(wanted), (sourcePath, isDoubted) =>
    context.scratch.withDirectory((outputDirectory) =>
      encodeUnit(context, isDoubted ? doubted : wanted, sourcePath, outputDirectory),
    ),
  );
  const tracks = await storeUnit(context, generation, preview, made);
  if (unit.index === 0) {
    const codecs = { video: tracks[0]!.codec, audio: tracks[1]?.codec ?? null };
    const folder = packagePrefix(context.asset._id, generation) + PREVIEW_FOLDER;
    await storePlaylists(context, folder, previewPlaylists(preview, codecs, AAC_SAMPLES_PER_FRAME));
    await markPreviewed(context.library, context.asset, generation);
  }
  return { tracks, images: [] };
}

/** What of the master is read: the unit's picture and its sound. */
function windowOf({ source, preview, unit }: PreviewUnit): Wanted {
  const { sound } = preview;
  const ofPicture: Wanted = {
    ...pictureWindow(source, preview.plan, chunkFrames(preview.plan.timeline, unit)),
    // All of it would be fetched for a few seconds, and entered at its beginning.
    ...(source.isSketch && { isPartOnly: true }),
  };
  if (sound === null) return ofPicture;
  const soundWindow = heardSeconds(preview, unit, sound, source);
  const ranges: Wanted["ranges"] = async (index, master, signal) => {
    const picture = await ofPicture.ranges(index, master, signal);
    const heard = await rangesOver(master, index, sound.streamIndex, soundWindow, signal);
    return picture === null || heard === null ? null : [...picture, ...heard];
  };
  return { ranges, span: ofPicture.span };
}

async function encodeUnit(
  context: TaskContext,
  { source, preview, unit }: PreviewUnit,
  sourcePath: string,
  outputDirectory: string,
): Promise<LoggedRun<EncodedUnit>> {
  const { sound, ladder, rung, plan } = preview;
  const mediaSeconds = unitSeconds(preview, unit);
  const budget = { mediaSeconds, outputBytes: Math.ceil(rung.maxBitrateBps * mediaSeconds) + 2 ** 22 };
  const run = (recipe: FfmpegRecipe, frames: number | null, manner: RunManner) =>
    runFfmpeg(
      context,
      recipe,
      sourcePath,
      outputDirectory,
      { ...budget, frames },
      { ...manner, niceness: NICENESS },
    );
  const { frameCount } = chunkFrames(plan.timeline, unit);
  const seen = run(videoRecipe(source, plan, ladder, unit), frameCount, {
    onStderrLine: listenToEncoders().take,
  });
  // What can only be entered by its picture has no sound here.
  const soundRecipe = sound === null ? null : previewSoundRecipe(preview, unit, sound, source);
  const spoken = soundRecipe === null ? null : run(soundRecipe, null, {});
  // Both have ended before their directory goes, also where one fails.
  await Promise.allSettled([seen, spoken]);
  const log = (await seen).stderrTail;
  await spoken;
  const picture = await readRung(outputDirectory, plan, ladder, unit, rung);
  const isHeard = sound !== null && soundRecipe !== null;
  const heard = isHeard ? await readPreviewSound(outputDirectory, preview, unit, sound) : null;
  return { made: { picture, heard }, log };
}

/** The picture's track first. */
async function storeUnit(
  context: TaskContext,
  generation: string,
  { plan, rung, sound }: Preview,
  { picture, heard }: EncodedUnit,
): Promise<TaskResult["tracks"]> {
  const protect = await openProtector(context);
  const placed = { assetId: context.asset._id, generation, isPreview: true };
  const seen: TrackPlace = { ...placed, kind: "video", trackId: rung.id };
  const tracks = [await storeTrack(context, seen, plan.timeline.timescale, protect(seen, picture))];
  if (sound !== null && heard !== null) {
    const spoken: TrackPlace = { ...placed, kind: "audio", trackId: sound.id };
    tracks.push(await storeTrack(context, spoken, sound.sampleRateHz, protect(spoken, heard)));
  }
  return tracks;
}

async function storePlaylists(
  { blobs }: TaskContext,
  folder: string,
  playlists: readonly { path: string; text: string }[],
): Promise<void> {
  for (const { path, text } of playlists) {
    // Apple 10.1: gzip, as all playlists are.
    await blobs.put("media", folder + path, gzipSync(text, { level: 9 }), {
      contentType: contentTypeOf(path),
      contentEncoding: "gzip",
      cacheControl: "public, max-age=31536000, immutable",
      createOnce: true,
    });
  }
}
