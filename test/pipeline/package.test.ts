import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { parse } from "hls-parser";
import { blockingFailures, RULES } from "../../core/conformance/check-package.ts";
import { readFragments } from "../../core/fragments.ts";
import { readInit } from "../../core/init-segment.ts";
import { allRungs } from "../../core/plan.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import { findConformance } from "../../stores/library/conformance.ts";
import { checkPackageAt } from "../../transcoder/check-package.ts";
import { BIG_BUCK_BUNNY, flashAndBeep, looped } from "../rig/media.ts";
import { readPackage, withPackageFolder } from "../rig/package.ts";
import { type Product, startProduct } from "../rig/product.ts";

const run = promisify(execFile);
let product: Product;
before(async () => {
  product = await startProduct({ workers: 2, slots: 1 });
});
after(() => product.stop());

const isReady = (asset: AssetRecord): boolean => asset.state === "ready";

/** Every rule that a package must keep whatever the film, read from its bytes. */
function checkPackage(asset: AssetRecord, files: ReadonlyMap<string, Uint8Array>): void {
  const { timeline, audio } = asset.plan!;
  const borders = new Map<string, number[]>();
  const tracks = [
    ...allRungs(asset.plan!).map(({ id }) => `video/${id}/`),
    ...audio.map(({ id }) => `audio/${id}/`),
  ];
  for (const folder of tracks) {
    const { timescale } = readInit(files.get(`${folder}init.mp4`)!);
    let expected = 0;
    let frames = 0;
    const starts: number[] = [];
    for (const [path, bytes] of [...files]
      .filter(([name]) => name.startsWith(folder) && name.endsWith(".m4s"))
      .sort(([a], [b]) => (a < b ? -1 : 1))) {
      starts.push(expected / timescale);
      for (const fragment of readFragments(bytes)) {
        assert.equal(fragment.baseDecodeTime, expected, `${path}: tfdt continuous`);
        assert.ok(fragment.samples[0]!.isSync, `${path}: begins with a keyframe`);
        for (const sample of fragment.samples) expected += sample.durationTicks;
        frames += fragment.samples.length;
      }
    }
    if (folder.startsWith("video/")) {
      assert.equal(frames, timeline.frameCount, `${folder}: every frame once`);
      assert.equal(expected, timeline.frameCount * timeline.ticksPerFrame);
    }
    borders.set(folder, starts);
  }
  const [first, ...others] = [...borders.values()];
  for (const other of others) {
    assert.equal(other.length, first!.length);
    for (const [index, start] of other.entries()) {
      assert.ok(Math.abs(start - first![index]!) <= 512 / 48_000 + 1e-9, "cut at the same instants");
    }
  }
  checkBandwidths(files);
}

/** What the gate said when it let the package out: the report is there, complete, and free of MUST failures. */
async function checkReport(asset: AssetRecord): Promise<void> {
  const { generation } = asset.published!;
  const report = await findConformance(product.library, asset._id, generation);
  assert.deepEqual(
    report?.results.map(({ rule }) => rule),
    RULES.map(({ rule }) => rule),
  );
  assert.deepEqual(blockingFailures(report?.results ?? []), []);
  const answer = await product.call("GET", `/v1/assets/${asset._id}/conformance`);
  assert.equal(answer.status, 200);
  assert.equal(answer.body.generation, generation);
  assert.deepEqual(answer.body.results, report?.results);
  const viewer = await product.call(
    "GET",
    `/v1/assets/${asset._id}/conformance`,
    undefined,
    product.tokens.viewer,
  );
  assert.equal(viewer.status, 403);
}

/** Apple 1.26, 1.27: what the playlist states is within 10 % of what the bytes are. */
function checkBandwidths(files: ReadonlyMap<string, Uint8Array>): void {
  const main = parse(Buffer.from(files.get("main.m3u8")!).toString());
  assert.ok("variants" in main);
  const bytesOf = (folder: string, uri: string): number => files.get(folder + uri)!.length;
  const rates = (uri: string): { average: number; peak: number } => {
    const folder = uri.slice(0, uri.lastIndexOf("/") + 1);
    const playlist = parse(Buffer.from(files.get(uri)!).toString());
    assert.ok("segments" in playlist);
    const sizes = playlist.segments.map((segment) => ({
      bytes: bytesOf(folder, segment.uri),
      seconds: segment.duration,
    }));
    const total = sizes.reduce((sum, one) => sum + one.bytes, 0);
    const seconds = sizes.reduce((sum, one) => sum + one.seconds, 0);
    const long = sizes.filter((one) => one.seconds >= 3);
    return {
      average: (total * 8) / seconds,
      peak: Math.max(...(long.length > 0 ? long : sizes).map((one) => (one.bytes * 8) / one.seconds)),
    };
  };
  for (const variant of main.variants.filter((one) => !one.isIFrameOnly)) {
    const video = rates(variant.uri);
    const sounds = variant.audio.map((one) => rates(one.uri!));
    const average = video.average + Math.max(0, ...sounds.map((one) => one.average));
    const peak = video.peak + Math.max(0, ...sounds.map((one) => one.peak));
    assert.ok(
      Math.abs(variant.averageBandwidth! - average) <= average * 0.1,
      `${variant.uri}: AVERAGE-BANDWIDTH`,
    );
    assert.ok(
      variant.bandwidth >= peak * 0.9 && variant.bandwidth <= peak * 1.1,
      `${variant.uri}: BANDWIDTH`,
    );
  }
}

