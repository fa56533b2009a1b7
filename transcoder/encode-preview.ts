import { gzipSync } from "node:zlib";
import { codecString } from "../core/codec-string.ts";
import { contentTypeOf } from "../core/delivery-rules.ts";
import { Failure } from "../core/errors.ts";
import { PREVIEW_FOLDER, packagePrefix } from "../core/keys.ts";
import { previewOf, unitSeconds } from "../core/preview.ts";
import { previewPlaylists } from "../core/preview-playlists.ts";
import type { TaskResult } from "../core/records/task-result.ts";
import { chunkFrames } from "../core/timeline.ts";
import { markPreviewed } from "../stores/library/work.ts";
import { AAC_SAMPLES_PER_FRAME } from "./audio-recipe.ts";
import { storeCells, storeInit, type TrackPlace } from "./cells.ts";
import { readRung } from "./encode-chunk.ts";
import { listenToEncoders } from "./encoder-scores.ts";
import { runFfmpeg } from "./ffmpeg-run.ts";
import { requirePlanned } from "./planned-asset.ts";
import { heardSeconds, previewSoundRecipe, readPreviewSound } from "./preview-sound.ts";
import { type MadeTrack, openProtector } from "./protect-media.ts";
import { rangesOver, type SourceIndex } from "./source-index.ts";
import { pictureWindow, withSourceWindow } from "./source-window.ts";
import type { TaskContext } from "./task-context.ts";
import { videoRecipe } from "./video-recipe.ts";

/** Somebody waits for it: before all encodes that nobody looks at. */
const NICENESS = 0;

/**
 * Makes one unit of what is shown of a film before it is ready: a few cells of one small rung and their sound, side by
 * side. The first also writes the playlists, which name every cell of the film, and says that it can be looked at.
 */
export async function encodePreview(context: TaskContext): Promise<TaskResult> {
  const { plan, source, pinned } = requirePlanned(context.asset);
  // Its own: the film's may have been planned anew since, which changes nothing in its preview.
  const { generation } = context.task;
  if (generation === null) throw new Failure("ours", "internal", "A preview of no generation.");
  const preview = previewOf(plan, source);
  const unit = preview.plan.chunks[context.task.chunk];
  if (unit === undefined) throw new Failure("ours", "internal", "The task names a unit that no preview has.");
  const { sound, ladder, rung } = preview;
  const frames = chunkFrames(preview.plan.timeline, unit);
  const mediaSeconds = unitSeconds(preview, unit);
  const budget = { mediaSeconds, outputBytes: Math.ceil(rung.maxBitrateBps * mediaSeconds) + 2 ** 22 };
  const soundWindow = sound === null ? null : heardSeconds(preview, unit, sound, source);
  const window = pictureWindow(source, preview.plan, frames);
  const ranges = (index: SourceIndex) => {
    const ofPicture = window.ranges(index);
    if (ofPicture === null || sound === null || soundWindow === null) return ofPicture;
    const heard = rangesOver(index, sound.streamIndex, soundWindow);
    return heard === null ? null : [...ofPicture, ...heard];
  };
  // What can only be entered by its picture has no sound here.
  const wanted = { ranges, span: window.span };
  const { picture, heard } = await withSourceWindow(context, pinned, wanted, (sourcePath) =>
    context.scratch.withDirectory(async (outputDirectory) => {
      const recipe = videoRecipe(source, preview.plan, ladder, unit);
      const seen = runFfmpeg(
        context,
        recipe,
        sourcePath,
        outputDirectory,
        { ...budget, frames: frames.frameCount },
        {
          onStderrLine: listenToEncoders().take,
          niceness: NICENESS,
        },
      );
      const soundRecipe = sound === null ? null : previewSoundRecipe(preview, unit, sound, source);
      const spoken =
        soundRecipe === null
          ? null
          : runFfmpeg(
              context,
              soundRecipe,
              sourcePath,
              outputDirectory,
              { ...budget, frames: null },
              { niceness: NICENESS },
            );
      // Both have ended before their directory goes, also where one fails.
      await Promise.allSettled([seen, spoken]);
      const log = (await seen).stderrTail;
      await spoken;
      const made: { picture: MadeTrack; heard: MadeTrack | null } = {
        picture: await readRung(outputDirectory, preview.plan, ladder, unit, rung),
        heard:
          sound === null || soundRecipe === null
            ? null
            : await readPreviewSound(outputDirectory, preview, unit, sound),
      };
      return { made, log };
    }),
  );

  const protect = await openProtector(context);
  const placed = { assetId: context.asset._id, generation, isPreview: true };
  const seen: TrackPlace = { ...placed, kind: "video", trackId: rung.id };
  const tracks = [await stored(context, seen, plan.timeline.timescale, protect(seen, picture))];
  if (sound !== null && heard !== null) {
    const spoken: TrackPlace = { ...placed, kind: "audio", trackId: sound.id };
    tracks.push(await stored(context, spoken, sound.sampleRateHz, protect(spoken, heard)));
  }
  if (unit.index === 0) {
    const codecs = { video: tracks[0]!.codec, audio: tracks[1]?.codec ?? null };
    const folder = packagePrefix(context.asset._id, generation) + PREVIEW_FOLDER;
    await storePlaylists(context, folder, previewPlaylists(preview, codecs, AAC_SAMPLES_PER_FRAME));
    await markPreviewed(context.library, context.asset, generation);
  }
  return { tracks, images: [] };
}

async function stored(
  context: TaskContext,
  place: TrackPlace,
  timescale: number,
  { init, cells }: MadeTrack,
): Promise<TaskResult["tracks"][number]> {
  const { key, sha256 } = await storeInit(context.blobs, place, init);
  return {
    trackId: place.trackId,
    initKey: key,
    initBytes: init.length,
    initSha256: sha256,
    codec: codecString(init),
    timescale,
    cells: await storeCells(context.blobs, place, cells, context.signal),
  };
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
