import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../core/errors.ts";
import type { Ladder } from "../core/ladder.ts";
import { joinTracks, type ProducedTrack } from "../core/produced-track.ts";
import { chooseWindows, scoringGoes, type Window, windowCount, windowFrames } from "../core/quality.ts";
import type { TaskResult } from "../core/records/task-result.ts";
import type { Source } from "../core/source.ts";
import { withoutLookedEntries } from "../core/stream-entries.ts";
import { type FrameRange, segmentCount, segmentFrames, timelineSeconds } from "../core/timeline.ts";
import { resultsOfChunks } from "../stores/library/tasks.ts";
import { runFfmpeg } from "./ffmpeg-run.ts";
import { withNearEntry } from "./near-entry.ts";
import { requirePlanned } from "./planned-asset.ts";
import { type ClearMedia, openClearMedia } from "./protect-media.ts";
import { readVmaf, screenRecipe, takesVmaf, vmafFile } from "./score-recipe.ts";
import { type LoggedRun, pictureWindow, withSourceWindow } from "./source-window.ts";
import type { TaskContext } from "./task-context.ts";
import { rungFile } from "./video-recipe.ts";

type Score = NonNullable<TaskResult["scores"]>[number];

const NO_SCORES: TaskResult = { tracks: [], images: [] };

/**
 * Takes VMAF of some windows of one ladder, drawn and worst, once its pictures are there; of a long film some of them in each task.
 * Where this worker has no ffmpeg with libvmaf, scoring is off, or VMAF can say nothing of such a picture, the ladder goes without:
 * SSIM came with its cells.
 */
export async function scoreLadder(context: TaskContext): Promise<TaskResult> {
  const { plan, source, pinned, generation } = requirePlanned(context.asset);
  const ladder = plan.ladders.find(({ id }) => id === context.task.part);
  if (ladder === undefined)
    throw new Failure("ours", "internal", "The task names a ladder that the plan does not have.");
  if (!context.scoresVmaf || !takesVmaf(ladder)) return NO_SCORES;
  const tracks = await tracksOf(context, ladder);
  const filmSeconds = timelineSeconds(plan.timeline);
  const chosen = chooseWindows(segmentScores(tracks, ladder), filmSeconds, `${generation} ${ladder.id}`);
  const go = scoringGoes(windowCount(filmSeconds))[context.task.chunk];
  const windows = chosen.slice(go?.first, go?.end);
  const clear = await openClearMedia(context);
  const scores: Score[] = [];
  for (const [index, window] of windows.entries()) {
    const frames = windowFrames(
      segmentFrames(plan.timeline, window.segment),
      plan.timeline.framesPerKeyframe,
    );
    const near = await withNearEntry(context, pinned, source, plan, frames);
    const scored = await withSourceWindow(
      context,
      pinned,
      pictureWindow(near, plan, frames),
      (sourcePath, isDoubted) =>
        context.scratch.withDirectory(async (directory) => {
          await putRungs(clear, ladder, tracks, window, directory);
          const from = isDoubted ? withoutLookedEntries(source) : near;
          return scoreFrames(context, ladder, { source: from, frames }, { directory, sourcePath });
        }),
    );
    scores.push(...scored.map((one) => ({ ...one, window })));
    context.report((index + 1) / windows.length);
  }
  return { ...NO_SCORES, scores };
}

async function tracksOf(context: TaskContext, ladder: Ladder): Promise<ProducedTrack[]> {
  const { plan, generation } = requirePlanned(context.asset);
  const cells = { assetId: context.asset._id, generation, kind: "video" as const, part: ladder.id };
  const whole = { first: 0, end: plan.chunks.length };
  const results = await resultsOfChunks(context.library, cells, whole);
  const joined = joinTracks(results, segmentCount(plan.timeline));
  return ladder.rungs.map(({ id }) => joined.get(id)!);
}

/** The mean over the rungs: a scene that is hard for one is hard for all. */
function segmentScores(tracks: readonly ProducedTrack[], ladder: Ladder) {
  return tracks[0]!.cells.map(({ segment }, index) => ({
    segment,
    score: tracks.reduce((sum, { cells }) => sum + (cells[index]?.ssim?.mean ?? 0), 0) / ladder.rungs.length,
  }));
}

/** The segment that the window lies in, of every rung, as files for the scorer. */
async function putRungs(
  { read }: ClearMedia,
  ladder: Ladder,
  tracks: readonly ProducedTrack[],
  { segment }: Window,
  directory: string,
): Promise<void> {
  for (const [index, rung] of ladder.rungs.entries()) {
    const { initKey, cells } = tracks[index]!;
    const parts = await Promise.all([initKey, cells[segment]!.key].map(read));
    if (parts.some((part) => part === null))
      throw new Failure("transient", "internal", `A segment of ${rung.id} did not read back.`);
    await writeFile(
      join(directory, rungFile(rung).replace("/out/", "")),
      Buffer.concat(parts as Uint8Array[]),
    );
  }
}

async function scoreFrames(
  context: TaskContext,
  ladder: Ladder,
  { source, frames }: { source: Source; frames: FrameRange },
  { directory, sourcePath }: { directory: string; sourcePath: string },
): Promise<LoggedRun<Omit<Score, "window">[]>> {
  const { plan } = requirePlanned(context.asset);
  const { num, den } = plan.timeline.frameRate;
  const budget = { mediaSeconds: (frames.frameCount * den) / num, outputBytes: 16 * 2 ** 20, frames: null };
  const recipe = screenRecipe(source, plan, ladder, frames, "vmaf");
  const run = await runFfmpeg(context, recipe, sourcePath, directory, budget, { program: "scorer" });
  const made = await Promise.all(
    ladder.rungs.map(async ({ id }, index) => ({
      trackId: id,
      vmaf: readVmaf(await readFile(join(directory, vmafFile(index).replace("/out/", "")), "utf8")),
    })),
  );
  return { made, log: run.stderrTail };
}
