import { readFile } from "node:fs/promises";
import { titleEvidence } from "../core/ladder-evidence.ts";
import type { AssetRecord } from "../core/records/asset.ts";
import type { TaskKind } from "../core/records/task.ts";
import { BIG_BUCK_BUNNY, looped } from "../test/rig/media.ts";
import { type Product, startProduct } from "../test/rig/product.ts";
import { follow } from "./follow.ts";
import { mediaTools } from "./media-tools.ts";
import { figure, printTable } from "./table.ts";

/**
 * One film through the whole pipeline: what its analysis costs beside its encode, which rungs it gets, what was foretold of
 * each and what came out. `node bench/per-title.ts [FILE]`; without one, Big Buck Bunny in 1080p24, looped to 90 s.
 */

const LOOPS = 3;
/** The encode, by the ledger's kinds. */
const ENCODING: readonly TaskKind[] = ["video", "audio"];

const environment = { ...mediaTools(), MATINEE_VMAF: process.env.MATINEE_VMAF || "sample" };
const product = await startProduct({ workers: 1, slots: 2, environment });
try {
  const bytes = await readFile(process.argv[2] ?? (await looped(BIG_BUCK_BUNNY, LOOPS)));
  const assetId = await product.upload(bytes, { encoding: { codecs: ["h264"], ladder: "title" } });
  await follow(product, assetId, ({ state }) => state === "ready");
  await printShare(product, assetId);
  printRungs((await product.library.assets.findOne({ _id: assetId }))!);
} finally {
  await product.stop();
}

async function printShare({ library }: Product, assetId: string): Promise<void> {
  const tasks = await library.tasks.find({ assetId }).toArray();
  const secondsOf = (wanted: (kind: TaskKind) => boolean): number =>
    tasks
      .filter(({ kind }) => wanted(kind))
      .flatMap(({ attempts }) => attempts)
      .reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  const encode = secondsOf((kind) => ENCODING.includes(kind));
  const analysis = secondsOf((kind) => kind === "analyse");
  process.stdout.write(
    `analysis ${figure(analysis, 1)} CPU s, encode ${figure(encode, 1)} CPU s: ${figure((100 * analysis) / encode, 1)} %\n`,
  );
}

function printRungs(asset: AssetRecord): void {
  for (const { id, metric, rungs } of titleEvidence(asset)?.ladders ?? []) {
    const rows = rungs.map(({ id: rung, width, height, predicted, averageBps, savedBytes }) => {
      const made = asset.renditions.find((one) => one.id === rung);
      const measured = made?.sampledQuality ?? made?.quality;
      return [
        `${rung} ${width}×${height}`,
        kilobits(predicted?.averageBps),
        kilobits(averageBps),
        kilobits(made?.peakBps),
        `${predicted?.score ?? "–"}`,
        measured ? `${measured.mean} / ${measured.p5} / ${measured.worst?.value} (${measured.metric})` : "–",
        savedBytes === null ? "–" : `${figure(savedBytes / 1e6, 1)} MB`,
      ];
    });
    const head = ["rung", "foretold kbit/s", "made", "peak", `foretold ${metric ?? ""}`];
    printTable(
      [`${id}: ${head[0]}`, ...head.slice(1), "mean / p5 / worst", "saved of the fixed table"],
      rows,
    );
  }
}

function kilobits(bitsPerSecond: number | null | undefined): string {
  return bitsPerSecond == null ? "–" : String(Math.round(bitsPerSecond / 1000));
}
