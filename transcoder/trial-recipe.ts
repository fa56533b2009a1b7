import type { Plan } from "../core/plan.ts";
import type { Source } from "../core/source.ts";
import type { TrialLadders, TrialWindow } from "../core/title-analysis.ts";
import { chunkEntry } from "./chunk-entry.ts";
import type { FfmpegRecipe } from "./ffmpeg-command.ts";
import { filterGraph, inputOptions, outputOptions, rungFile } from "./video-recipe.ts";

/** The ffmpeg call that encodes a window in all rungs of its trial ladders, as a film's would be, from one decode. */
export function trialRecipe(
  source: Source,
  plan: Plan,
  { halves, wholes }: TrialLadders,
  { half, group }: TrialWindow,
): FfmpegRecipe {
  const entry = chunkEntry(source, plan, group);
  const ladder = { ...halves, rungs: [...halves.rungs, ...wholes.rungs] };
  return {
    // Errors alone, one thread for all filters: as for scoring.
    globalOptions: ["-hide_banner", "-nostdin", "-v", "error", "-filter_complex_threads", "1"],
    inputs: [{ options: inputOptions(entry.inputOptions), file: "/in/source" }],
    filterGraph: filterGraph(source, plan, ladder, entry.filters),
    outputs: ladder.rungs.map((rung, index) => ({
      options: outputOptions(plan, ladder, rung, `[v${index}]`, index < halves.rungs.length ? half : group),
      file: rungFile(rung),
    })),
  };
}
