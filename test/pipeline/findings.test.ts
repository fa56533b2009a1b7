import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { AssetRecord } from "../../core/records/asset.ts";
import { FLAWED, FLAWED_SECONDS } from "../rig/flawed-media.ts";
import { BIG_BUCK_BUNNY_480, looped } from "../rig/media.ts";
import { type Product, startProduct } from "../rig/product.ts";

/** What each master must be found to have: code, severity, and from when to when (seconds, within `TOLERANCE`). */
type Expected = [code: string, severity: string, start?: number, end?: number];
const TOLERANCE_SECONDS = 0.3;
const WHOLE = [0, FLAWED_SECONDS] as const;

const EXPECTED: Record<string, Expected[]> = {
  clean: [],
  "real footage": [],
  "black, silent": [
    ["black", "warning", 3, 5],
    ["silence", "warning", 1, 7],
  ],
  "black throughout": [["black", "error", ...WHOLE]],
  "frozen, loud": [
    ["freeze", "warning", 2, 8],
    ["loudness", "warning"],
  ],
  flashing: [["flashing", "error", 3, 6]],
  "flashing in a third": [["flashing", "warning", 3, 6]],
  "one flash a second, silent throughout": [["silence", "warning", ...WHOLE]],
  "letterbox, quiet": [
    ["crop_bars", "info"],
    ["loudness", "warning"],
  ],
  "combing, no sound": [
    ["combing", "warning"],
    ["missing_audio", "warning"],
  ],
  "interlaced, sound short": [
    ["interlaced", "info"],
    ["short_audio", "warning", 5, 8],
  ],
  "sound late": [["short_audio", "warning", 0, 2]],
  "anamorphic, sound long": [
    ["odd_sample_aspect", "info"],
    ["long_audio", "warning"],
  ],
  "a hole": [
    ["variable_frame_rate", "info"],
    ["gaps", "warning", 2, 5.5],
  ],
  "a second picture": [["ignored_streams", "info"]],
  "picture damaged": [["damage", "error", 3, 4]],
  "picture lost": [["damage", "error", 3, 4]],
  "one packet damaged": [["damage", "warning", 3.9, 3.94]],
  "sound damaged": [["damage", "error", 3, 4]],
};

let product: Product;
const assetIds = new Map<string, string>();
before(async () => {
  product = await startProduct({ workers: 1, slots: 2 });
  for (const [name, bytes] of Object.entries(FLAWED)) assetIds.set(name, await product.upload(await bytes()));
  const footage = await looped(BIG_BUCK_BUNNY_480, 1, 12);
  assetIds.set("real footage", await product.uploadFile(footage));
});
after(() => product.stop());

/** Each asked for in its turn: those that wait for all at once take half a core from the transcoder. */
function outcome(name: string): Promise<AssetRecord> {
  return product.until(assetIds.get(name)!, ({ state }) => state === "ready" || state === "failed", 600);
}

for (const [name, expected] of Object.entries(EXPECTED)) {
  test(name, async () => {
    const { findings, state, error } = await outcome(name);
    const what = JSON.stringify(findings);
    assert.deepEqual(
      findings.map(({ code, severity }) => `${code} ${severity}`).sort(),
      expected.map(([code, severity]) => `${code} ${severity}`).sort(),
      what,
    );
    for (const [code, , start, end] of expected) {
      const found = findings.find((one) => one.code === code);
      assert.equal(found?.startSeconds !== undefined, start !== undefined, what);
      if (start === undefined || end === undefined) continue;
      assert.ok(Math.abs(found!.startSeconds! - start) <= TOLERANCE_SECONDS, `starts at ${start}: ${what}`);
      assert.ok(Math.abs(found!.endSeconds! - end) <= TOLERANCE_SECONDS, `ends at ${end}: ${what}`);
    }
    const isBlocked = expected.some(([, severity]) => severity === "error");
    assert.equal(state, isBlocked ? "failed" : "ready", `${error?.code}: ${error?.message}`);
    const isDamaged = expected.some(([code]) => code === "damage");
    if (isBlocked) assert.equal(error?.code, isDamaged ? "source_damaged" : "findings_not_waived");
  });
}

