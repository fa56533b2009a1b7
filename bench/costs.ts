import type { Speed, VideoCodec } from "../core/encoding.ts";
import { buildPlan, DEFAULT_PLAN_SETTINGS } from "../core/plan.ts";
import { chunkFrames, timelineSeconds } from "../core/timeline.ts";
import { pictureCost } from "../core/work.ts";
import { launcherForTest, probeFile } from "../test/rig/launcher.ts";
import { BIG_BUCK_BUNNY } from "../test/rig/media.ts";
import { encodingProgram, findRecentAv1 } from "../transcoder/recent-av1.ts";
import { videoRecipe } from "../transcoder/video-recipe.ts";
import { runRecipe } from "./run-recipe.ts";
import { figure, printTable } from "./table.ts";

/**
 * What a chunk of each codec and speed costs, by the product's own recipe and in its sandbox, beside H.264 `fast` and beside what
 * the scheduler reckons (core/work.ts). Two at once, as a worker of two slots runs them. `node bench/costs.ts [repetitions]`
 */

const repetitions = Number(process.argv[2] ?? 1);
const SPEEDS: readonly Speed[] = ["fast", "balanced", "small"];
const CODECS: readonly VideoCodec[] = ["h264", "hevc", "av1"];

const launcher = await launcherForTest();
const recentAv1 = await findRecentAv1(launcher);
const source = await probeFile(launcher, BIG_BUCK_BUNNY);
const rows: { name: string; measured: number; reckoned: number }[] = [];
for (const codec of CODECS) for (const speed of SPEEDS) rows.push(await measure(codec, speed));
const basis = rows[0]!.measured;
printTable(
  ["1080p24, all rungs", "CPU s a second of film", "÷ H.264 fast", "reckoned", "measured ÷ reckoned"],
  rows.map(({ name, measured, reckoned }) => [
    name,
    figure(measured),
    figure(measured / basis),
    figure(reckoned),
    figure(measured / reckoned),
  ]),
);

async function measure(codec: VideoCodec, speed: Speed) {
  // H.264 comes with every plan, as people ask for the others beside it.
  const codecs: VideoCodec[] = codec === "h264" ? ["h264"] : ["h264", codec];
  const encoding = { codecs, speed };
  const settings = { ...DEFAULT_PLAN_SETTINGS, encoding, recentAv1Build: recentAv1?.build ?? null };
  const plan = buildPlan(source, settings, launcher.build);
  const ladder = plan.ladders.find((one) => one.codec === codec)!;
  const chunk = plan.chunks[0]!;
  const { frameCount } = chunkFrames(plan.timeline, chunk);
  const seconds = (timelineSeconds(plan.timeline) * frameCount) / plan.timeline.frameCount;
  const recipe = videoRecipe(source, plan, ladder, chunk);
  const program = encodingProgram({ recentAv1 }, ladder);
  const once = () => runRecipe(launcher, BIG_BUCK_BUNNY, recipe, program);
  const runs: number[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++)
    runs.push(...(await Promise.all([once(), once()])));
  const mean = runs.reduce((sum, one) => sum + one, 0) / runs.length;
  const name = `${codec} ${speed}`;
  process.stderr.write(`${name}: ${runs.map((one) => figure(one, 1)).join(", ")} CPU s\n`);
  return { name, measured: mean / seconds, reckoned: pictureCost(ladder, speed, frameCount) / seconds };
}
