import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { reapAssets } from "../../api/reap-assets.ts";
import { reapPulls } from "../../api/reap-pulls.ts";
import { fetchedKey } from "../../core/keys.ts";
import { parseNetworks } from "../../core/public-address.ts";
import type { PullTransfer } from "../../core/records/pull.ts";
import { findAsset } from "../../stores/library/assets.ts";
import { recordTransfer } from "../../stores/library/pulls.ts";
import { eventually } from "../rig/processes.ts";
import { openTestApi, putParts } from "./api-for-test.ts";

const URL_OF_FILM = "https://films.example/dir/Der%20Film.mov?X-Amz-Signature=secret-of-the-url";

const api = await openTestApi("pulls", (config) => ({
  ...config,
  pull: { networks: parseNetworks("10.1.0.0/16") },
}));

const pull = (body: unknown, headers: Record<string, string> = {}) =>
  api.as("alpha")("POST", "/v1/assets", body, headers);

describe("a pull", () => {
  test("is an asset that waits, is offered, and shows nothing of its URL", async () => {
    const answer = await pull({ sourceUrl: URL_OF_FILM, encoding: { codecs: ["hevc"] } });
    assert.equal(answer.status, 202);
    const { id } = answer.body;
    assert.deepEqual(answer.body, { id });
    assert.equal(answer.headers.get("location"), `/v1/assets/${id}`);
    assert.ok(api.offered.includes(id));
    const asset = await api.as("alpha")("GET", `/v1/assets/${id}`);
    const { state, filename, progress, encoding, error } = asset.body;
    assert.deepEqual([state, filename, error], ["waiting", "Der Film.mov", null]);
    assert.deepEqual([progress.stage, progress.ratio], ["fetching", 0]);
    assert.deepEqual(encoding.codecs, ["h264", "hevc"]);
    for (const role of ["editor", "admin"] as const)
      for (const path of [`/v1/assets/${id}`, "/v1/assets", `/v1/assets/${id}/ledger`])
        assert.doesNotMatch(
          JSON.stringify((await api.as("alpha", role)("GET", path)).body),
          /secret-of-the-url|films\.example/,
        );
    assert.equal((await api.as("beta")("GET", `/v1/assets/${id}`)).status, 404);
  });

  test("is made once for each Idempotency-Key", async () => {
    const key = { "Idempotency-Key": "pull-1" };
    const [first, second] = [
      await pull({ sourceUrl: URL_OF_FILM }, key),
      await pull({ sourceUrl: URL_OF_FILM }, key),
    ];
    assert.deepEqual([first.status, second.status, second.body.id], [202, 202, first.body.id]);
    const other = await pull({ sourceUrl: `${URL_OF_FILM}&other` }, key);
    assert.deepEqual([other.status, other.body.code], [409, "idempotency_conflict"]);
  });

  test("T24: is refused for what its URL says itself, with where in the body", async () => {
    const table: [string, string][] = [
      ["film.mov", "invalid_request"],
      ["ftp://films.example/a.mov", "invalid_request"],
      ["file:///etc/passwd", "invalid_request"],
      ["https://me:secret-of-the-url@films.example/", "invalid_request"],
      ["http://films.example:25/", "invalid_request"],
      ["http://169.254.169.254/latest/meta-data/", "source_refused"],
      ["http://2130706433/", "source_refused"],
      ["http://[::ffff:7f00:1]/", "source_refused"],
      ["http://10.2.0.1/", "source_refused"],
    ];
    for (const [sourceUrl, code] of table) {
      const answer = await pull({ sourceUrl });
      assert.deepEqual(
        [answer.status, answer.body.code, answer.body.errors[0].path],
        [400, code, "sourceUrl"],
        sourceUrl,
      );
      assert.doesNotMatch(JSON.stringify(answer.body), /secret-of-the-url/);
    }
    assert.equal(
      (await pull({ sourceUrl: "http://10.1.2.3/film.mov" })).status,
      202,
      "as the operator allows",
    );
    for (const [body, path] of [
      [{}, "sourceUrl"],
      [{ sourceUrl: "" }, "sourceUrl"],
      [{ sourceUrl: `https://films.example/${"a".repeat(8_000)}` }, "sourceUrl"],
      [{ sourceUrl: URL_OF_FILM, sha256: "abc" }, "sha256"],
      [{ sourceUrl: URL_OF_FILM, titleId: "ti_unknown" }, "titleId"],
      [{ sourceUrl: URL_OF_FILM, networks: "0.0.0.0/0" }, "networks"],
    ] as const) {
      const answer = await pull(body);
      assert.deepEqual(
        [answer.status, answer.body.code, answer.body.errors[0].path],
        [400, "invalid_request", path],
      );
    }
    const viewer = await api.as("alpha", "viewer")("POST", "/v1/assets", { sourceUrl: URL_OF_FILM });
    assert.equal(viewer.status, 403);
  });

  test("may be cancelled and tried again, and deleted", async () => {
    const { id } = (await pull({ sourceUrl: URL_OF_FILM })).body;
    const editor = api.as("alpha");
    const states: string[] = [];
    for (const action of ["cancel", "retry", "cancel"])
      states.push((await editor("POST", `/v1/assets/${id}/${action}`, {})).body.state);
    assert.deepEqual(states, ["cancelled", "waiting", "cancelled"]);
    assert.equal((await editor("DELETE", `/v1/assets/${id}`)).body.state, "deleted");
    assert.equal((await editor("POST", `/v1/assets/${id}/retry`, {})).status, 409);
    const { library } = api.deps;
    // Old enough that no worker writes for it any more.
    await library.assets.updateOne({ _id: id }, { $set: { updatedAt: new Date(0) } });
    // Not always in one round: the deletion's own is at the same records, which the stand-in has refused at times.
    const left = await eventually("emptied", 60, async () => {
      await reapAssets(api.deps);
      const asset = await findAsset(library, "alpha", id);
      return asset?.emptiedAt == null ? null : asset;
    });
    assert.equal(left.pull?.sourceUrl, null);
  });
});

