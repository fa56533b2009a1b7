import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { assemble, type FfmpegRecipe } from "../transcoder/ffmpeg-command.ts";
import type { Launcher, Program } from "../transcoder/launcher.ts";

const LIMITS = { wallSeconds: 3600, cpuSeconds: 3600, outputBytes: 2 ** 30 };

/** CPU seconds of one run of a recipe in the sandbox; what it makes is thrown away. Throws where it fails. */
export async function runRecipe(
  launcher: Launcher,
  film: string,
  recipe: FfmpegRecipe,
  program: Program = "ffmpeg",
): Promise<number> {
  const outputDirectory = await mkdtemp(join(tmpdir(), "matinee-bench-recipe-"));
  try {
    const run = await launcher.run({
      ...{ program, args: assemble(recipe), limits: LIMITS },
      ...{ source: resolve(film), outputDirectory },
    });
    if (run.exitCode !== 0) throw new Error(`${run.shellLine}\n${run.stderrTail}`);
    return run.cpuSeconds;
  } finally {
    await rm(outputDirectory, { recursive: true, force: true });
  }
}
