import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { reapUploads } from "../../api/reap-uploads.ts";
import { findUpload } from "../../stores/library/uploads.ts";
import { openTestApi, putParts, sha256Base64, threePartFile, uploadBytes } from "./api-for-test.ts";

const api = await openTestApi("uploads", (config) => ({
  ...config,
  uploads: { ...config.uploads, maxOpenPerAccount: 1_000 },
}));
/** A second API process on the same library. */
const twin = await openTestApi("uploads");
const call = api.as("alpha");
const small = { filename: "film.mp4", sizeBytes: 20 };

async function openUpload(body: object = small) {
  return (await call("POST", "/v1/uploads", body)).body as { id: string; assetId: string };
}

async function record(id: string) {
  const upload = await findUpload(api.deps.library, "alpha", id);
  assert.ok(upload);
  return upload;
}

async function storedParts(id: string) {
  const upload = await record(id);
  return api.deps.blobs.listParts({ key: upload.sourceKey, multipartId: upload.multipartId });
}

/** Makes the upload's time be over, as if a week had passed. */
async function letExpire(id: string): Promise<void> {
  await api.deps.library.uploads.updateOne({ _id: id }, { $set: { expiresAt: new Date(0) } });
}

describe("an upload", () => {
  test("goes from open through its parts to a queued asset with its source pinned", async () => {
    const bytes = threePartFile();
    const { id, assetId, partCount } = await uploadBytes(api, bytes);
    assert.equal(partCount, 3);
    const status = await call("GET", `/v1/uploads/${id}`);
    assert.deepEqual(
      status.body.parts.map(({ partNumber, sizeBytes }: { partNumber: number; sizeBytes: number }) => [
        partNumber,
        sizeBytes,
      ]),
      [
        [1, 8_388_608],
        [2, 8_388_608],
        [3, 5],
      ],
    );
    const completed = await call("POST", `/v1/uploads/${id}/complete`, {});
    assert.deepEqual([completed.status, completed.body], [202, { assetId }]);
    const asset = await api.deps.library.assets.findOne({ _id: assetId });
    assert.equal(asset?.state, "queued");
    assert.equal(asset?.pinned?.sizeBytes, bytes.length);
    const stored = await api.deps.blobs.head("sources", asset?.pinned?.key ?? "");
    assert.equal(stored?.etag, asset?.pinned?.etag);
    assert.ok(api.offered.includes(assetId));
    assert.deepEqual((await call("POST", `/v1/uploads/${id}/complete`)).body, { assetId });
    assert.equal((await call("GET", `/v1/uploads/${id}`)).body.state, "completed");
  });

  test("F19: 50 completes at once, over two processes, make one asset, one hint and 50 equal answers", async () => {
    const { id, assetId } = await uploadBytes(api, threePartFile());
    const before = await api.deps.library.assets.countDocuments({ tenant: "alpha" });
    const doors = [call, twin.as("alpha")];
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => doors[n % 2]?.("POST", `/v1/uploads/${id}/complete`, {})),
    );
    for (const answer of answers) assert.deepEqual([answer?.status, answer?.body], [202, { assetId }]);
    assert.equal(await api.deps.library.assets.countDocuments({ tenant: "alpha" }), before);
    assert.equal([...api.offered, ...twin.offered].filter((offered) => offered === assetId).length, 1);
    const asset = await api.deps.library.assets.findOne({ _id: assetId });
    assert.deepEqual([asset?.state, asset?.version], ["queued", 2]);
  });

  test("F17: a completion whose process vanished after storage had the object is finished by the next call", async () => {
    const { id, assetId } = await uploadBytes(api, threePartFile());
    const upload = await record(id);
    const ref = { key: upload.sourceKey, multipartId: upload.multipartId };
    await api.deps.blobs.completeMultipart({ ...ref, parts: (await api.deps.blobs.listParts(ref)) ?? [] });
    await api.deps.library.uploads.updateOne({ _id: id }, { $set: { completingUntil: new Date(1) } });
    await reapUploads(api.deps);
    assert.equal((await record(id)).state, "completed");
    assert.equal((await call("GET", `/v1/assets/${assetId}`)).body.state, "queued");
  });

  test("names the parts that are missing and completes once they are there", async () => {
    const bytes = threePartFile();
    const { id, assetId, partSizeBytes } = await uploadBytes(api, bytes, { parts: [2] });
    const refused = await call("POST", `/v1/uploads/${id}/complete`, {});
    assert.deepEqual([refused.status, refused.body.code], [409, "upload_incomplete"]);
    assert.deepEqual(
      refused.body.errors.map(({ path }: { path: string }) => path),
      ["parts.1", "parts.3"],
    );
    await putParts(api, id, partSizeBytes, bytes, [1, 3]);
    assert.deepEqual((await call("POST", `/v1/uploads/${id}/complete`, {})).body, { assetId });
  });

  test("T16, T19: storage refuses a part of another length or with a flipped bit", async () => {
    const bytes = randomBytes(1_000);
    const { id } = await openUpload({ ...small, sizeBytes: 1_000 });
    const signed = await call("POST", `/v1/uploads/${id}/parts`, {
      parts: [{ partNumber: 1, sha256: sha256Base64(bytes) }],
    });
    const [{ url, headers }] = signed.body.parts;
    const flipped = new Uint8Array(bytes);
    flipped[500] = (flipped[500] ?? 0) ^ 1;
    for (const body of [flipped, new Uint8Array(1_001), new Uint8Array(bytes.subarray(0, 999))]) {
      const status = await fetch(url, { method: "PUT", headers, body }).then(
        (answer) => answer.status,
        () => 0,
      );
      assert.ok(status === 0 || status >= 400, `${body.length} bytes were taken with ${status}`);
    }
    assert.deepEqual(await storedParts(id), []);
  });

  test("signs only declared parts, at most 100 a call", async () => {
    const { id } = await openUpload();
    const sha256 = sha256Base64(randomBytes(1));
    for (const parts of [
      [{ partNumber: 2, sha256 }],
      [{ partNumber: 0, sha256 }],
      [{ partNumber: 1, sha256: "x" }],
      [],
      Array.from({ length: 101 }, () => ({ partNumber: 1, sha256 })),
    ]) {
      const { status, body } = await call("POST", `/v1/uploads/${id}/parts`, { parts });
      assert.deepEqual([status, body.code], [400, "invalid_request"]);
    }
  });

  test("T18: no name of the client's gets into a key", async () => {
    for (const filename of ["../../etc/passwd", "a/b\\c", "..", "über\u0000", "x".repeat(255)]) {
      const { id } = await openUpload({ ...small, filename });
      assert.equal((await record(id)).sourceKey, `alpha/${id}/source`);
    }
  });

  test("refuses what it does not know and what cannot be", async () => {
    const bad: [object | string, string][] = [
      [{ ...small, sizeBytes: 0 }, "sizeBytes"],
      [{ ...small, sizeBytes: 1.5 }, "sizeBytes"],
      [{ ...small, sizeBytes: 6 * 1024 ** 4 }, "sizeBytes"],
      [{ ...small, filename: "x".repeat(256) }, "filename"],
      [{ ...small, sha256: "abc" }, "sha256"],
      [{ ...small, state: "completed" }, "state"],
      [{ ...small, titleId: "ti_none" }, "titleId"],
    ];
    for (const [body, path] of bad) {
      const { status, body: problem, headers } = await call("POST", "/v1/uploads", body);
      assert.deepEqual([status, problem.code, problem.errors[0].path], [400, "invalid_request", path]);
      assert.match(headers.get("content-type") ?? "", /^application\/problem\+json/);
    }
  });

  test("called off: its parts are gone and its asset is cancelled", async () => {
    const { id, assetId } = await uploadBytes(api, threePartFile(), { parts: [1] });
    assert.equal((await call("DELETE", `/v1/uploads/${id}`)).status, 204);
    assert.equal(await storedParts(id), null);
    assert.equal((await call("DELETE", `/v1/uploads/${id}`)).status, 204);
    assert.equal((await call("POST", `/v1/uploads/${id}/complete`)).body.code, "upload_aborted");
    const asset = await call("GET", `/v1/assets/${assetId}`);
    assert.deepEqual([asset.body.state, asset.body.error.code], ["cancelled", "upload_aborted"]);
  });

  test("T20: a round of the reaper leaves no part of what was abandoned", async () => {
    const uploads = await Promise.all(Array.from({ length: 5 }, () => uploadBytes(api, randomBytes(100))));
    for (const { id } of uploads) await letExpire(id);
    await reapUploads(api.deps);
    for (const { id, assetId } of uploads) {
      const upload = await record(id);
      assert.equal(upload.state, "expired");
      assert.ok(upload.reapedAt);
      assert.equal(await storedParts(id), null);
      assert.equal((await call("GET", `/v1/assets/${assetId}`)).body.error.code, "upload_expired");
    }
  });

  test("T20: an account has only so many open", async () => {
    const strict = await openTestApi("few", (config) => ({
      ...config,
      uploads: { ...config.uploads, maxOpenPerAccount: 2 },
    }));
    const post = () => strict.as("alpha")("POST", "/v1/uploads", small);
    const answers = [await post(), await post(), await post()];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [201, 201, 409],
    );
    assert.equal(answers[2]?.body.code, "too_many_open_uploads");
    assert.equal((await strict.as("alpha", "admin")("POST", "/v1/uploads", small)).status, 201);
  });

  test("gives its asset to the title it is for, where that has none", async () => {
    const title = await call("POST", "/v1/titles", { name: "Film" });
    const { id, assetId } = await uploadBytes(api, randomBytes(100), { titleId: title.body.id });
    await call("POST", `/v1/uploads/${id}/complete`);
    assert.equal((await call("GET", `/v1/titles/${title.body.id}`)).body.assetId, assetId);
  });
});