test("another master that is uploaded instead makes its URL forgotten", async () => {
  const editor = api.as("alpha");
  const { id } = (await pull({ sourceUrl: URL_OF_FILM })).body;
  assert.equal((await editor("POST", `/v1/assets/${id}/cancel`, {})).body.state, "cancelled");
  const upload = { filename: "film.mp4", sizeBytes: 5, assetId: id };
  const { body } = await editor("POST", "/v1/uploads", upload);
  await putParts(api, body.id, body.partSizeBytes, Buffer.from("bytes"), [1]);
  const { pull: before } = (await findAsset(api.deps.library, "alpha", id))!;
  assert.equal(before?.sourceUrl, URL_OF_FILM, "nothing happens before all of it is there");
  assert.deepEqual((await editor("POST", `/v1/uploads/${body.id}/complete`, {})).body, { assetId: id });
  const asset = await findAsset(api.deps.library, "alpha", id);
  assert.deepEqual([asset?.state, asset?.pull?.sourceUrl], ["queued", null]);
});

test("what was fetched of a master that nobody wants any more is removed after a day", async () => {
  const { library, blobs } = api.deps;
  const began = async (state: "waiting" | "cancelled", ageHours: number, isWhole = false) => {
    const { id } = (await pull({ sourceUrl: URL_OF_FILM })).body;
    const key = fetchedKey("alpha", id, 1);
    const multipartId = await blobs.createMultipart(key, "application/octet-stream");
    const asset = (await findAsset(library, "alpha", id))!;
    const transfer = { key, multipartId, etag: '"a"', sizeBytes: null };
    assert.ok(await recordTransfer(library, asset, null, { transfer, filename: "film.mov" }));
    // Called off between the object and its record.
    if (isWhole) await complete(transfer);
    // Whoever holds another transfer, or none, changes nothing.
    assert.equal(await recordTransfer(library, asset, null, { transfer, filename: "other" }), false);
    const updatedAt = new Date(library.serverNow().getTime() - ageHours * 3_600_000);
    await library.assets.updateOne({ _id: id }, { $set: { state, updatedAt } });
    return async () => ({
      isOnRecord: (await findAsset(library, "alpha", id))?.pull?.transfer !== null,
      isStored: (await blobs.listParts(transfer)) !== null || (await blobs.head("sources", key)) !== null,
    });
  };
  const complete = async (transfer: PullTransfer): Promise<void> => {
    const ref = { ...transfer, partNumber: 1 };
    const part = await blobs.sendPart(ref, Buffer.from("film"), AbortSignal.timeout(60_000));
    await blobs.completeMultipart({ ...transfer, parts: [part] });
  };
  const all = [
    await began("cancelled", 25),
    await began("cancelled", 25, true),
    await began("cancelled", 23),
    await began("cancelled", 23, true),
    await began("waiting", 25),
  ];
  await reapPulls(api.deps);
  const left = await Promise.all(all.map((look) => look()));
  assert.deepEqual(left, [
    { isOnRecord: false, isStored: false },
    { isOnRecord: false, isStored: false },
    { isOnRecord: true, isStored: true },
    { isOnRecord: true, isStored: true },
    { isOnRecord: true, isStored: true },
  ]);
});

test("what somebody retries while the reaper is at its round keeps its parts", async () => {
  const { library, blobs } = api.deps;
  const idle = await Promise.all(
    [1, 2].map(async () => {
      const { id } = (await pull({ sourceUrl: URL_OF_FILM })).body;
      const key = fetchedKey("alpha", id, 1);
      const multipartId = await blobs.createMultipart(key, "application/octet-stream");
      const transfer = { key, multipartId, etag: '"a"', sizeBytes: null };
      const asset = (await findAsset(library, "alpha", id))!;
      assert.ok(await recordTransfer(library, asset, null, { transfer, filename: "film.mov" }));
      await library.assets.updateOne({ _id: id }, { $set: { state: "cancelled", updatedAt: new Date(0) } });
      return { id, key, multipartId };
    }),
  );
  const removed: string[] = [];
  // Between the first and the second of the round.
  const abortMultipart: typeof blobs.abortMultipart = async (ref) => {
    removed.push(ref.multipartId);
    for (const { id, multipartId } of idle)
      if (multipartId !== ref.multipartId) await api.as("alpha")("POST", `/v1/assets/${id}/retry`, {});
    await blobs.abortMultipart(ref);
  };
  await reapPulls({ ...api.deps, blobs: { ...blobs, abortMultipart } });
  assert.equal(removed.length, 1);
  for (const { id, key, multipartId } of idle) {
    const isStored = (await blobs.listParts({ key, multipartId })) !== null;
    const transfer = (await findAsset(library, "alpha", id))?.pull?.transfer;
    const isRemoved = removed.includes(multipartId);
    assert.deepEqual([isStored, transfer?.multipartId ?? null], [!isRemoved, isRemoved ? null : multipartId]);
  }
});

test("an asset that waits for an upload cannot be retried", async () => {
  const opened = await api.as("alpha")("POST", "/v1/uploads", { filename: "film.mp4", sizeBytes: 1_000 });
  const path = `/v1/assets/${opened.body.assetId}`;
  await api.as("alpha")("POST", `${path}/cancel`, {});
  assert.equal((await api.as("alpha")("POST", `${path}/retry`, {})).body.code, "not_retryable");
});
