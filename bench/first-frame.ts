import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BIG_BUCK_BUNNY } from "../test/rig/media.ts";
import { startProduct } from "../test/rig/product.ts";
import { timed } from "./cpu.ts";
import { follow } from "./follow.ts";
import { figure, median, printTable } from "./table.ts";

/**
 * How long a content team waits: from the answer to `complete` until the asset says it is playable, beside a bare
 * ffmpeg that makes the first 6 s segment of one rung (360p) from the same file. `node bench/first-frame.ts [repetitions]`
 */

const repetitions = Number(process.argv[2] ?? 2);
const ffmpeg = process.env.MATINEE_FFMPEG_PATH || "ffmpeg";
const product = await startProduct({ workers: 1, slots: 2 });
const folder = await mkdtemp(join(tmpdir(), "matinee-bench-out-"));
const playable: number[] = [];
const probed: number[] = [];
const bare: number[] = [];

try {
  for (let repetition = 0; repetition < repetitions; repetition++) {
    bare.push(await firstSegment());
    const assetId = await product.uploadFile(BIG_BUCK_BUNNY);
    const began = performance.now();
    const since = () => (performance.now() - began) / 1000;
    await follow(product, assetId, ({ plan }) => plan !== null);
    probed.push(since());
    // What the API calls playable: a published package.
    await follow(product, assetId, ({ published }) => published !== null);
    playable.push(since());
  }
  const base = median(bare);
  const row = (name: string, seconds: number[]) => [
    name,
    figure(median(seconds), 1),
    seconds.map((one) => figure(one, 1)).join(", "),
    figure(median(seconds) / base, 1),
  ];
  printTable(
    ["30 s of 1080p24", "wall s (median)", "each run", "÷ bare ffmpeg"],
    [
      row("bare ffmpeg: first 6 s in 360p", bare),
      row("Matinee: the plan is decided", probed),
      row("Matinee: playable", playable),
    ],
  );
} finally {
  await product.stop();
  await rm(folder, { recursive: true, force: true });
}

async function firstSegment(): Promise<number> {
  const { wallSeconds } = await timed(ffmpeg, [
    ...["-v", "error", "-nostdin", "-y", "-t", "6", "-i", BIG_BUCK_BUNNY, "-an"],
    ...["-vf", "scale=640:360:flags=bicubic,format=yuv420p", "-c:v", "libx264", "-preset", "veryfast"],
    ...["-crf", "23", "-maxrate", "900k", "-bufsize", "900k", "-movflags", "+frag_keyframe+empty_moov"],
    join(folder, "first.mp4"),
  ]);
  return wallSeconds;
}
