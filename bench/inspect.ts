import type { TaskKind } from "../core/records/task.ts";
import { BIG_BUCK_BUNNY } from "../test/rig/media.ts";
import { startProduct } from "../test/rig/product.ts";
import { ownCpuSeconds, timed } from "./cpu.ts";
import { finishedTasks, follow } from "./follow.ts";
import { figure, median, printTable } from "./table.ts";

/**
 * What is spent beside the encode of 30 s of 1080p24: probe, inspection, images and packaging, each in CPU seconds and
 * as a share of the encode's; and what decoding the master once more would cost. `node bench/inspect.ts [repetitions]`
 */

const repetitions = Number(process.argv[2] ?? 2);
const ENCODING: readonly TaskKind[] = ["video", "audio"];
const ffmpeg = process.env.MATINEE_FFMPEG_PATH || "ffmpeg";

/** CPU seconds of the programs that each kind of task ran, and of the worker itself. */
const spent = new Map<string, number[]>();
const add = (name: string, seconds: number): void => {
  spent.set(name, [...(spent.get(name) ?? []), seconds]);
};

const product = await startProduct({ workers: 1, slots: 2 });
try {
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const [worker] = product.workers;
    const before = ownCpuSeconds(worker!.pid!);
    const assetId = await product.uploadFile(BIG_BUCK_BUNNY);
    await follow(product, assetId, ({ state }) => state === "ready");
    add("worker", ownCpuSeconds(worker!.pid!) - before);
    const byKind = new Map<TaskKind, number>();
    for (const { kind, attempts } of await finishedTasks(product, assetId)) {
      const seconds = attempts.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
      byKind.set(kind, (byKind.get(kind) ?? 0) + seconds);
    }
    for (const [kind, seconds] of byKind) add(kind, seconds);
    const decode = ["-v", "error", "-nostdin", "-threads", "1", "-i", BIG_BUCK_BUNNY, "-map", "0:v"];
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
    ["30 s of 1080p24, five rungs and sound", "CPU s (median)", "÷ encode"],
    [
      row("the encode: picture and sound", encode),
      ...beside.map((name) => row(name, middle(name))),
      row("the worker itself, all its tasks", middle("worker")),
      row("all beside the encode", programs + middle("worker")),
      row("for comparison: the master decoded once more", middle("one more decode")),
    ],
  );
}
