import { readFile } from "node:fs/promises";
import type { RemuxChoice } from "../core/encoding.ts";
import { BIG_BUCK_BUNNY, made } from "../test/rig/media.ts";
import { startProduct } from "../test/rig/product.ts";
import { follow } from "./follow.ts";
import { mediaTools } from "./media-tools.ts";
import { figure, printTable } from "./table.ts";

/**
 * What it saves to send a master on as its own top rung: the pictures of 30 s of Big Buck Bunny in 1080p24, coded as the top rung would
 * be, copied and encoded again. `node bench/remux.ts [repetitions]`.
 */

const repetitions = Number(process.argv[2] ?? 2);
const product = await startProduct({ workers: 1, slots: 2, environment: mediaTools() });
try {
  const bytes = await readFile(await conforming());
  const figures: Record<RemuxChoice, number[]> = { auto: [], never: [] };
  const orders: RemuxChoice[][] = [
    ["auto", "never"],
    ["never", "auto"],
  ];
  for (let repetition = 0; repetition < repetitions; repetition++)
    for (const remux of orders[repetition % 2]!) figures[remux].push(await pictures(bytes, remux));
  const mean = (all: readonly number[]): number => all.reduce((sum, one) => sum + one, 0) / all.length;
  const row = (name: string, all: readonly number[]): string[] => [
    name,
    figure(mean(all), 1),
    all.map((one) => figure(one, 1)).join(", "),
    figure(mean(all) / mean(figures.never)),
  ];
  printTable(
    ["30 s of 1080p24, five rungs", "CPU s of the pictures", "each run", "÷ all encoded"],
    [row("top rung copied", figures.auto), row("all encoded", figures.never)],
  );
} finally {
  await product.stop();
}

/** Closed groups of two seconds under the rung's own cap. */
function conforming(): Promise<string> {
  const params = "keyint=48:min-keyint=48:scenecut=0:open-gop=0";
  return made("mp4", [
    ...["-i", BIG_BUCK_BUNNY, "-map", "0:v", "-map", "0:a", "-c:v", "libx264", "-preset", "veryfast"],
    ...["-profile:v", "high", "-pix_fmt", "yuv420p", "-crf", "22", "-maxrate", "5M", "-bufsize", "5M"],
    ...["-x264-params", params, "-c:a", "copy", "{out}"],
  ]);
}

async function pictures(bytes: Uint8Array, remux: RemuxChoice): Promise<number> {
  const assetId = await product.upload(bytes, { encoding: { codecs: ["h264"], remux } });
  const asset = await follow(product, assetId, ({ state }) => state === "ready");
  const isCopied = asset.plan?.ladders[0]?.rungs[0]?.isCopied === true;
  if (isCopied !== (remux === "auto")) throw new Error(`with ${remux} the top rung is copied: ${isCopied}`);
  const tasks = await product.library.tasks.find({ assetId, kind: "video" }).toArray();
  return tasks.flatMap(({ attempts }) => attempts).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
}
