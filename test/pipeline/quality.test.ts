import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { allRungs } from "../../core/plan.ts";
import { unpackScores } from "../../core/quality.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import { listenToEncoders } from "../../transcoder/encoder-scores.ts";
import { flashAndBeep } from "../rig/media.ts";
import { readPackage, withPackageFolder } from "../rig/package.ts";
import { type Product, startProduct } from "../rig/product.ts";

const run = promisify(execFile);
const scorer = process.env.MATINEE_VMAF_FFMPEG_PATH;
let product: Product;
let asset: AssetRecord;
let source: string;
before(async () => {
  product = await startProduct({ environment: { MATINEE_VMAF: "sample" } });
  source = await flashAndBeep({ seconds: 13, size: "480x270" });
  asset = await product.until(await product.uploadFile(source), ({ state }) => state === "ready", 300);
});
after(() => product.stop());

test("every picture of every rung is scored, as the SSIM filter scores it", async () => {
  const files = await readPackage(product, asset);
  const { timeline } = asset.plan!;
  await withPackageFolder(files, async (folder) => {
    for (const rung of allRungs(asset.plan!)) {
      const { quality } = asset.renditions.find(({ id }) => id === rung.id)!;
      assert.equal(quality?.metric, "ssim");
      assert.equal(quality?.frames, timeline.frameCount);
      const { stderr } = await run("ffmpeg", [
        ...[
          "-hide_banner",
          "-nostats",
          "-allowed_extensions",
          "ALL",
          "-i",
          `${folder}/video/${rung.id}/media.m3u8`,
        ],
        ...["-i", source, "-filter_complex"],
        `[0:v]settb=1/25,setpts=N[a];[1:v]settb=1/25,setpts=N,scale=480:270,scale=${rung.width}:${rung.height}:flags=bicubic[b];[a][b]ssim`,
        ...["-f", "null", "-"],
      ]);
      const measured = Number(/SSIM Y:([\d.]+)/.exec(stderr)?.[1]);
      assert.ok(
        Math.abs(quality.mean - measured) < 0.01,
        `${rung.id}: ${quality.mean}, the filter ${measured}`,
      );
      assert.ok(quality.p5 <= quality.mean && quality.worst!.value <= quality.mean);
    }
  });
  const answer = await product.call("GET", `/v1/assets/${asset._id}`);
  assert.deepEqual(
    answer.body.renditions.map(({ quality }) => quality),
    asset.renditions.map(({ quality }) => quality),
  );
});

test("scores lie with the cells that they are of", async () => {
  const tasks = await product.library.tasks.find({ assetId: asset._id, kind: "video" }).toArray();
  const { timeline } = asset.plan!;
  // Pictures for seeking lie beside the rungs, and nobody scores those.
  const rungs = new Set(allRungs(asset.plan!).map(({ id }) => id));
  const tracks = tasks.flatMap(({ result }) => result!.tracks.filter(({ trackId }) => rungs.has(trackId)));
  const cells = tracks.flatMap((track) => track.cells);
  assert.ok(cells.length > 0);
  for (const { segment, ssim } of cells) {
    const frames = Math.min(
      timeline.framesPerSegment,
      timeline.frameCount - segment * timeline.framesPerSegment,
    );
    assert.equal(unpackScores(ssim!).length, frames);
  }
});

test("sampled VMAF falls from rung to rung", { skip: !scorer && "no ffmpeg with libvmaf here" }, () => {
  const scores = allRungs(asset.plan!).map(
    ({ id }) => asset.renditions.find((one) => one.id === id)?.sampledQuality,
  );
  for (const score of scores) {
    assert.equal(score?.metric, "vmaf");
    assert.ok(score.mean > 0 && score.mean <= 100, JSON.stringify(score));
  }
  const means = scores.map((score) => score!.mean);
  assert.deepEqual(
    means,
    [...means].sort((a, b) => b - a),
  );
});

test("an encoder is told by the sizes of its frames, and a score is never given to another's file", () => {
  const heard = listenToEncoders();
  const say = (encoder: string, sizes: number[], ssim: number) => {
    for (const [index, size] of sizes.entries())
      assert.ok(
        heard.take(
          `[libx264 @ ${encoder}] [debug] frame=  ${index} QP=21.4 NAL=2 Slice:P Poc:8   I:90  size=${size} bytes SSIM Y:${ssim}`,
        ),
      );
  };
  say("0xa", [900, 20, 30, 40], 0.91);
  say("0xb", [700, 21, 31, 41], 0.82);
  // The first sample also holds x264's notes.
  assert.deepEqual(heard.of([1450, 21, 31, 41]), [0.82, 0.82, 0.82, 0.82]);
  assert.deepEqual(heard.of([1650, 20, 30, 40]), [0.91, 0.91, 0.91, 0.91]);
  assert.equal(heard.of([1650, 22, 32, 42]), null, "nobody's");
  assert.equal(heard.of([900, 20, 30]), null, "frames are missing");
  say("0xc", [900, 20, 30, 40], 0.5);
  assert.equal(heard.of([1650, 20, 30, 40]), null, "two wrote the same sizes");
  assert.equal(heard.take("[h264 @ 0x1] [error] error while decoding MB 3 4"), false);
  assert.equal(heard.take("[debug] frames successfully decoded"), true);
});

test("a picture that is too small for VMAF goes without it, and is published", async () => {
  for (const size of ["64x16", "2x2"]) {
    const file = await flashAndBeep({ seconds: 3, size });
    const { state, error, renditions } = await product.until(
      await product.uploadFile(file),
      (one) => one.state === "ready" || one.state === "failed",
      300,
    );
    assert.deepEqual([state, error], ["ready", null], size);
    const pictures = renditions.filter(({ kind }) => kind === "video");
    assert.ok(pictures.every(({ quality }) => quality?.metric === "ssim"));
    assert.ok(pictures.every(({ sampledQuality }) => sampledQuality === undefined));
  }
});
