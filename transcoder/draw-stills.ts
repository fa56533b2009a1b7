import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../core/errors.ts";
import { isDiskFull } from "./disk-failure.ts";
import type { FfmpegRecipe } from "./ffmpeg-command.ts";
import { isShortOfDisk, runFfmpeg } from "./ffmpeg-run.ts";
import type { TaskContext } from "./task-context.ts";

const LARGEST_STILL_BYTES = 16 * 2 ** 20;

/** Runs a recipe of stills on `video` (pictures, one a second) and gives the files that it names, in order. */
export async function drawStills(
  context: TaskContext,
  recipe: FfmpegRecipe,
  video: { bytes: Uint8Array; pictures: number },
  names: readonly string[],
): Promise<Uint8Array[]> {
  return context.scratch.withDirectory((inputDirectory) =>
    context.scratch.withDirectory(async (outputDirectory) => {
      const path = join(inputDirectory, "pictures.mp4");
      const budget = { mediaSeconds: video.pictures, outputBytes: LARGEST_STILL_BYTES, frames: null };
      try {
        await writeFile(path, video.bytes);
        await runFfmpeg(context, recipe, path, outputDirectory, budget);
        return await Promise.all(names.map((name) => readFile(join(outputDirectory, name))));
      } catch (error) {
        // An exit code of 0 proves no files.
        if (error instanceof Failure || !(isDiskFull(error) || (await isShortOfDisk(context, ""))))
          throw error;
        throw new Failure("resource", "scratch_full", "The worker's disk is full.", { cause: error });
      }
    }),
  );
}
