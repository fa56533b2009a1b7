import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Failure, sourceFailure } from "../core/errors.ts";
import { readFragments } from "../core/fragments.ts";
import { splitInit } from "../core/init-segment.ts";
import type { Ladder } from "../core/ladder.ts";
import type { QualityMetric } from "../core/quality.ts";
import { withoutLookedEntries } from "../core/stream-entries.ts";
import type { FrameRange } from "../core/timeline.ts";
import { ratesOfWindow, type TrialLadders, type TrialWindow } from "../core/title-analysis.ts";
import { runFfmpeg } from "./ffmpeg-run.ts";
import { withNearEntry } from "./near-entry.ts";
import type { PlannedAsset } from "./planned-asset.ts";
import { encodingProgram } from "./recent-av1.ts";
import { readScores, scoreFile, screenRecipe } from "./score-recipe.ts";
import { pictureWindow, withSourceWindow } from "./source-window.ts";
import type { TaskContext } from "./task-context.ts";
import { trialRecipe } from "./trial-recipe.ts";
import { rungFile } from "./video-recipe.ts";

/** What one size at one quality came to in one window. */
export interface TrialOutcome {
  averageBps: number;
  score: number;
}

/** Encodes one window in all rungs of its trial ladders and scores the halves on the largest one's screen: an outcome for each. */
export async function tryWindow(
  context: TaskContext,
  { source: described, plan, pinned }: Pick<PlannedAsset, "source" | "plan" | "pinned">,
  ladders: TrialLadders,
  window: TrialWindow,
  metric: QualityMetric,
): Promise<TrialOutcome[]> {
  const { half, group } = window;
  const { halves, wholes } = ladders;
  const { num, den } = plan.timeline.frameRate;
  const budget = {
    mediaSeconds: ((group.frameCount * den) / num) * halves.rungs.length,
    outputBytes: 64 * 2 ** 20,
    frames: null,
  };
  const manner = metric === "vmaf" ? { program: "scorer" as const } : {};
  const near = await withNearEntry(context, pinned, described, plan, group);
  const wanted = pictureWindow(near, plan, group);
  return withSourceWindow(context, pinned, wanted, (sourcePath, isDoubted) =>
    context.scratch.withDirectory(async (folder) => {
      const source = isDoubted ? withoutLookedEntries(described) : near;
      const read = (file: string): Promise<Buffer> => readFile(join(folder, file.replace("/out/", "")));
      const encode = trialRecipe(source, plan, ladders, window);
      const encoder = { program: encodingProgram(context, halves) };
      const encoded = await runFfmpeg(context, encode, sourcePath, folder, budget, encoder);
      const score = screenRecipe(source, plan, halves, half, metric);
      const scored = await runFfmpeg(context, score, sourcePath, folder, budget, manner);
      const bytesOf = ({ rungs }: Ladder, { frameCount }: FrameRange): Promise<number[][]> =>
        Promise.all(rungs.map(async (rung) => sampleBytes(await read(rungFile(rung)), frameCount)));
      const bytes = { halves: await bytesOf(halves, half), wholes: await bytesOf(wholes, group) };
      const rates = ratesOfWindow(bytes, plan.timeline);
      const made = rates.map(async (averageBps, rung): Promise<TrialOutcome> => {
        const scores = readScores(metric, (await read(scoreFile(metric, rung))).toString("utf8"));
        if (scores.length === 0) throw undecodable();
        return { averageBps, score: scores.reduce((sum, one) => sum + one, 0) / scores.length };
      });
      return { made: await Promise.all(made), log: encoded.stderrTail + scored.stderrTail };
    }),
  );
}

function sampleBytes(file: Uint8Array, frameCount: number): number[] {
  const bytes = readFragments(splitInit(file).rest).flatMap(({ samples }) =>
    samples.map(({ sizeBytes }) => sizeBytes),
  );
  if (bytes.length !== frameCount) throw undecodable();
  return bytes;
}

function undecodable(): Failure {
  return sourceFailure("source_damaged", "A part of the source cannot be decoded.");
}
