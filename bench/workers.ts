import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { BIG_BUCK_BUNNY_480, looped } from "../test/rig/media.ts";
import { type Product, startProduct } from "../test/rig/product.ts";
import { timed } from "./cpu.ts";
import { type CpuShare, makeCpuShare } from "./cpu-share.ts";
import { follow } from "./follow.ts";
import { simulate } from "./simulated/cluster.ts";
import { FLEETS, speedUpOfLibrary } from "./simulated/library.ts";
import { planOf } from "./simulated-plan.ts";
import { drawSpeedUp } from "./speed-up-chart.ts";
import { figure, median, printTable } from "./table.ts";

/**
 * What a second worker is worth: the same film by one worker of one slot and by two, in turn, from its upload until it is
 * ready, and what of that can be done side by side; next to what two ffmpeg processes instead of one get out of this
 * machine, whose cores may share more than a name. Each worker is held to a core of its own (Linux' `taskset`): a decoder,
 * scalers and five encoders of one thread each would else take a second core for one worker as well. With a share each is
 * held to that much of a core instead, so that the store, the database, the queue and the API find as much room beside two as beside one.
 * With a file to draw to, also the simulation of up to 1,000; 0 repetitions: that alone.
 * `node bench/workers.ts [repetitions] [loops of the film] [share of a core, 1: a core each] [chart.svg]`
 */

const repetitions = Number(process.argv[2] ?? 2);
/** Eight chunks: of three, one of two workers would do two. */
const loops = Number(process.argv[3] ?? 4);
const share = Number(process.argv[4] ?? 1);
const chart = process.argv[5];
const SIMULATED = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000];

type Workers = 1 | 2;

interface Span {
  ready: number;
  /** From the first chunk's or track's beginning to the last one's end. */
  sideBySide: number;
}

const ffmpeg = process.env.MATINEE_FFMPEG_PATH || "ffmpeg";
const spans: Record<Workers, Span[]> = { 1: [], 2: [] };
const bare: Record<Workers, number[]> = { 1: [], 2: [] };
const sideBySide = (workers: Workers): number[] => spans[workers].map((span) => span.sideBySide);
const ready = (workers: Workers): number[] => spans[workers].map((span) => span.ready);
const perProcess = (workers: Workers): number[] => bare[workers].map((seconds) => seconds / workers);

if (repetitions > 0) {
  await measure(await looped(BIG_BUCK_BUNNY_480, loops));
  printMeasured();
}
if (chart !== undefined) await draw(chart);

async function measure(film: string): Promise<void> {
  const shares = share === 1 ? null : [0, 1, 2].map((index) => makeCpuShare(String(index), share));
  const products: Record<Workers, Product> = {
    1: await startProduct({ workers: 1, slots: 1 }),
    2: await startProduct({ workers: 2, slots: 1 }),
  };
  try {
    const workers = [...products[1].workers, ...products[2].workers];
    // One film at a time: the only worker of the one product has the first core, as the first of the other has.
    for (const [index, { pid }] of workers.entries())
      if (shares !== null) shares[index]!.take(pid!);
      else
        execFileSync("taskset", [
          "--all-tasks",
          "--cpu-list",
          "--pid",
          String(Math.max(0, index - 1)),
          String(pid),
        ]);
    for (let repetition = 0; repetition < repetitions; repetition++) {
      // Whoever comes first finds a busier or a quieter machine: they take turns at it.
      const order: Workers[] = repetition % 2 === 0 ? [1, 2] : [2, 1];
      for (const workers of order) {
        spans[workers].push(await spanOf(products[workers], film));
        bare[workers].push(await bareSeconds(workers, shares));
        const { ready: seconds } = spans[workers].at(-1)!;
        process.stderr.write(`${workers} of them: ready after ${figure(seconds, 1)} s\n`);
      }
    }
  } finally {
    await products[1].stop();
    await products[2].stop();
    for (const one of shares ?? []) one.remove();
  }
}

function printMeasured(): void {
  const row = (name: string, of: (workers: Workers) => number[]) => [
    name,
    ...([1, 2] as const).flatMap((workers) => [
      figure(median(of(workers)), 1),
      of(workers)
        .map((one) => figure(one, 1))
        .join(", "),
    ]),
    figure(speedUp(of)),
  ];
  printTable(
    ["wall s", "one", "each run", "two", "each run", "speed-up"],
    [
      row("from upload to ready", ready),
      row("what can be done side by side", sideBySide),
      row("ffmpeg processes, each the same encode", perProcess),
    ],
  );
}

function speedUp(of: (workers: Workers) => number[]): number {
  return median(of(1)) / median(of(2));
}

async function draw(path: string): Promise<void> {
  const calm = { seed: 1, spread: 0.3, deaths: 0, stragglers: 0, stragglerFactor: 1 };
  const films = {
    "10 min 1080p": planOf(600, 1920, 1080),
    "2 h 1080p": planOf(7200, 1920, 1080),
    "2 h 2160p, two codecs": planOf(7200, 3840, 2160, ["h264", "hevc"]),
  };
  const simulated = Object.entries(films).map(([name, plan]) => {
    const arrivals = [{ atSeconds: 0, tenant: "one", plan }];
    const after = (workers: number): number => simulate({ ...calm, workers }, arrivals).titles[0]!.readyAt!;
    return { name, points: SIMULATED.map((workers) => ({ workers, speedUp: after(1) / after(workers) })) };
  });
  const library = FLEETS.map((workers) => {
    const { speedUp } = speedUpOfLibrary({ ...calm, workers });
    return { workers, speedUp };
  });
  simulated.push({ name: "60 films of 2 h", points: library });
  const measured =
    repetitions > 0
      ? [
          { workers: 1, speedUp: 1 },
          { workers: 2, speedUp: speedUp(sideBySide) },
        ]
      : [];
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, drawSpeedUp(simulated, measured));
}

async function spanOf(product: Product, film: string): Promise<Span> {
  const assetId = await product.uploadFile(film);
  const began = performance.now();
  await follow(product, assetId, ({ state }) => state === "ready");
  const ready = (performance.now() - began) / 1000;
  const tasks = await product.library.tasks.find({ assetId, kind: { $in: ["video", "audio"] } }).toArray();
  const attempts = tasks.flatMap((task) => task.attempts);
  const first = Math.min(...attempts.map(({ startedAt }) => startedAt.getTime()));
  const last = Math.max(...attempts.map(({ endedAt }) => endedAt.getTime()));
  return { ready, sideBySide: (last - first) / 1000 };
}

/** That many bare encodes of the clip at once, each of one thread and held to what a worker is. */
async function bareSeconds(processes: number, shares: readonly CpuShare[] | null): Promise<number> {
  const began = performance.now();
  const encode = ["-threads", "1", "-i", BIG_BUCK_BUNNY_480, "-an", "-c:v", "libx264", "-preset", "veryfast"];
  const args = [ffmpeg, "-v", "error", "-nostdin", ...encode, "-threads", "1", "-f", "null", "-"];
  const held = (index: number): string[] =>
    shares === null ? ["taskset", "--cpu-list", String(index), ...args] : shares[index]!.entered(args);
  const run = async (_: unknown, index: number) => {
    const [program = "", ...rest] = held(index);
    await timed(program, rest);
  };
  await Promise.all(Array.from({ length: processes }, run));
  return (performance.now() - began) / 1000;
}