test("the bars' finding says where the picture in them is", async () => {
  const { findings } = await outcome("letterbox, quiet");
  assert.deepEqual(findings.find(({ code }) => code === "crop_bars")?.region, {
    x: 0,
    y: 12,
    width: 160,
    height: 72,
  });
});

test("one program looks at a film and for combs in it", async () => {
  const { _id } = await outcome("combing, no sound");
  const [inspection] = await product.library.tasks.find({ assetId: _id, kind: "inspect" }).toArray();
  const done = inspection!.attempts.find((attempt) => attempt.outcome === "done")!;
  assert.deepEqual(
    done.argv.map(([program]) => program),
    ["ffmpeg"],
  );
  const said = done.argv[0]!.join(" ");
  for (const filter of ["freezedetect", "idet"]) assert.ok(said.includes(filter), said);
});

test("an error stops publication until someone waives it by name; then only publishing is done", async () => {
  const held = await outcome("flashing");
  const path = `/v1/assets/${held._id}/findings` as const;
  const shown = await product.call("GET", `/v1/assets/${held._id}`);
  assert.deepEqual(shown.body.error?.retryable, true);
  const attempts = async () =>
    (await product.library.tasks.find({ assetId: held._id }).toArray())
      .filter(({ kind }) => kind !== "publish")
      .map(({ _id, state, attempts }) => `${_id} ${state} ${attempts.length}`);
  const before = await attempts();

  // Another try alone helps nothing.
  assert.equal((await product.call("POST", `/v1/assets/${held._id}/retry`)).status, 202);
  const again = await product.until(
    held._id,
    ({ state, version }) => state === "failed" && version > held.version,
    300,
  );
  assert.equal(again.error?.code, "findings_not_waived");

  const waive = (code: string, body: unknown, token?: string) =>
    product.call("POST", `${path}/${code}/waive`, body, token);
  assert.equal((await waive("freeze", { reason: "x" })).status, 404, "what was not found");
  assert.equal((await waive("flashing", {})).status, 400, "without a reason");
  assert.equal((await waive("flashing", { reason: " " })).status, 400, "with an empty one");
  assert.equal((await waive("flashing", { reason: "x" }, product.tokens.viewer)).status, 403, "a viewer");
  const answer = await waive("flashing", { reason: "A warning is shown before it." });
  assert.equal(answer.status, 200);
  const [finding] = answer.body.findings;
  assert.deepEqual(
    [finding?.code, finding?.waivedBy, finding?.waivedReason],
    ["flashing", "editor-1", "A warning is shown before it."],
  );
  const repeated = await waive("flashing", { reason: "Another one." });
  assert.deepEqual([repeated.status, repeated.body.findings[0]], [200, finding], "the first waiver stands");

  const ready = await product.until(held._id, ({ state }) => state === "ready", 300);
  assert.deepEqual(await attempts(), before, "nothing but publishing was done again");
  const waivers = ready.waivers!.map(({ code, by, reason, sourceEtag }) => ({
    code,
    by,
    reason,
    sourceEtag,
  }));
  assert.deepEqual(waivers, [
    {
      code: "flashing",
      by: "editor-1",
      reason: "A warning is shown before it.",
      sourceEtag: ready.pinned!.etag,
    },
  ]);
});

test("what stops nothing cannot be waived", async () => {
  const { _id } = await outcome("letterbox, quiet");
  const answer = await product.call("POST", `/v1/assets/${_id}/findings/crop_bars/waive`, { reason: "x" });
  assert.deepEqual([answer.status, answer.body.code], [409, "nothing_to_waive"]);
});

test("a damaged film is published once someone has looked, all of its length", async () => {
  const { _id, plan } = await outcome("picture lost");
  await product.call("POST", `/v1/assets/${_id}/findings/damage/waive`, { reason: "The only copy." });
  const ready = await product.until(_id, ({ state }) => state === "ready", 300);
  assert.equal(ready.published?.durationSeconds, FLAWED_SECONDS);
  assert.equal(plan?.timeline.frameCount, FLAWED_SECONDS * 25);
});