async function ffprobe(args: string[]): Promise<string> {
  return (
    await run("ffprobe", ["-v", "error", "-allowed_extensions", "ALL", ...args], { maxBuffer: 64 * 2 ** 20 })
  ).stdout.trim();
}

/** Of the real film, what two chunks take: four segments, up to where no frame is shown later than one that is left out. */
const REAL_FRAMES = 506;
const REAL_SECONDS = REAL_FRAMES / 24;

test("a real film: whole, continuous, aligned, as ffmpeg reads it, with I-frames that decode", async () => {
  const path = await looped(BIG_BUCK_BUNNY, 1, 21);
  const asset = await product.until(await product.uploadFile(path), isReady, 240);
  assert.equal(asset.source?.video.frameCount, REAL_FRAMES);
  assert.equal(asset.plan?.chunks.length, 2);
  const files = await readPackage(product, asset);
  checkPackage(asset, files);
  await checkReport(asset);
  await withPackageFolder(files, async (folder) => {
    for (const rung of allRungs(asset.plan!)) {
      const frames = await ffprobe([
        "-count_frames",
        "-select_streams",
        "v:0",
        "-show_entries",
        "stream=nb_read_frames",
        "-of",
        "csv=p=0",
        `${folder}/video/${rung.id}/media.m3u8`,
      ]);
      assert.equal(frames.split("\n")[0]?.replace(/,/g, ""), `${REAL_FRAMES}`, rung.id);
    }
    await checkDash(asset, folder);
    const byHand = await checkPackageAt(folder);
    assert.deepEqual(blockingFailures(byHand), [], "the package in a folder, as npm run check reads it");
    const iFrames = parse(Buffer.from(files.get("video/360p/iframes.m3u8")!).toString());
    assert.ok("segments" in iFrames);
    assert.equal(iFrames.segments.length, Math.ceil(REAL_SECONDS / 2));
    for (const segment of iFrames.segments) {
      const { offset, length } = segment.byterange as { offset: number; length: number };
      const whole = Buffer.concat([
        files.get("video/360p/init.mp4")!,
        files.get(`video/360p/${segment.uri}`)!.subarray(offset, offset + length),
      ]);
      assert.equal(await decodedFrames(whole), 1, `${segment.uri} at ${offset}`);
    }
  });
});

/**
 * Another reader than ours opens the MPD and finds every packet of every representation, and decodes the smallest.
 * One stream at a time: ffmpeg's demuxer ends them all where the first one ends.
 */
async function checkDash(asset: AssetRecord, folder: string): Promise<void> {
  const { audio } = asset.plan!;
  const rungs = allRungs(asset.plan!);
  const count = async (stream: string, what: "frames" | "packets"): Promise<string> => {
    const entries = `stream=width,nb_read_${what}`;
    const args = [`-count_${what}`, "-select_streams", stream, "-show_entries", entries, "-of", "csv=p=0"];
    return (await ffprobe([...args, `${folder}/main.mpd`])).split("\n")[0] ?? "";
  };
  for (const [index, rung] of rungs.entries())
    assert.equal(await count(`v:${index}`, "packets"), `${rung.width},${REAL_FRAMES}`, rung.id);
  const last = rungs.length - 1;
  assert.equal(await count(`v:${last}`, "frames"), `${rungs[last]?.width},${REAL_FRAMES}`);
  const sounds = Math.ceil((REAL_SECONDS * 48_000) / 1024);
  for (const index of audio.keys()) assert.equal(await count(`a:${index}`, "frames"), `${sounds}`);
}

async function decodedFrames(bytes: Buffer): Promise<number> {
  const child = run("ffmpeg", ["-v", "error", "-i", "pipe:0", "-frames:v", "5", "-f", "framemd5", "-"]);
  child.child.stdin?.on("error", () => undefined).end(bytes);
  return (await child).stdout.split("\n").filter((line) => line.startsWith("0,")).length;
}

