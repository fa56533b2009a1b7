import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../core/errors.ts";
import type { TaskResult } from "../core/records/task-result.ts";
import { arrangeCues, type Cue, includeForced, segmentBordersMs } from "../core/subtitle-cues.ts";
import { parseWebVtt } from "../core/subtitle-parse.ts";
import type { SubtitleOrigin } from "../core/subtitle-plan.ts";
import { timelineSeconds } from "../core/timeline.ts";
import type { FfmpegRecipe } from "./ffmpeg-command.ts";
import { runFfmpeg } from "./ffmpeg-run.ts";
import { type PlannedAsset, requirePlanned } from "./planned-asset.ts";
import { trackWindow, withSourceWindow } from "./source-window.ts";
import { storeText } from "./store-subtitle.ts";
import {
  embeddedTextRecipe,
  MOST_WEBVTT_BYTES,
  SUBTITLE_FILE,
  sidecarTextRecipe,
} from "./subtitle-recipe.ts";
import type { TaskContext } from "./task-context.ts";

/** Makes one text track: the lines of its stream or file, safe and on the film's clock, cut at the video's borders. */
export async function makeSubtitle(context: TaskContext): Promise<TaskResult> {
  const planned = requirePlanned(context.asset);
  const { plan, generation } = planned;
  const track = plan.subtitles.find(({ id }) => id === context.task.part);
  if (track === undefined)
    throw new Failure("ours", "internal", "The task names a track that the plan does not have.");
  const borders = segmentBordersMs(plan.timeline);
  const own = arrangeCues(await readCues(context, planned, track.origin), borders);
  context.report(0.5);
  let cues = own;
  for (const origin of track.included)
    cues = includeForced(cues, arrangeCues(await readCues(context, planned, origin), borders));
  const place = { assetId: context.asset._id, generation, trackId: track.id };
  const text = await storeText(context, place, arrangeCues(cues, borders), plan.timeline);
  return { tracks: [], images: [], texts: [text] };
}

/** The lines of one stream or file, moved so that 0 is the film's first frame; not yet clipped to it. */
async function readCues(
  context: TaskContext,
  { plan, source, pinned }: PlannedAsset,
  origin: SubtitleOrigin,
): Promise<Cue[]> {
  const mediaSeconds = timelineSeconds(plan.timeline);
  if (origin.file !== null) {
    const { format } = origin;
    return context.scratch.withSource(origin.file, context.signal, async (path) => {
      if (format === "vtt") return parseWebVtt(await readFile(path, "utf8"));
      const { text } = await runToText(context, sidecarTextRecipe(format), path, mediaSeconds);
      return withoutDrawings(parseWebVtt(text), format);
    });
  }
  const { streamIndex, codec } = origin;
  const shiftMs = -Math.round(source.video.startSeconds * 1000);
  return withSourceWindow(context, pinned, trackWindow(streamIndex), async (path) => {
    const run = (isUtf8: boolean) =>
      runToText(context, embeddedTextRecipe(streamIndex, isUtf8), path, mediaSeconds);
    const first = await run(true);
    const { text } = /Invalid UTF-8/.test(first.stderrTail) ? await run(false) : first;
    return { made: withoutDrawings(parseWebVtt(text, shiftMs), codec), log: first.stderrTail };
  });
}

/**
 * What ffmpeg writes for a recipe. Text that it cannot read is no text: a film is not held up by its subtitles, and the
 * track's count of lines tells of it.
 */
async function runToText(
  context: TaskContext,
  recipe: FfmpegRecipe,
  sourcePath: string,
  mediaSeconds: number,
): Promise<{ text: string; stderrTail: string }> {
  return context.scratch.withDirectory(async (directory) => {
    const budget = { mediaSeconds, outputBytes: 2 * MOST_WEBVTT_BYTES, frames: null };
    try {
      const { stderrTail } = await runFfmpeg(context, recipe, sourcePath, directory, budget);
      return {
        text: await readFile(join(directory, SUBTITLE_FILE.replace("/out/", "")), "utf8"),
        stderrTail,
      };
    } catch (thrown) {
      const isUnreadable =
        thrown instanceof Failure && (thrown.failureClass === "source" || thrown.failureClass === "ours");
      if (!isUnreadable) throw thrown;
      context.log.warn({ err: thrown, taskId: context.task._id }, "a text could not be read");
      return { text: "", stderrTail: thrown.cause instanceof Error ? thrown.cause.message : "" };
    }
  });
}

/** ASS draws with letters (`{\\p1}m 0 0 l 9 0 …`), and ffmpeg passes the strokes on as if they were said. */
function withoutDrawings(cues: Cue[], codec: string): Cue[] {
  if (codec !== "ass" && codec !== "ssa") return cues;
  return cues.filter(
    ({ text }) => !/^m(?:\s-?\d+(?:\.\d+)?){2}(?:\s(?:[mnlbspc]|-?\d+(?:\.\d+)?))*$/.test(text),
  );
}
