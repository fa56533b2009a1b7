import type { AttemptRecord, TaskKind } from "../core/records/task.ts";
import { BIG_BUCK_BUNNY_480, looped } from "../test/rig/media.ts";
import { type Product, startProduct } from "../test/rig/product.ts";
import { ownCpuSeconds } from "./cpu.ts";
import { follow } from "./follow.ts";
import { figure, printTable } from "./table.ts";

/**
 * CPU of everything but the encode (probe, sound apart; stills; the worker's own: cutting, hashing, storing, reading back,
 * packaging, judging) beside the encode of the pictures, for a short film and one five times as long.
 * `node bench/images.ts`
 */

const product = await startProduct({ workers: 1, slots: 2 });

try {
  const fiveTimes = await looped(BIG_BUCK_BUNNY_480, 5);
  const rows: string[][] = [];
  for (const [name, path] of [
    ["30 s of 480p24", BIG_BUCK_BUNNY_480],
    ["150 s of 480p24", fiveTimes],
  ] as const)
    rows.push(await measure(product, name, path));
  printTable(
    ["film", "encode CPU s", "probe ÷", "stills ÷", "worker itself ÷", "all but sound ÷ encode"],
    rows,
  );
} finally {
  await product.stop();
}

async function measure(
  { workers, library, ...rest }: Product,
  name: string,
  path: string,
): Promise<string[]> {
  const [worker] = workers;
  const before = ownCpuSeconds(worker!.pid!);
  const assetId = await rest.uploadFile(path);
  await follow({ workers, library, ...rest }, assetId, ({ state }) => state === "ready");
  const own = ownCpuSeconds(worker!.pid!) - before;
  const tasks = await library.tasks.find({ assetId }).toArray();
  const spent = (kind: TaskKind): number =>
    tasks
      .filter((task) => task.kind === kind)
      .flatMap(({ attempts }): AttemptRecord[] => attempts)
      .reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  const encode = spent("video");
  const shares = [spent("probe"), spent("images"), own].map((seconds) => seconds / encode);
  return [
    name,
    figure(encode, 1),
    ...[...shares, shares.reduce((sum, one) => sum + one, 0)].map((one) => figure(one, 3)),
  ];
}
