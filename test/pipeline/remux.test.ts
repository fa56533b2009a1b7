import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { readBoxes } from "../../core/box-reader.ts";
import type { RemuxChoice } from "../../core/encoding.ts";
import { buildPlan, DEFAULT_PLAN_SETTINGS } from "../../core/plan.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import { readSampleTables } from "../../core/sample-table.ts";
import type { PinnedSource } from "../../core/source.ts";
import { findConformance } from "../../stores/library/conformance.ts";
import { describeMaster } from "../../transcoder/describe-master.ts";
import { openScratch } from "../../transcoder/scratch.ts";
import { launcherForTest } from "../rig/launcher.ts";
import { made } from "../rig/media.ts";
import { openStorage, readPackage, withPackageFolder } from "../rig/package.ts";
import { type Product, startProduct } from "../rig/product.ts";

/** A master that is already what its top rung would be is cut and not encoded; any other is encoded. */

const run = promisify(execFile);
let product: Product;
before(async () => {
  product = await startProduct({ workers: 1, slots: 2 });
});
after(() => product.stop());

interface Coding {
  x264?: string;
  gop?: number;
  profile?: string;
  rate?: string;
  extra?: readonly string[];
  seconds?: number;
}

/** 22 s at 25 frames a second: two chunks of it, a short last segment, groups of two seconds, reordered pictures. */
function master(coding: Coding = {}): Promise<string> {
  const { x264 = "", gop = 50, profile = "high", rate = "600k", extra = [], seconds = 22 } = coding;
  const params = `keyint=${gop}:min-keyint=${gop}:scenecut=0:open-gop=0:bframes=3:b-adapt=0${x264}`;
  return made("mp4", [
    ...["-f", "lavfi", "-i", `testsrc2=size=640x360:rate=25:duration=${seconds}`],
    ...["-f", "lavfi", "-i", `sine=frequency=440:sample_rate=48000:duration=${seconds}`],
    ...["-c:v", "libx264", "-preset", "veryfast", "-profile:v", profile, "-pix_fmt", "yuv420p"],
    ...["-b:v", rate, "-maxrate", rate, "-bufsize", rate, "-x264-params", params, ...extra],
    ...["-c:a", "aac", "-b:a", "96k", "{out}"],
  ]);
}

async function publish(path: string, remux: RemuxChoice): Promise<AssetRecord> {
  const assetId = await product.upload(await readFile(path), { encoding: { codecs: ["h264"], remux } });
  const asset = await product.until(assetId, ({ state }) => state === "ready" || state === "failed", 900);
  assert.equal(asset.state, "ready", `${asset.error?.code}: ${asset.error?.message}`);
  return asset;
}

/** Size and digest of every packet, as coded and in the order of decoding, or of every picture. */
async function framesOf(path: string, how: readonly string[]): Promise<string[]> {
  const args = ["-v", "error", "-i", path, "-map", "0:v", ...how, "-f", "framemd5", "-"];
  const { stdout } = await run("ffmpeg", args, { maxBuffer: 1e8 });
  const lines = stdout.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return lines.map((line) => line.split(",").slice(4).join(","));
}

async function failedRules(asset: AssetRecord): Promise<string[]> {
  const report = await findConformance(product.library, asset._id, asset.published!.generation);
  return report!.results.filter(({ verdict }) => verdict === "fail").map(({ rule }) => rule);
}

