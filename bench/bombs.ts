import { readFile } from "node:fs/promises";
import { launcherForTest, probeFile } from "../test/rig/launcher.ts";
import { BIG_BUCK_BUNNY, made } from "../test/rig/media.ts";
import { pixelBomb } from "../test/rig/odd-media.ts";
import { timed } from "./cpu.ts";
import { figure, median, printTable } from "./table.ts";

/**
 * What four pixel bombs at once do to a neighbour's encode: its wall and CPU beside them, against alone (RELIABILITY T06: at
 * most a tenth more). The order turns round with each repetition. `node bench/bombs.ts [repetitions]`
 */

const repetitions = Number(process.argv[2] ?? 5);
const ffmpeg = process.env.MATINEE_FFMPEG_PATH || "ffmpeg";
const launcher = await launcherForTest();
const bombs = [
  await pixelBomb("png"),
  await pixelBomb("hevc"),
  await largePicture("ffv1"),
  await largePicture("mpeg4"),
];

const alone: Awaited<ReturnType<typeof encode>>[] = [];
const beside: Awaited<ReturnType<typeof encode>>[] = [];
const refusals: number[] = [];
// Read once: the first to come would pay for the cold file.
await readFile(BIG_BUCK_BUNNY);
for (let repetition = 0; repetition < repetitions; repetition++) {
  const steps = [
    async () => void alone.push(await encode()),
    async () => void beside.push(await encodeBesideBombs()),
  ];
  for (const step of repetition % 2 === 0 ? steps : steps.reverse()) await step();
}
const row = (name: string, runs: typeof alone): string[] => {
  const walls = runs.map(({ wallSeconds }) => wallSeconds);
  const wall = median(walls);
  const cpu = median(runs.map(({ cpuSeconds }) => cpuSeconds));
  return [
    name,
    figure(wall),
    walls.map((one) => figure(one)).join(", "),
    figure(wall / median(alone.map(({ wallSeconds }) => wallSeconds))),
    figure(cpu / median(alone.map(({ cpuSeconds }) => cpuSeconds))),
  ];
};
printTable(
  ["encode of 10 s of 1080p24, one thread", "wall s (median)", "each run", "÷ alone", "CPU ÷ alone"],
  [row("alone", alone), row("while four bombs are probed", beside)],
);
process.stdout.write(`a bomb is refused in ${figure(median(refusals))} s of wall (median)\n`);

function encode(): Promise<{ wallSeconds: number; cpuSeconds: number }> {
  const input = ["-v", "error", "-nostdin", "-threads", "1", "-i", BIG_BUCK_BUNNY, "-t", "10", "-an"];
  return timed(ffmpeg, [
    ...input,
    "-c:v",
    "libx264",
    "-preset",
    "veryfast",
    "-threads",
    "1",
    "-f",
    "null",
    "-",
  ]);
}

async function encodeBesideBombs(): ReturnType<typeof encode> {
  const encoding = encode();
  await Promise.all(bombs.map(refuse));
  return encoding;
}

async function refuse(path: string): Promise<void> {
  const began = performance.now();
  await probeFile(launcher, path).then(
    () => {
      throw new Error(`${path} was taken`);
    },
    () => undefined,
  );
  refusals.push((performance.now() - began) / 1000);
}

function largePicture(encoder: "ffv1" | "mpeg4"): Promise<string> {
  const picture = ["-f", "lavfi", "-i", "color=c=black:s=8000x4000:r=1:d=1", "-frames:v", "1"];
  return made(encoder === "ffv1" ? "mkv" : "mp4", [...picture, "-c:v", encoder, "{out}"]);
}
