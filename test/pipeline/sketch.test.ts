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

/** The asset once it is ready, and all generations that it had a preview of. */
async function ingested(path: string): Promise<{ ready: AssetRecord; previewed: Set<string | null> }> {
  const assetId = await product.uploadFile(path);
  const ready = await product.until(assetId, ({ state }) => state === "ready" || state === "failed", 240);
  assert.equal(ready.state, "ready", JSON.stringify(ready.error));
  const units = await product.library.tasks.find({ assetId, kind: "preview" }).toArray();
  return { ready, previewed: new Set(units.map(({ generation }) => generation)) };
}

test("its preview is made by what the ends tell, and stays where the rest bears them out", async () => {
  const path = await made("ts", ["-i", await film(), ...stream("4400k"), "{out}"]);
  const { ready, previewed } = await ingested(path);
  const { source, plan, draftGeneration, generation, preview } = ready;
  assert.ok(draftGeneration != null && draftGeneration !== generation, "there was a draft");
  assert.deepEqual([source?.isSketch, preview], [undefined, draftGeneration]);
  assert.deepEqual([...previewed], [draftGeneration]);
  assert.ok(plan!.chunks.length > 10, "it can be entered all along");
  assert.equal(plan!.timeline.frameCount, SECONDS * 25);
});

test("its preview begins anew where the film is another than its ends told", async () => {
  const { ready, previewed } = await ingested(await withLateMiddle());
  const { source, plan, draftGeneration, generation, preview } = ready;
  assert.deepEqual([source?.isSketch, plan?.timing], [undefined, "retime"]);
  assert.deepEqual([draftGeneration, preview], [null, generation]);
  assert.ok(previewed.has(generation) && previewed.size === 2, "of the draft, and of the film as it is");
});