test("what conforms is the top rung, packet for packet; by policy it is encoded all the same", async () => {
  const path = await master();
  const copied = await publish(path, "auto");
  assert.equal(copied.plan!.chunks.length, 2);
  const [top] = copied.plan!.ladders[0]!.rungs;
  assert.equal(top?.isCopied, true);
  const files = await readPackage(product, copied);
  const names = [...files.keys()].filter(
    (name) => name.startsWith(`video/${top.id}/`) && name.endsWith(".m4s"),
  );
  const film = [`video/${top.id}/init.mp4`, ...names.sort()].map((name) => files.get(name)!);
  await withPackageFolder(new Map([["film.mp4", Buffer.concat(film)]]), async (folder) => {
    for (const how of [["-c", "copy"], []]) {
      const frames = await framesOf(`${folder}/film.mp4`, how);
      assert.equal(frames.length, 550);
      assert.deepEqual(frames, await framesOf(path, how));
    }
  });
  const view = (await product.call("GET", `/v1/assets/${copied._id}`)).body;
  const rungs = view.renditions.filter(({ kind }) => kind === "video");
  assert.deepEqual(
    rungs.map(({ isCopied, quality }) => [isCopied ?? false, quality !== undefined]),
    rungs.map((_: unknown, index: number) => [index === 0, index > 0]),
    "what is copied is told of and not scored",
  );

  const encoded = await publish(path, "never");
  assert.equal(encoded.plan!.ladders[0]!.rungs[0]!.isCopied, undefined);
  assert.notEqual(encoded.generation, copied.generation);
  assert.deepEqual(await failedRules(copied), await failedRules(encoded), "no rule is broken by copying");
  const pictures = async (asset: AssetRecord): Promise<number> => {
    const tasks = await product.library.tasks.find({ assetId: asset._id, kind: "video" }).toArray();
    return tasks.flatMap(({ attempts }) => attempts).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  };
  const [less, more] = [await pictures(copied), await pictures(encoded)];
  assert.ok(less < more, `copied ${less} CPU s, encoded ${more}`);
});

const NO_IDR: Coding = {};

/** The same with a picture at a border that is none to enter at, though the table says so: another type of NAL unit. */
function withoutIdr(bytes: Buffer): Buffer {
  const moov = readBoxes(bytes).find(({ type }) => type === "moov")!;
  const [picture] = readSampleTables(bytes.subarray(moov.start, moov.end))!;
  const header = picture!.offsets[150]! + 4;
  assert.equal(bytes[header], 0x65);
  bytes[header] = 0x61;
  return bytes;
}

const CASES: [name: string, coding: Coding, isCopied: boolean][] = [
  ["what conforms", {}, true],
  [
    "index first, another clock",
    { extra: ["-movflags", "+faststart", "-video_track_timescale", "30011"] },
    true,
  ],
  ["open groups", { x264: ":open-gop=1" }, false],
  ["keyframes off the grid", { gop: 60 }, false],
  ["groups as long as a segment", { gop: 150 }, false],
  ["more bits than the rung may have", { rate: "1500k" }, false],
  ["another profile", { profile: "main" }, false],
  ["a level that it does not need", { extra: ["-level", "5.1"] }, false],
  ["fields", { x264: ":interlaced=1" }, false],
  ["pixels that are not square", { extra: ["-vf", "setsar=4/3"] }, false],
  ["a picture at a border that is no IDR", NO_IDR, false],
  ["full range", { extra: ["-vf", "scale=out_range=full", "-color_range", "pc"] }, false],
];
test("what is not what the top rung would be is encoded", async () => {
  const launcher = await launcherForTest();
  const directory = await mkdtemp(join(tmpdir(), "matinee-remux-test-"));
  const blobs = openStorage(product);
  const scratch = await openScratch({ directory, limitBytes: 2 ** 30, workerId: "w" }, blobs);
  const context = { launcher, scratch, signal: new AbortController().signal, note: () => undefined };
  try {
    for (const [name, coding, isCopied] of CASES) {
      const whole = await readFile(await master({ ...coding, seconds: 7 }));
      const bytes = coding === NO_IDR ? withoutIdr(whole) : whole;
      const key = `t/${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}/source`;
      const { etag } = await blobs.put("sources", key, bytes, { contentType: "video/mp4" });
      const pinned: PinnedSource = { key, etag, sizeBytes: bytes.length, sha256: null };
      const source = await describeMaster(context, pinned);
      const [top] = buildPlan(source, DEFAULT_PLAN_SETTINGS, "build").ladders[0]!.rungs;
      assert.equal(top?.isCopied ?? false, isCopied, name);
    }
  } finally {
    await scratch.close();
    blobs.close();
    await rm(directory, { recursive: true, force: true });
  }
});
