import type { Ladder } from "../core/ladder.ts";
import type { Plan } from "../core/plan.ts";
import type { Source } from "../core/source.ts";
import type { FrameRange } from "../core/timeline.ts";
import { chunkEntry } from "./chunk-entry.ts";
import type { FfmpegRecipe } from "./ffmpeg-command.ts";
import { filterGraph, inputOptions, outputOptions, rungFile } from "./video-recipe.ts";

/** The ffmpeg call that encodes these frames in all sizes of a trial ladder, as its rungs would be, from one decode. */
export function trialRecipe(source: Source, plan: Plan, ladder: Ladder, frames: FrameRange): FfmpegRecipe {
  const entry = chunkEntry(source, plan, frames);
  return {
    // Errors alone, one thread for all filters: as for scoring.
    globalOptions: ["-hide_banner", "-nostdin", "-v", "error", "-filter_complex_threads", "1"],
    inputs: [{ options: inputOptions(entry.inputOptions), file: "/in/source" }],
    filterGraph: filterGraph(source, plan, ladder, entry.filters),
    outputs: ladder.rungs.map((rung, index) => ({
      options: outputOptions(plan, ladder, rung, `[v${index}]`, frames),
      file: rungFile(rung),
    })),
  };
}
