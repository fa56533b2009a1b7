import assert from "node:assert/strict";
import { test } from "node:test";
import { createApp } from "../../api/app.ts";
import { loadPages } from "../../api/pages.ts";
import { reapUploads } from "../../api/reap-uploads.ts";
import { claimCompletion, findUpload } from "../../stores/library/uploads.ts";
import { dyingAfter } from "../rig/dying-library.ts";
import { madeAsset, openTestApi, threePartFile, tokenOf, uploadBytes } from "./api-for-test.ts";

/** Whoever gives up an asset that still waits for its upload gives up the upload with it. */

const api = await openTestApi("uploadsoff");
const { library, blobs } = api.deps;
const call = api.as("alpha");
const bytes = threePartFile();
const pages = await loadPages(api.deps.config.pagesDir);

const WAYS = [
  { state: "cancelled", method: "POST", path: (id: string) => `/v1/assets/${id}/cancel` },
  { state: "deleted", method: "DELETE", path: (id: string) => `/v1/assets/${id}` },
] as const;

async function record(id: string) {
  const upload = await findUpload(library, "alpha", id);
  assert.ok(upload);
  return upload;
}

async function storedParts(id: string) {
  const { sourceKey: key, multipartId } = await record(id);
  return blobs.listParts({ key, multipartId });
}

for (const { state, method, path } of WAYS) {
  test(`an asset that is ${state} while it waits for its upload ends it: no parts, no signing`, async () => {
    const { id, assetId } = await uploadBytes(api, bytes, { parts: [1] });
    const answer = await call(method, path(assetId));
    assert.deepEqual([answer.status, answer.body.state, answer.body.error], [202, state, null]);
    assert.equal(await storedParts(id), null);
    const upload = await record(id);
    assert.deepEqual([upload.state, upload.reapedAt !== null], ["aborted", true]);
    const sha256 = "A".repeat(43).concat("=");
    const signed = await call("POST", `/v1/uploads/${id}/parts`, { parts: [{ partNumber: 2, sha256 }] });
    assert.deepEqual([signed.status, signed.body.code], [409, "upload_aborted"]);
    assert.equal((await call(method, path(assetId))).status, 202);
  });

  test(`an upload that is being completed when its asset is ${state} is left to its completer`, async () => {
    const { id, assetId } = await uploadBytes(api, bytes);
    assert.ok(await claimCompletion(library, await record(id), 30_000));
    assert.equal((await call(method, path(assetId))).body.state, state);
    assert.equal((await record(id)).state, "open");
    // The completer vanished: the reaper takes its place.
    await library.uploads.updateOne({ _id: id }, { $set: { completingUntil: new Date(1) } });
    await reapUploads(api.deps);
    const upload = await record(id);
    assert.deepEqual([upload.state, upload.reapedAt !== null], ["aborted", true]);
    assert.equal(await blobs.head("sources", upload.sourceKey), null);
  });

  test(`dying at any write while an asset is ${state} leaves neither waiting for the other`, async () => {
    for (let writes = 0, isDone = false; !isDone; writes++) {
      const { id, assetId } = await uploadBytes(api, bytes, { parts: [] });
      const app = createApp({ ...api.deps, library: dyingAfter(library, writes) }, pages);
      const headers = { Authorization: `Bearer ${tokenOf("alpha", "editor")}` };
      isDone = (await app.request(path(assetId), { method, headers })).status === 202;
      await reapUploads(api.deps);
      const upload = await record(id);
      const asset = await library.assets.findOne({ _id: assetId });
      const waits = asset?.state === "waiting";
      assert.equal(upload.state === "open", waits, `after ${writes} writes`);
      assert.equal((await storedParts(id)) !== null, waits, `after ${writes} writes`);
      if (isDone) assert.equal(asset?.state, state);
    }
  });
}

test("a master or a sound that was to come goes with the asset, and stays where its work is only stopped", async () => {
  const asset = await madeAsset(api, "alpha", "encoding");
  const track = { assetId: asset._id, kind: "audio", language: "de" };
  const open = async (what: object) =>
    (await call("POST", "/v1/uploads", { filename: "a.mp4", sizeBytes: 20, ...what })).body.id as string;
  const ids = [await open({ assetId: asset._id }), await open({ track })];
  const states = () => Promise.all(ids.map(async (id) => (await record(id)).state));
  assert.equal((await call("POST", `/v1/assets/${asset._id}/cancel`)).body.state, "cancelled");
  assert.deepEqual(await states(), ["open", "open"]);
  assert.equal((await call("DELETE", `/v1/assets/${asset._id}`)).body.state, "deleted");
  assert.deepEqual(await states(), ["aborted", "aborted"]);
});
