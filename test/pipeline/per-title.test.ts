import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { buildPlan, DEFAULT_PLAN_SETTINGS } from "../../core/plan.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import { made } from "../rig/media.ts";
import { type Product, startProduct } from "../rig/product.ts";

/** Ladders of two films that are as different as can be, through the whole pipeline. */

/** Few frames a second: a film of a minute and a half is then a few seconds of work. */
const RATE = 5;
const SECONDS = 91;
const SIZE = "640x360";

function film(picture: string): Promise<string> {
  const coding = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "16", "-g", "10", "-pix_fmt", "yuv420p"];
  return made("mp4", ["-f", "lavfi", "-i", picture, ...coding, "{out}"]);
}

let product: Product;
let easy: AssetRecord;
let hard: AssetRecord;
before(async () => {
  product = await startProduct();
  const still = await film(`testsrc=size=${SIZE}:rate=${RATE}:duration=${SECONDS}`);
  const busy = await film(
    `testsrc2=size=${SIZE}:rate=${RATE}:duration=${SECONDS},noise=alls=12:allf=t:all_seed=7`,
  );
  const own = { encoding: { codecs: ["h264" as const], ladder: "title" as const } };
  const upload = async (path: string) => product.upload(await readFile(path), own);
  const ids = [await upload(still), await upload(busy)];
  [easy, hard] = (await Promise.all(
    ids.map((id) => product.until(id, ({ state }) => state === "ready" || state === "failed", 480)),
  )) as [AssetRecord, AssetRecord];
});
after(() => product.stop());

test("an easy film and a hard one get ladders of their own, and what was foretold of them is near", () => {
  const rungs = ({ plan }: AssetRecord) => plan!.ladders[0]!.rungs;
  for (const asset of [easy, hard]) {
    assert.equal(asset.state, "ready", JSON.stringify(asset.error));
    assert.equal(asset.analysis?.curves[0]?.metric, "ssim", "no VMAF in this run");
    assert.ok(rungs(asset).length >= 2);
  }
  assert.notDeepEqual(rungs(easy), rungs(hard));
  assert.ok(rungs(easy)[0]!.maxBitrateBps < rungs(hard)[0]!.maxBitrateBps);
  const [top] = rungs(hard);
  const { averageBps } = hard.renditions.find(({ id }) => id === top!.id)!;
  const ratio = averageBps / top!.predicted!.averageBps;
  assert.ok(ratio > 0.5 && ratio < 2, `foretold ${top!.predicted!.averageBps}, made ${averageBps}`);
});

test("the preview is of the draft that was there before the analysis, and stays", async () => {
  for (const asset of [easy, hard]) {
    assert.ok(asset.draftGeneration, "there was a draft");
    assert.notEqual(asset.draftGeneration, asset.generation);
    assert.equal(asset.preview, asset.draftGeneration);
    const tasks = await product.library.tasks.find({ assetId: asset._id }).toArray();
    const units = tasks.filter(({ kind }) => kind === "preview");
    assert.ok(units.length > 0);
    assert.deepEqual([...new Set(units.map(({ generation }) => generation))], [asset.draftGeneration]);
    const others = tasks.filter(({ kind }) => !["preview", "probe", "analyse"].includes(kind));
    assert.deepEqual([...new Set(others.map(({ generation }) => generation))], [asset.generation]);
  }
});

test("the plan follows from what is recorded, on any machine", () => {
  const { source, plan, analysis, encoding } = hard;
  const settings = { ...DEFAULT_PLAN_SETTINGS, encoding };
  assert.deepEqual(buildPlan(source!, settings, plan!.encoderBuild, [], analysis!.curves), plan);
});

test("the same master is not analysed twice, and the table is there for whoever wants it", async () => {
  const path = `/v1/assets/${easy._id}/reprocess`;
  const answer = await product.call("POST", path, { encoding: { codecs: ["h264"], ladder: "table" } });
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
  const table = await product.until(
    easy._id,
    ({ state, revision }) => state === "ready" && revision > easy.revision,
    240,
  );
  assert.deepEqual(
    table.plan!.ladders[0]!.rungs.map(({ id, predicted }) => [id, predicted]),
    [
      ["360p", undefined],
      ["234p", undefined],
    ],
  );
  await product.call("POST", path, { encoding: { codecs: ["h264"], ladder: "title" } });
  const again = await product.until(
    easy._id,
    ({ state, revision }) => state === "ready" && revision > table.revision,
    240,
  );
  assert.equal(again.generation, easy.generation);
  const analyses = await product.library.tasks.countDocuments({ assetId: easy._id, kind: "analyse" });
  assert.equal(analyses, 1);
});

test("the ladder's evidence is in the asset's answer", async () => {
  const { body } = await product.call("GET", `/v1/assets/${hard._id}`);
  const { ladders, windowCount } = body.ladder!;
  const ladder = ladders[0]!;
  assert.deepEqual([ladder.id, ladder.chosenBy, ladder.metric], ["h264", "title", "ssim"]);
  assert.ok(ladder.points.length >= 4 && windowCount === 2);
  for (const rung of ladder.rungs) {
    assert.ok(rung.averageBps! > 0);
    assert.equal(rung.savedBytes, Math.round(((rung.fixedTableBps! - rung.averageBps!) * SECONDS) / 8));
  }
});

test("a film too short to be worth it has the table's ladder", async () => {
  const short = await made("mp4", [
    "-i",
    await film(`testsrc2=size=${SIZE}:rate=${RATE}:duration=${SECONDS}`),
    "-t",
    "4",
    "-c",
    "copy",
    "{out}",
  ]);
  const id = await product.upload(await readFile(short), { encoding: { codecs: ["h264"], ladder: "title" } });
  const asset = await product.until(id, ({ state }) => state === "ready", 240);
  assert.equal(asset.analysis, undefined);
  assert.ok(asset.plan!.ladders[0]!.rungs.every(({ predicted }) => predicted === undefined));
});
