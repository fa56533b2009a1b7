import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import type { Browser } from "playwright-core";
import type { AssetRecord } from "../../core/records/asset.ts";
import { launchBrowser } from "../e2e/browser.ts";
import { made } from "../rig/media.ts";
import { numbered, readNumbers } from "../rig/numbered.ts";
import { eventually } from "../rig/processes.ts";
import { type Product, startProduct } from "../rig/product.ts";
import type { ScriptedWindow } from "../rig/scripted-window.ts";

const run = promisify(execFile);
const SIZE = { width: 80, height: 44 };
const FRAMES = 3_000;
const FRAMES_PER_CELL = 50;
const CELLS = FRAMES / FRAMES_PER_CELL;
/** Frames say their number in ten bits. */
const NUMBERS = 1_024;

let product: Product;
let browser: Browser;
let folder: string;

before(async () => {
  browser = await launchBrowser();
  product = await startProduct({ workers: 1, slots: 1 });
  folder = await mkdtemp(join(tmpdir(), "matinee-preview-"));
});
after(async () => {
  await browser.close();
  await product.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Two minutes in which every frame says its number and one tone never stops. */
function film(frames: number): Promise<string> {
  return made("mp4", [
    ...numbered({ frames, size: `${SIZE.width}x${SIZE.height}` }),
    ...["-f", "lavfi", "-i", `sine=frequency=440:sample_rate=48000:duration=${frames / 25}`],
    ...["-c:v", "libx264", "-preset", "ultrafast", "-qp", "18", "-g", "110", "-pix_fmt", "yuv420p"],
    ...["-c:a", "aac", "-b:a", "192k", "-ac", "2", "{out}"],
  ]);
}

const isPreviewed = ({ preview, generation }: AssetRecord): boolean =>
  preview !== undefined && preview === generation;

/** An asset of the film that nobody encodes to its end: it stays unready for as long as the test looks. */
async function heldBack(path: string): Promise<string> {
  for (;;) {
    const assetId = await product.uploadFile(path);
    const { plan } = await product.until(assetId, (asset) => asset.plan !== null);
    const chunks = { assetId, kind: "video" } as const;
    // They are put on record after the plan.
    await eventually("all its chunks on record", 60, async () => {
      const there = await product.library.tasks.countDocuments(chunks);
      return there === plan!.chunks.length || null;
    });
    const notBefore = new Date(Date.now() + 3_600_000);
    await product.library.tasks.updateMany(chunks, { $set: { notBefore } });
    const held = await product.library.tasks.countDocuments({ ...chunks, state: "todo" });
    // Where this process stood still meanwhile, none may be left to hold.
    if (held > 0) return assetId;
  }
}

async function open(assetId: string): Promise<(path: string) => string> {
  const { status, body } = await product.call("POST", `/v1/assets/${assetId}/preview`);
  assert.equal(status, 201, JSON.stringify(body));
  return (path) => new URL(path, body.manifestUrl).href;
}

async function get(url: string): Promise<Buffer> {
  // As a player does: an answer that says "not yet" is asked for again.
  for (;;) {
    const answer = await fetch(url);
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (answer.status === 200) return bytes;
    assert.equal(answer.status, 503, `${new URL(url).pathname}: ${bytes}`);
    assert.equal(JSON.parse(bytes.toString()).code, "preview_not_ready");
    assert.ok(Number(answer.headers.get("retry-after")) > 0);
  }
}

const cellName = (cell: number): string => `${String(cell).padStart(5, "0")}.m4s`;

async function joinedCells(at: (path: string) => string, track: string, cells: number[]): Promise<string> {
  const parts = [await get(at(`${track}/init.mp4`))];
  for (const cell of cells) parts.push(await get(at(`${track}/${cellName(cell)}`)));
  const file = join(folder, `${track.replace("/", "-")}-${cells[0]}.mp4`);
  await writeFile(file, Buffer.concat(parts));
  return file;
}

test("a film can be looked at, and sought in, before it is ready", async () => {
  const assetId = await heldBack(await film(FRAMES));
  await product.until(assetId, isPreviewed);
  const seen = await product.call("GET", `/v1/assets/${assetId}`);
  assert.equal(seen.body.progress.playable, true);
  assert.equal(seen.body.state, "encoding");

  const at = await open(assetId);
  const manifest = (await get(at("main.m3u8"))).toString();
  assert.match(manifest, /CODECS="avc1\.[0-9A-F]+,mp4a\.40\.2",RESOLUTION=80x44,FRAME-RATE=25\.000/i);
  const media = (await get(at("video/360p/media.m3u8"))).toString();
  assert.match(media, /#EXT-X-PLAYLIST-TYPE:VOD/);
  assert.match(media, /#EXT-X-ENDLIST/);
  assert.equal(media.match(/\.m4s/g)?.length, CELLS);

  const wanted = [41, 42, 43, 44];
  const { numbers } = await readNumbers(await joinedCells(at, "video/360p", wanted), SIZE.width, SIZE.height);
  const first = wanted[0]! * FRAMES_PER_CELL;
  assert.deepEqual(
    numbers,
    Array.from({ length: wanted.length * FRAMES_PER_CELL }, (_, index) => (first + index) % NUMBERS),
  );
  const { numbers: last } = await readNumbers(
    await joinedCells(at, "video/360p", [CELLS - 1]),
    SIZE.width,
    SIZE.height,
  );
  assert.equal(last.at(-1), (FRAMES - 1) % NUMBERS);
  assert.equal((await product.library.assets.findOne({ _id: assetId }))?.state, "encoding");

  const beyond = await fetch(at(`video/360p/${cellName(CELLS)}`));
  assert.equal(beyond.status, 404);
  await assertTone(await joinedCells(at, "audio/a0", [0, 1, 2, 3, 4, 5, 6, 7]), 0);
  await assertTone(await joinedCells(at, "audio/a0", [39, 40, 41, 42, 43, 44]), 39 * 2);
  await assertPlays(at("main.m3u8"), 60);
  assert.equal((await product.library.assets.findOne({ _id: assetId }))?.state, "encoding");
  await product.call("POST", `/v1/assets/${assetId}/cancel`, {});
});

/** hls.js plays the beginning, then from a place of which nothing is there yet. */
async function assertPlays(manifestUrl: string, soughtSeconds: number): Promise<void> {
  const context = await browser.newContext({ bypassCSP: true });
  const page = await context.newPage();
  // An origin that the edge admits.
  await page.goto(`${product.apiUrl}/healthz`);
  await page.setContent("<video muted></video>");
  await page.addScriptTag({ path: createRequire(import.meta.url).resolve("hls.js/dist/hls.js") });
  const played = await page.evaluate(
    async ([url, seek]) => {
      const video = document.querySelector("video")!;
      const { Hls } = window as unknown as ScriptedWindow;
      const hls = new Hls();
      const failed = new Promise<never>((_, reject) =>
        hls.on(Hls.Events.ERROR, (_: unknown, error: { fatal: boolean; details: string }) => {
          if (error.fatal) reject(new Error(error.details));
        }),
      );
      const reached = (seconds: number) =>
        new Promise<void>((resolve) =>
          video.addEventListener("timeupdate", () => {
            if (video.currentTime > seconds) resolve();
          }),
        );
      const began = reached(1);
      hls.loadSource(url);
      hls.attachMedia(video);
      await video.play();
      await Promise.race([began, failed]);
      const before = video.getVideoPlaybackQuality().totalVideoFrames;
      const moved = reached(seek + 1);
      video.currentTime = seek;
      await Promise.race([moved, failed]);
      return {
        duration: video.duration,
        height: video.videoHeight,
        before,
        after: video.getVideoPlaybackQuality().totalVideoFrames,
      };
    },
    [manifestUrl, soughtSeconds] as const,
  );
  await context.close();
  assert.equal(Math.round(played.duration), FRAMES / 25);
  assert.equal(played.height, SIZE.height);
  assert.ok(played.before > 5 && played.after > played.before, JSON.stringify(played));
}

/** One tone without a break, in time with the film's: what stands out of it would be a click. */
async function assertTone(file: string, startSeconds: number): Promise<void> {
  const { stdout } = await run(
    "ffmpeg",
    ["-v", "error", "-i", file, "-ac", "1", "-ar", "48000", "-f", "f32le", "-"],
    { encoding: "buffer", maxBuffer: 64 * 2 ** 20 },
  );
  const samples = new Float32Array(stdout.buffer, stdout.byteOffset, stdout.byteLength >> 2);
  const turn = (2 * Math.PI * 440) / 48_000;
  // The first frame lacks the one before it, in a package too.
  const quiet = 2_048;
  const heard = samples.subarray(quiet);
  const amplitude = Math.sqrt((2 * heard.reduce((sum, value) => sum + value * value, 0)) / heard.length);
  assert.ok(amplitude > 0.05, `amplitude ${amplitude}`);
  let worst = { at: 0, by: 0 };
  for (let at = 1; at < heard.length - 1_024; at++) {
    const by = Math.abs(heard[at + 1]! + heard[at - 1]! - 2 * Math.cos(turn) * heard[at]!) / amplitude;
    if (by > worst.by) worst = { at, by };
  }
  assert.ok(worst.by < 0.02, `a break of ${worst.by} at sample ${worst.at + quiet}`);
  // The nearest AAC frame to the cell's beginning, on the film's clock.
  const startSample = Math.round((startSeconds * 48_000) / 1_024) * 1_024;
  let off = 0;
  for (let at = 0; at < 48_000; at++)
    off = Math.max(off, Math.abs(heard[at]! / amplitude - Math.sin(turn * (startSample + quiet + at))));
  // One sample beside it would be 0.06; half a frame of AAC, 2.
  assert.ok(off < 0.1, `${off} beside the film's tone`);
}

test("a preview that somebody looks at goes on when the film is ready, and is no part of it", async () => {
  const assetId = await product.uploadFile(await film(800));
  await product.until(assetId, isPreviewed);
  const at = await open(assetId);
  const { generation, published } = await product.until(assetId, ({ state }) => state === "ready");
  assert.equal(published?.generation, generation);
  const { numbers } = await readNumbers(
    await joinedCells(at, "video/360p", [13, 14]),
    SIZE.width,
    SIZE.height,
  );
  assert.deepEqual(
    numbers,
    Array.from({ length: 100 }, (_, index) => 650 + index),
  );
  const { body } = await product.call("POST", `/v1/assets/${assetId}/preview`);
  assert.doesNotMatch(body.manifestUrl, /\/preview\//);
});

test("editors look at any part of a film that is still being made and was taken from viewers", async () => {
  const assetId = await heldBack(await film(801));
  await product.until(assetId, isPreviewed);
  const { body } = await product.call("POST", "/v1/titles", { name: "Taken down", assetId });
  for (const step of ["publish", "unpublish"])
    assert.equal((await product.call("POST", `/v1/titles/${body.id}/${step}`, {})).status, 200);
  const at = await open(assetId);
  await eventually("a part that nobody had made", 300, async () => {
    const answer = await fetch(at(`video/360p/${cellName(14)}`));
    await answer.arrayBuffer();
    return answer.ok || null;
  });
  assert.equal((await product.library.assets.findOne({ _id: assetId }))?.state, "encoding");
});