const FLASHING_SECONDS = 40;
const flashing = (): Promise<string> => flashAndBeep({ seconds: FLASHING_SECONDS, rate: "30000/1001" });
let together: Promise<AssetRecord> | undefined;
/** Made once, by both transcoders. */
function madeTogether(): Promise<AssetRecord> {
  together ??= flashing()
    .then((path) => product.uploadFile(path))
    .then((assetId) => product.until(assetId, isReady));
  return together;
}

test("29.97 frames a second, many chunks: picture and sound meet within 10 ms at every flash", async () => {
  const asset = await madeTogether();
  assert.equal(asset.plan?.chunks.length, 3);
  const files = await readPackage(product, asset);
  checkPackage(asset, files);
  await checkReport(asset);
  const top = allRungs(asset.plan!)[0]!.id;
  const sorted = [...files.keys()].filter((name) => name.endsWith(".m4s")).sort();
  const join = (folder: string): Buffer =>
    Buffer.concat(
      [`${folder}init.mp4`, ...sorted.filter((name) => name.startsWith(folder))].map(
        (name) => files.get(name)!,
      ),
    );
  await withPackageFolder(
    new Map([
      ["v.mp4", join(`video/${top}/`)],
      ["a.mp4", join("audio/a0/")],
    ]),
    async (folder) => {
      // -copyts: the times that stand in the boxes, as a player places them.
      const log = await run(
        "ffmpeg",
        [
          "-v",
          "info",
          "-copyts",
          "-i",
          `${folder}/v.mp4`,
          "-vf",
          "signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-",
          "-f",
          "null",
          "-",
        ],
        { maxBuffer: 64 * 2 ** 20 },
      );
      const flashes = risingEdges(log.stdout);
      const silence = await run(
        "ffmpeg",
        [
          "-v",
          "info",
          "-copyts",
          "-i",
          `${folder}/a.mp4`,
          "-af",
          "silencedetect=n=-30dB:d=0.2",
          "-f",
          "null",
          "-",
        ],
        { maxBuffer: 64 * 2 ** 20 },
      );
      const beeps = [...silence.stderr.matchAll(/silence_end: ([\d.]+)/g)]
        .map((match) => Number(match[1]))
        // The filter also reports the end of the file.
        .filter((time) => time < FLASHING_SECONDS - 0.5);
      assert.ok(beeps.length >= FLASHING_SECONDS - 3, `${beeps.length} beeps`);
      const frame = 1001 / 30_000;
      for (const beep of beeps) {
        const whole = Math.round(beep);
        assert.ok(Math.abs(beep - whole) <= 0.01, `beep at ${beep}`);
        const flash = flashes.find((time) => Math.abs(time - whole) < 0.2);
        // The flash falls on the first frame at or after the second.
        assert.ok(
          flash !== undefined && flash - whole >= -0.001 && flash - whole < frame + 0.001,
          `flash at ${flash} for ${whole}`,
        );
      }
    },
  );
});

/** Times of frames that turn bright, from signalstats' log; ffprobe's view has no edit list, so B-frame delay is taken off. */
function risingEdges(log: string): number[] {
  const frames = [...log.matchAll(/pts_time:([\d.-]+)\n.*YAVG=([\d.]+)/g)].map((match) => ({
    time: Number(match[1]),
    light: Number(match[2]),
  }));
  const start = frames[0]!.time;
  return frames.flatMap(({ time, light }, index) =>
    light > 200 && (frames[index - 1]?.light ?? 0) < 200 ? [time - start] : [],
  );
}

test("two transcoders on one title share its work; one alone makes the same bytes", async () => {
  const bytes = await madeTogether();
  const digest = async (asset: AssetRecord): Promise<string[]> =>
    [...(await readPackage(product, asset))]
      .map(([name, content]) => `${name} ${createHash("sha256").update(content).digest("hex")}`)
      .sort();
  // One may be at the sound for as long as the other needs for all chunks.
  const kind = { $in: ["video", "audio"] as const };
  const tasks = await product.library.tasks.find({ assetId: bytes._id, kind }).toArray();
  assert.equal(new Set(tasks.map((task) => task.worker)).size, 2, "both workers took part");
  const shared = await digest(bytes);
  product.workers[1]!.kill("SIGTERM");
  const alone = await product.until(await product.uploadFile(await flashing()), isReady);
  assert.equal(alone.published?.generation, bytes.published?.generation);
  const own = await digest(alone);
  // What differs, and not sixty lines of what does not.
  assert.deepEqual(
    own.filter((line) => !shared.includes(line)),
    [],
  );
  assert.equal(own.length, shared.length);
});
