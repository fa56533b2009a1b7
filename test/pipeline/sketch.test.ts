import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import type { AssetRecord } from "../../core/records/asset.ts";
import { kept, made } from "../rig/media.ts";
import { numbered } from "../rig/numbered.ts";
import { type Product, startProduct } from "../rig/product.ts";

/** A transport stream that is first planned by its beginning and its end, for a preview, and then by what lies between. */

let product: Product;
before(async () => {
  product = await startProduct({ workers: 1, slots: 2 });
});
after(() => product.stop());

const SECONDS = 210;
/** Filled up to so much a second, as a broadcast is: of half as much looks would read half, so that the whole is read. */
const stream = (rate: string) => ["-c", "copy", "-muxrate", rate];

/** Frames that say their number, a keyframe every two seconds. */
const film = () =>
  made("mp4", [
    ...numbered({ frames: SECONDS * 25, size: "80x44" }),
    ...["-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-bf", "0", "-sc_threshold", "0", "{out}"],
  ]);

/** The middle third is half a frame late, which is seen by whoever looks there alone: such frames are retimed. */
async function withLateMiddle(): Promise<string> {
  const mp4 = await film();
  const third = SECONDS / 3;
  const pieces = [0, 0.02, 0].map((late, index) => {
    const from = ["-ss", String(index * third), "-t", String(third), "-i", mp4];
    return made("ts", [
      ...from,
      ...stream("2200k"),
      "-output_ts_offset",
      String(index * third + late),
      "{out}",
    ]);
  });
  const bytes = await Promise.all((await Promise.all(pieces)).map((path) => readFile(path)));
  return kept("ts", Buffer.concat(bytes));
}

/** The asset once it is planned for good and can be looked at, and all generations that it had a preview of. */
async function planned(path: string): Promise<{ asset: AssetRecord; previewed: Set<string | null> }> {
  const assetId = await product.uploadFile(path);
  const asset = await product.until(assetId, isPlanned, 240);
  const units = await product.library.tasks.find({ assetId, kind: "preview" }).toArray();
  return { asset, previewed: new Set(units.map(({ generation }) => generation)) };
}

const isOver = ({ state }: AssetRecord): boolean => state === "ready" || state === "failed";

function isPlanned({ state, error, source, preview, draftGeneration, generation }: AssetRecord): boolean {
  assert.notEqual(state, "failed", JSON.stringify(error));
  const isSeen = preview != null && preview === (draftGeneration ?? generation);
  return source !== null && source.isSketch !== true && isSeen;
}

test("its preview is made by what the ends tell, and stays where the rest bears them out", async () => {
  const path = await made("ts", ["-i", await film(), ...stream("4400k"), "{out}"]);
  const { asset, previewed } = await planned(path);
  const { source, plan, draftGeneration, generation, preview } = asset;
  assert.ok(draftGeneration != null && draftGeneration !== generation, "there was a draft");
  assert.deepEqual([source?.isSketch, preview], [undefined, draftGeneration]);
  assert.deepEqual([...previewed], [draftGeneration]);
  assert.ok(plan!.chunks.length > 10, "it can be entered all along");
  assert.equal(plan!.timeline.frameCount, SECONDS * 25);
  const { state, error } = await product.until(asset._id, isOver, 240);
  assert.equal(state, "ready", JSON.stringify(error));
});

test("its preview begins anew where the film is another than its ends told", async () => {
  const { asset, previewed } = await planned(await withLateMiddle());
  const { source, plan, draftGeneration, generation, preview } = asset;
  assert.deepEqual([source?.isSketch, plan?.timing], [undefined, "retime"]);
  assert.deepEqual([draftGeneration, preview], [null, generation]);
  assert.ok(previewed.has(generation) && previewed.size === 2, "of the draft, and of the film as it is");
});
