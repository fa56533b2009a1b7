import { createHash } from "node:crypto";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { segmentName } from "../core/keys.ts";
import { buildPlan, DEFAULT_PLAN_SETTINGS } from "../core/plan.ts";
import { type Preview, previewOf, unitSeconds } from "../core/preview.ts";
import { segmentCount } from "../core/timeline.ts";
import { launcherForTest, probeFile } from "../test/rig/launcher.ts";
import { type Product, startProduct } from "../test/rig/product.ts";
import { bareEncoder } from "./bare-encode.ts";
import { timed } from "./cpu.ts";
import { inContainer, longFilm } from "./encode-films.ts";
import { follow } from "./follow.ts";
import { figure, median, printTable } from "./table.ts";

/**
 * How long a content team waits for the first picture of a long film: from the answer to `complete` until the first cell
 * of its preview has come from the edge, beside a bare ffmpeg that makes the same two seconds, in the preview's size and settings, from the
 * same local file. `node bench/first-frame.ts [repetitions] [minutes,minutes…] [p24|p60|camera|hard] [mp4|mkv|ts]`
 */

const repetitions = Number(process.argv[2] ?? 2);
const lengths = (process.argv[3] ?? "10,60").split(",").map(Number);
const word = process.argv[4] ?? "p24";
const container = process.argv[5] ?? "mp4";
const ffmpeg = process.env.MATINEE_FFMPEG_PATH || "ffmpeg";
const launcher = await launcherForTest();
const product = await startProduct({ workers: 1, slots: 2 });
const folder = await mkdtemp(join(tmpdir(), "matinee-bench-out-"));

interface Measured {
  minutes: number;
  name: string;
  bare: number[];
  planned: number[];
  playable: number[];
  firstCell: number[];
  middleCell: number[];
}

try {
  const all: Measured[] = [];
  for (const minutes of lengths) all.push(await measure(minutes));
  const rows = all.flatMap(({ name, bare, ...ours }) => {
    const row = (what: string, seconds: number[]) => [
      name,
      what,
      figure(median(seconds), 1),
      seconds.map((one) => figure(one, 1)).join(", "),
      figure(median(seconds) / median(bare), 1),
    ];
    return [
      row("bare ffmpeg: the first cell", bare),
      row("the plan is decided", ours.planned),
      row("the asset says it is playable", ours.playable),
      row("the first cell has come from the edge", ours.firstCell),
      row("after that: a cell of the middle", ours.middleCell),
    ];
  });
  printTable(["film", "", "wall s (median)", "each run", "÷ bare ffmpeg"], rows);
  const [short, long] = [all[0]!, all.at(-1)!];
  const growth = figure(median(long.firstCell) / median(short.firstCell));
  process.stdout.write(`${long.minutes} min ÷ ${short.minutes} min: ${growth}\n`);
} finally {
  await product.stop();
  await rm(folder, { recursive: true, force: true });
}

async function measure(minutes: number): Promise<Measured> {
  const { name, path: mp4 } = await longFilm(word, minutes, folder);
  const file = await inContainer(mp4, container);
  if (file !== mp4) await rm(mp4);
  const preview = await previewOfFile(file);
  const cellUrl = (cell: number, base: string): URL =>
    new URL(`video/${preview.rung.id}/${segmentName(cell)}`, base);
  const none = { bare: [], planned: [], playable: [], firstCell: [], middleCell: [] };
  const measured: Measured = { minutes, name, ...none };
  for (let repetition = 0; repetition < repetitions; repetition++) {
    measured.bare.push(await firstCellByHand(file, preview));
    const assetId = await upload(product, file);
    const began = performance.now();
    const since = (from = began) => (performance.now() - from) / 1000;
    await follow(product, assetId, ({ plan }) => plan !== null);
    measured.planned.push(since());
    await follow(product, assetId, ({ preview }) => preview !== undefined);
    measured.playable.push(since());
    const { body } = await product.call("POST", `/v1/assets/${assetId}/preview`);
    await get(cellUrl(0, body.manifestUrl));
    measured.firstCell.push(since());
    const sought = performance.now();
    const middle = (segmentCount(preview.plan.timeline) >> 1) + repetition;
    await get(cellUrl(middle, body.manifestUrl));
    measured.middleCell.push(since(sought));
    await product.call("POST", `/v1/assets/${assetId}/cancel`, {});
  }
  await rm(file);
  return measured;
}

/** As a player asks: again where it is told to. */
async function get(url: URL): Promise<void> {
  for (;;) {
    const answer = await fetch(url);
    await answer.arrayBuffer();
    if (answer.status === 200) return;
    if (answer.status !== 503) throw new Error(`${answer.status} ${url.pathname}`);
  }
}

/** What the product will make of it to look in: its cells and the one rung. */
async function previewOfFile(file: string): Promise<Preview> {
  const source = await probeFile(launcher, file);
  return previewOf(buildPlan(source, DEFAULT_PLAN_SETTINGS, launcher.build), source);
}

async function firstCellByHand(file: string, preview: Preview): Promise<number> {
  const { plan, rung } = preview;
  const seconds = String(unitSeconds(preview, plan.chunks[0]!));
  const { wallSeconds } = await timed(ffmpeg, [
    ...["-v", "error", "-nostdin", "-y", "-threads", "1", "-t", seconds, "-i", file, "-an"],
    ...["-vf", `scale=${rung.width}:${rung.height}:flags=bicubic,format=yuv420p`],
    ...[...bareEncoder(plan, rung), "-threads", "1", join(folder, "first.mp4")],
  ]);
  return wallSeconds;
}

/** As the rig's, from the file part by part: an hour does not fit into one buffer. */
async function upload({ call }: Product, path: string): Promise<string> {
  const file = await open(path);
  try {
    const { size: sizeBytes } = await file.stat();
    const opened = await call("POST", "/v1/uploads", { filename: "film.mp4", sizeBytes });
    const { id, assetId, partSizeBytes, partCount } = opened.body;
    for (let partNumber = 1; partNumber <= partCount; partNumber++) {
      const start = (partNumber - 1) * partSizeBytes;
      const part = Buffer.alloc(Math.min(partSizeBytes, sizeBytes - start));
      await file.read(part, 0, part.length, start);
      const sha256 = createHash("sha256").update(part).digest("base64");
      const signed = await call("POST", `/v1/uploads/${id}/parts`, { parts: [{ partNumber, sha256 }] });
      const { url, headers } = signed.body.parts[0]!;
      const put = await fetch(url, { method: "PUT", headers, body: part });
      if (!put.ok) throw new Error(`part refused: ${put.status}`);
    }
    const completed = await call("POST", `/v1/uploads/${id}/complete`, {});
    if (completed.status !== 202) throw new Error(`not completed: ${completed.status}`);
    return assetId;
  } finally {
    await file.close();
  }
}