describe("an Idempotency-Key", () => {
  test("makes one upload of equal requests, also at once, and 409 of unequal ones", async () => {
    const headers = { "Idempotency-Key": "k-1" };
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => call("POST", "/v1/uploads", small, headers)),
    );
    assert.equal(new Set(answers.map(({ body }) => body.id)).size, 1);
    assert.ok(answers.every(({ status }) => status === 201));
    const other = await call("POST", "/v1/uploads", { ...small, sizeBytes: 21 }, headers);
    assert.deepEqual([other.status, other.body.code], [409, "idempotency_conflict"]);
    const elsewhere = await api.as("beta")("POST", "/v1/uploads", small, headers);
    assert.notEqual(elsewhere.body.id, answers[0]?.body.id);
  });

  test("whose first request crashed half way makes the same upload again", async () => {
    const headers = { "Idempotency-Key": "k-2" };
    const first = await call("POST", "/v1/uploads", small, headers);
    // As a crash between the record and its answer leaves it.
    await api.deps.library.claims.updateMany(
      { answer: { $regex: first.body.id } },
      { $set: { answer: null, leaseUntil: new Date(0) } },
    );
    await api.deps.library.assets.deleteOne({ _id: first.body.assetId });
    const again = await call("POST", "/v1/uploads", small, headers);
    assert.deepEqual(again.body, first.body);
    assert.equal((await call("GET", `/v1/assets/${first.body.assetId}`)).status, 200);
  });
});
