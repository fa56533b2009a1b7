import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readFragments, splitInit } from "../core/box-reader.ts";
import { sourceFailure } from "../core/errors.ts";
import type { Ladder } from "../core/ladder.ts";
import type { QualityMetric } from "../core/quality.ts";
import type { FrameRange } from "../core/timeline.ts";
import { rateOfWindow } from "../core/title-analysis.ts";
import { runFfmpeg } from "./ffmpeg-run.ts";
import type { PlannedAsset } from "./planned-asset.ts";
import { readScores, scoreFile, screenRecipe } from "./score-recipe.ts";
import { pictureWindow, withSourceWindow } from "./source-window.ts";
import type { TaskContext } from "./task-context.ts";
import { trialRecipe } from "./trial-recipe.ts";
import { rungFile } from "./video-recipe.ts";

/** What one size came to in one window. */
export interface TrialOutcome {
  averageBps: number;
  score: number;
}

/** Encodes one window in all sizes of a trial ladder and scores them on the largest one's screen: an outcome for each rung. */
export async function tryWindow(
  context: TaskContext,
  { source, plan, pinned }: Pick<PlannedAsset, "source" | "plan" | "pinned">,
  ladder: Ladder,
  frames: FrameRange,
  metric: QualityMetric,
): Promise<TrialOutcome[]> {
  const { num, den } = plan.timeline.frameRate;
  const mediaSeconds = (frames.frameCount * den) / num;
  const budget = {
    mediaSeconds: mediaSeconds * ladder.rungs.length,
    outputBytes: 64 * 2 ** 20,
    frames: null,
  };
  const manner = metric === "vmaf" ? { program: "scorer" as const } : {};
  const wanted = pictureWindow(source, plan, frames);
  return withSourceWindow(context, pinned, wanted, (sourcePath) =>
    context.scratch.withDirectory(async (folder) => {
      const read = (file: string): Promise<Buffer> => readFile(join(folder, file.replace("/out/", "")));
      const encode = trialRecipe(source, plan, ladder, frames);
      const encoded = await runFfmpeg(context, encode, sourcePath, folder, budget);
      const score = screenRecipe(source, plan, ladder, frames, metric);
      const scored = await runFfmpeg(context, score, sourcePath, folder, budget, manner);
      const made = ladder.rungs.map(async (rung, index): Promise<TrialOutcome> => {
        const samples = sampleBytes(await read(rungFile(rung)));
        const scores = readScores(metric, (await read(scoreFile(metric, index))).toString("utf8"));
        if (samples.length !== frames.frameCount || scores.length === 0)
          throw sourceFailure("source_damaged", "A part of the source cannot be decoded.");
        return {
          averageBps: rateOfWindow(samples, plan.timeline),
          score: scores.reduce((sum, one) => sum + one, 0) / scores.length,
        };
      });
      return { made: await Promise.all(made), log: encoded.stderrTail + scored.stderrTail };
    }),
  );
}

function sampleBytes(file: Uint8Array): number[] {
  return readFragments(splitInit(file).rest).flatMap(({ samples }) =>
    samples.map(({ sizeBytes }) => sizeBytes),
  );
}
