import type { TaskKind } from "../core/records/task.ts";
import { startProduct } from "../test/rig/product.ts";
import { ownCpuSeconds, timed } from "./cpu.ts";
import { filmToEncode } from "./encode-films.ts";
import { finishedTasks, follow } from "./follow.ts";
import { figure, median, printTable } from "./table.ts";

/**
 * What is spent beside the encode of a film, 30 s or those some times over: probe, inspection, images and packaging,
 * each in CPU seconds and as a share of the encode's; what decoding the master once more would cost; and how long each kind of
 * task takes by the clock. `node bench/inspect.ts [repetitions] [loops] [p24|p60|camera|master|hard|FILE]`
 */

const repetitions = Number(process.argv[2] ?? 2);
const loops = Number(process.argv[3] ?? 1);
const { name: filmName, path: film } = await filmToEncode(process.argv[4] ?? "p24", loops);
const ENCODING: readonly TaskKind[] = ["video", "audio"];
const ffmpeg = process.env.MATINEE_FFMPEG_PATH || "ffmpeg";

/** CPU seconds of the programs that each kind of task ran, and of the worker itself. */
const spent = new Map<string, number[]>();
const add = (name: string, seconds: number): void => {
  spent.set(name, [...(spent.get(name) ?? []), seconds]);
};
/** Of each task, from its claim to its end. */
const took = new Map<TaskKind, number[]>();

const product = await startProduct({ workers: 1, slots: 2 });
try {
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const [worker] = product.workers;
    const before = ownCpuSeconds(worker!.pid!);
    const assetId = await product.uploadFile(film);
    await follow(product, assetId, ({ state }) => state === "ready");
    add("worker", ownCpuSeconds(worker!.pid!) - before);
    const byKind = new Map<TaskKind, number>();
    for (const { kind, attempts } of await finishedTasks(product, assetId)) {
      const seconds = attempts.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
      byKind.set(kind, (byKind.get(kind) ?? 0) + seconds);
      const wall = attempts.map(({ startedAt, endedAt }) => (endedAt.getTime() - startedAt.getTime()) / 1000);
      took.set(kind, [...(took.get(kind) ?? []), ...wall]);
    }
    for (const [kind, seconds] of byKind) add(kind, seconds);
    const decode = ["-v", "error", "-nostdin", "-threads", "1", "-i", film, "-map", "0:v"];
    add("one more decode", (await timed(ffmpeg, [...decode, "-f", "null", "-"])).cpuSeconds);
  }
  print();
} finally {
  await product.stop();
}

function print(): void {
  const middle = (name: string): number => median(spent.get(name) ?? [0]);
  const encode = ENCODING.reduce((sum, kind) => sum + middle(kind), 0);
  const row = (name: string, seconds: number): string[] => [
    name,
    figure(seconds),
    `${figure((100 * seconds) / encode, 1)} %`,
  ];
  const beside = [...spent.keys()].filter(
    (name) => !ENCODING.includes(name as TaskKind) && name !== "worker" && name !== "one more decode",
  );
  const programs = beside.reduce((sum, name) => sum + middle(name), 0);
  printTable(
    [filmName, "CPU s (median)", "÷ encode"],
    [
      row("the encode: picture and sound", encode),
      ...beside.map((name) => row(name, middle(name))),
      row("the worker itself, all its tasks", middle("worker")),
      row("all beside the encode", programs + middle("worker")),
      row("for comparison: the master decoded once more", middle("one more decode")),
    ],
  );
  printTable(
    ["task", "how many", "wall s (median)", "longest"],
    [...took].map(([kind, walls]) => [
      kind,
      String(walls.length / repetitions),
      figure(median(walls), 1),
      figure(Math.max(...walls), 1),
    ]),
  );
}
