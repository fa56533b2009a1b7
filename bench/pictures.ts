import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPlan, DEFAULT_PLAN_SETTINGS, type Plan } from "../core/plan.ts";
import type { Chunk } from "../core/timeline.ts";
import { launcherForTest, probeFile } from "../test/rig/launcher.ts";
import type { FfmpegRecipe } from "../transcoder/ffmpeg-command.ts";
import { videoRecipe } from "../transcoder/video-recipe.ts";
import { barePictures } from "./bare-encode.ts";
import { timed } from "./cpu.ts";
import { filmToEncode } from "./encode-films.ts";
import { runRecipe } from "./run-recipe.ts";
import { figure, median, printTable } from "./table.ts";

/**
 * CPU of the five rungs' encode and of nothing else: the chunks of a film by the product's own recipe and in its sandbox, two at once
 * as a worker of two slots has them, beside one bare ffmpeg. Once as they are, and once without what the bare process has
 * not: each frame's SSIM, and the pictures for seeking that ride on the decode.
 * `node bench/pictures.ts [repetitions] [loops of the film] [p24|p60|camera|master|hard|FILE]`
 */

const repetitions = Number(process.argv[2] ?? 3);
const { name: filmName, path: film } = await filmToEncode(
  process.argv[4] ?? "p24",
  Number(process.argv[3] ?? 1),
);
const ffmpeg = process.env.MATINEE_FFMPEG_PATH || "ffmpeg";
const SLOTS = 2;
const SSIM = ":ssim=1";

const launcher = await launcherForTest();
const source = await probeFile(launcher, film);
const plan = buildPlan(source, DEFAULT_PLAN_SETTINGS, launcher.build);
const folder = await mkdtemp(join(tmpdir(), "matinee-bench-pictures-"));
const ways: { name: string; once: () => Promise<number>; runs: number[] }[] = [
  { name: "chunks, as they are made", once: () => inChunks(recipeOf(plan)), runs: [] },
  {
    name: "the same without SSIM and pictures for seeking",
    once: () => inChunks(plainRecipeOf(plan)),
    runs: [],
  },
  { name: "one bare ffmpeg", once: bare, runs: [] },
];
try {
  // The order turns round with each repetition: whoever comes first finds colder caches.
  for (let repetition = 0; repetition < repetitions; repetition++)
    for (const way of repetition % 2 === 0 ? ways : ways.toReversed()) way.runs.push(await way.once());
} finally {
  await rm(folder, { recursive: true, force: true });
}
const ofBare = median(ways.at(-1)!.runs);
printTable(
  [`${filmName}; chunks: ${plan.chunks.length}`, "CPU s (median)", "each run", "÷ one bare ffmpeg"],
  ways.map(({ name, runs }) => [
    name,
    figure(median(runs), 1),
    runs.map((run) => figure(run, 1)).join(", "),
    figure(median(runs) / ofBare),
  ]),
);

function recipeOf(of: Plan): (chunk: Chunk) => FfmpegRecipe {
  const [ladder] = of.ladders;
  return (chunk) => videoRecipe(source, of, ladder!, chunk);
}

function plainRecipeOf(of: Plan): (chunk: Chunk) => FfmpegRecipe {
  const withoutTrick = recipeOf({ ...of, trickPlay: { ...of.trickPlay, ladderId: "none" } });
  return (chunk) => {
    const recipe = withoutTrick(chunk);
    const outputs = recipe.outputs.map(({ options, file }) => {
      if (!options.some((option) => option.includes(SSIM))) throw new Error(`${file} is not compared`);
      return { options: options.map((option) => option.replace(SSIM, "")), file };
    });
    return { ...recipe, outputs };
  };
}

/** CPU seconds of all chunks. */
async function inChunks(recipe: (chunk: Chunk) => FfmpegRecipe): Promise<number> {
  const waiting = [...plan.chunks];
  let cpuSeconds = 0;
  const slot = async (): Promise<void> => {
    for (let chunk = waiting.shift(); chunk !== undefined; chunk = waiting.shift()) {
      const spent = await runRecipe(launcher, film, recipe(chunk));
      cpuSeconds += spent;
    }
  };
  await Promise.all(Array.from({ length: SLOTS }, slot));
  return cpuSeconds;
}

async function bare(): Promise<number> {
  const { cpuSeconds } = await timed(ffmpeg, barePictures(film, plan, join(folder, "one")));
  return cpuSeconds;
}
