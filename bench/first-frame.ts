import { createHash } from "node:crypto";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BIG_BUCK_BUNNY } from "../test/rig/media.ts";
import { type Product, startProduct } from "../test/rig/product.ts";
import { timed } from "./cpu.ts";
import { follow } from "./follow.ts";
import { figure, median, printTable } from "./table.ts";

/**
 * How long a content team waits for the first picture of a long film: from the answer to `complete` until the first cell
 * of its preview has come from the edge, beside a bare ffmpeg that makes the same two seconds from the same local file.
 * `node bench/first-frame.ts [repetitions] [minutes,minutes…]`
 */

const repetitions = Number(process.argv[2] ?? 2);
const lengths = (process.argv[3] ?? "10,60").split(",").map(Number);
const CLIP_SECONDS = 30;
const ffmpeg = process.env.MATINEE_FFMPEG_PATH || "ffmpeg";
const product = await startProduct({ workers: 1, slots: 2 });
const folder = await mkdtemp(join(tmpdir(), "matinee-bench-out-"));

interface Measured {
  minutes: number;
  bare: number[];
  planned: number[];
  playable: number[];
  firstCell: number[];
  middleCell: number[];
}

try {
  const all: Measured[] = [];
  for (const minutes of lengths) all.push(await measure(minutes, await longFilm(minutes)));
  const rows = all.flatMap(({ minutes, bare, ...ours }) => {
    const row = (name: string, seconds: number[]) => [
      `${minutes} min`,
      name,
      figure(median(seconds), 1),
      seconds.map((one) => figure(one, 1)).join(", "),
      figure(median(seconds) / median(bare), 1),
    ];
    return [
      row("bare ffmpeg: first 2 s in 360p", bare),
      row("the plan is decided", ours.planned),
      row("the asset says it is playable", ours.playable),
      row("the first cell has come from the edge", ours.firstCell),
      row("after that: a cell of the middle", ours.middleCell),
    ];
  });
  printTable(["1080p24", "", "wall s (median)", "each run", "÷ bare ffmpeg"], rows);
  const [short, long] = [all[0]!, all.at(-1)!];
  const growth = figure(median(long.firstCell) / median(short.firstCell));
  process.stdout.write(`${long.minutes} min ÷ ${short.minutes} min: ${growth}\n`);
} finally {
  await product.stop();
  await rm(folder, { recursive: true, force: true });
}

async function measure(minutes: number, file: string): Promise<Measured> {
  const measured: Measured = { minutes, bare: [], planned: [], playable: [], firstCell: [], middleCell: [] };
  for (let repetition = 0; repetition < repetitions; repetition++) {
    measured.bare.push(await firstCellByHand(file));
    const assetId = await upload(product, file);
    const began = performance.now();
    const since = (from = began) => (performance.now() - from) / 1000;
    await follow(product, assetId, ({ plan }) => plan !== null);
    measured.planned.push(since());
    await follow(product, assetId, ({ preview }) => preview !== undefined);
    measured.playable.push(since());
    const { body } = await product.call("POST", `/v1/assets/${assetId}/preview`);
    await get(new URL("video/360p/00000.m4s", body.manifestUrl));
    measured.firstCell.push(since());
    const sought = performance.now();
    const middle = String(minutes * 15 + repetition).padStart(5, "0");
    await get(new URL(`video/360p/${middle}.m4s`, body.manifestUrl));
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

/** The clip, over and over, without a new encode. */
async function longFilm(minutes: number): Promise<string> {
  const file = join(folder, `${minutes}.mp4`);
  const loops = String((minutes * 60) / CLIP_SECONDS - 1);
  const copy = ["-i", BIG_BUCK_BUNNY, "-map", "0:v", "-map", "0:a", "-c", "copy", file];
  await timed(ffmpeg, ["-v", "error", "-nostdin", "-y", "-stream_loop", loops, ...copy]);
  return file;
}

async function firstCellByHand(file: string): Promise<number> {
  const { wallSeconds } = await timed(ffmpeg, [
    ...["-v", "error", "-nostdin", "-y", "-threads", "1", "-t", "2", "-i", file, "-an"],
    ...["-vf", "scale=640:360:flags=bicubic,format=yuv420p", "-c:v", "libx264", "-preset", "ultrafast"],
    ...["-threads", "1", "-crf", "23", "-maxrate", "900k", "-bufsize", "900k"],
    ...["-movflags", "+frag_keyframe+empty_moov", join(folder, "first.mp4")],
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
      const { url, headers } = signed.body.parts[0];
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
