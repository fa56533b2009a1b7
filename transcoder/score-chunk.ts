import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Ladder } from "../core/ladder.ts";
import { packScores } from "../core/quality.ts";
import type { FrameRange } from "../core/timeline.ts";
import type { Cell } from "./cells.ts";
import type { EncoderScores } from "./encoder-scores.ts";
import { runFfmpeg } from "./ffmpeg-run.ts";
import type { PlannedAsset } from "./planned-asset.ts";
import { readSsim, ssimFile, ssimRecipe } from "./score-recipe.ts";
import type { TaskContext } from "./task-context.ts";

/** What scoring needs to know of one rung of a chunk: its samples' sizes in order, and the cells that they were cut into. */
export interface EncodedTrack {
  sampleBytes: number[];
  cells: Cell[];
}

/** Which frames of the master were encoded, in which rungs. */
export interface ScoredChunk extends Pick<PlannedAsset, "source" | "plan"> {
  ladder: Ladder;
  frames: FrameRange;
}

/** The master, and the folder where one file of each rung lies as its encoder left it. */
export interface ChunkFiles {
  sourcePath: string;
  outputDirectory: string;
}

/**
 * Gives every cell of a chunk its SSIM: as its encoder said, or, where an encoder keeps none, by decoding the chunk's
 * files. Answers what ffmpeg logged on the way.
 */
export async function scoreChunk(
  context: TaskContext,
  wanted: ScoredChunk,
  encoded: readonly EncodedTrack[],
  heard: EncoderScores,
  files: ChunkFiles,
): Promise<string> {
  const said = encoded.map(({ sampleBytes }) => heard.of(sampleBytes));
  const { scores, log } = said.every((one) => one !== null)
    ? { scores: said, log: "" }
    : await compare(context, wanted, files);
  encoded.forEach(({ cells }, index) => {
    let next = 0;
    for (const cell of cells) {
      const own = scores[index]!.slice(next, next + cell.frames);
      next += cell.frames;
      // Fewer scores than frames say nothing of the cell; it then goes without.
      if (own.length === cell.frames) cell.ssim = packScores(own);
    }
  });
  return log;
}

/** In the order of showing: the same frames as in the order of coding, since no group of pictures reaches into the next. */
async function compare(
  context: TaskContext,
  { source, plan, ladder, frames }: ScoredChunk,
  { outputDirectory, sourcePath }: ChunkFiles,
): Promise<{ scores: number[][]; log: string }> {
  const { num, den } = plan.timeline.frameRate;
  const budget = { mediaSeconds: (frames.frameCount * den) / num, outputBytes: 16 * 2 ** 20, frames: null };
  const recipe = ssimRecipe(source, plan, ladder, frames);
  const { stderrTail: log } = await runFfmpeg(context, recipe, sourcePath, outputDirectory, budget);
  const scores = await Promise.all(
    ladder.rungs.map(async (_, index) =>
      readSsim(await readFile(join(outputDirectory, ssimFile(index).replace("/out/", "")), "utf8")),
    ),
  );
  return { scores, log };
}
