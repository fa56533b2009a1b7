import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPlan, DEFAULT_PLAN_SETTINGS } from "../core/plan.ts";
import { launcherForTest, probeFile } from "../test/rig/launcher.ts";
import { audioRecipe, loudnessRecipe } from "../transcoder/audio-recipe.ts";
import type { FfmpegRecipe } from "../transcoder/ffmpeg-command.ts";
import { timed } from "./cpu.ts";
import { runRecipe } from "./run-recipe.ts";
import { figure, printTable } from "./table.ts";

/**
 * CPU of a film's stereo, measured and then encoded with a gain and a limiter, beside a bare ffmpeg that encodes the same sound; and
 * both again without what keeps the meter from slowing down in digital silence. `node bench/sound.ts [seconds]`
 */

const seconds = Number(process.argv[2] ?? 120);
const ffmpeg = process.env.MATINEE_FFMPEG_PATH || "ffmpeg";
const SOUNDS: readonly (readonly [string, string])[] = [
  ["noise", `anoisesrc=c=pink:a=0.2:r=48000:d=${seconds}`],
  ["a tone", `sine=frequency=440:r=48000:d=${seconds}`],
  ["two seconds of noise, then silence", `anoisesrc=c=pink:a=0.2:r=48000:d=2,apad=whole_dur=${seconds}`],
];
const CHANGE = { gainDb: 3, isLimited: true };

const folder = await mkdtemp(join(tmpdir(), "matinee-bench-sound-"));
try {
  const launcher = await launcherForTest();
  const rows: string[][] = [];
  for (const [index, [name, input]] of SOUNDS.entries()) {
    const film = join(folder, `${index}.mkv`);
    await timed(ffmpeg, [
      ...["-nostdin", "-y", "-f", "lavfi", "-i", `testsrc2=size=160x96:rate=10:duration=${seconds}`],
      ...["-f", "lavfi", "-i", input, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"],
      ...["-c:a", "pcm_s16le", "-ac", "2", film],
    ]);
    const source = await probeFile(launcher, film);
    const { timeline, audio } = buildPlan(source, DEFAULT_PLAN_SETTINGS, launcher.build);
    const recipes = [
      loudnessRecipe(source, timeline, audio[0]!),
      audioRecipe(source, timeline, audio[0]!, CHANGE),
    ];
    const bare = await timed(ffmpeg, [
      ...["-nostdin", "-y", "-threads", "1", "-i", film, "-vn", "-c:a", "aac", "-b:a", "128k"],
      join(folder, "bare.mp4"),
    ]);
    const costs: number[] = [];
    for (const recipe of [...recipes, ...recipes.map(slowInSilence)])
      costs.push(await runRecipe(launcher, film, recipe));
    const [measured = 0, encoded = 0, ...slow] = costs;
    rows.push([
      name,
      ...[bare.cpuSeconds, measured, encoded, ...slow].map((cost) => figure(cost)),
      figure((measured + encoded) / bare.cpuSeconds),
    ]);
  }
  const bareMeter = ["measured by the meter alone", "encoded by it"];
  printTable(
    [`${seconds} s, CPU s`, "bare ffmpeg", "measured", "encoded", ...bareMeter, "both ÷ bare ffmpeg"],
    rows,
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}

function slowInSilence(recipe: FfmpegRecipe): FfmpegRecipe {
  return { ...recipe, filterGraph: recipe.filterGraph!.replaceAll("adenorm=type=ac,", "") };
}
