import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Failure } from "../../core/errors.ts";
import { openBlobs, type StoredPart } from "../../stores/blobs.ts";
import { versionOf } from "../../transcoder/verify.ts";
import { s3ForTest } from "./s3-for-test.ts";
import { wireToStore } from "./wire-to-store.ts";

const MiB = 1024 * 1024;
const blobs = openBlobs(s3ForTest("blobs"));

before(async () => {
  await blobs.ensureBuckets({ corsOrigins: ["http://studio.test"] });
});

after(() => blobs.close());

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64");
}

function newKey(): string {
  return `t/${randomBytes(8).toString("hex")}/source`;
}

/** The status of a PUT that says `declared` bytes and sends `body`; "reset" where the store hung up instead. */
function putRaw(url: string, headers: Record<string, string>, body: Uint8Array, declared = body.byteLength) {
  return new Promise<number | "reset">((resolve) => {
    const call = request(
      url,
      { method: "PUT", headers: { ...headers, "content-length": declared } },
      (answer) => {
        answer.resume().on("close", () => resolve(answer.statusCode ?? 0));
      },
    );
    call.on("error", () => resolve("reset"));
    call.write(body, () => {
      if (body.byteLength < declared) call.destroy();
      else call.end();
    });
  });
}

async function presigned(key: string, multipartId: string, partNumber: number, body: Uint8Array) {
  return blobs.presignPart({
    key,
    multipartId,
    partNumber,
    sizeBytes: body.byteLength,
    sha256Base64: sha256(body),
    expiresInSeconds: 60,
  });
}

async function uploadedParts(key: string, bodies: Uint8Array[]) {
  const multipartId = await blobs.createMultipart(key, "video/mp4");
  const calls = [];
  for (const [index, body] of bodies.entries()) {
    const call = await presigned(key, multipartId, index + 1, body);
    assert.equal(await putRaw(call.url, call.headers, body), 200);
    calls.push(call);
  }
  return { multipartId, calls, parts: (await blobs.listParts({ key, multipartId })) as StoredPart[] };
}

test("an object comes back as it was put, whole, by range and by its facts", async () => {
  const key = newKey();
  const body = randomBytes(300_000);
  const { etag } = await blobs.put("media", key, body, {
    contentType: "video/mp4",
    contentEncoding: "gzip",
    cacheControl: "max-age=7",
  });
  const facts = await blobs.head("media", key);
  assert.ok(facts);
  assert.deepEqual(
    [facts.sizeBytes, facts.etag, facts.contentType, facts.contentEncoding, facts.cacheControl],
    [300_000, etag, "video/mp4", "gzip", "max-age=7"],
  );
  assert.deepEqual(Buffer.from((await blobs.read("media", key)) ?? []), body);
  const middle = await blobs.read("media", key, { range: { start: 10, end: 99 } });
  assert.deepEqual(Buffer.from(middle ?? []), body.subarray(10, 100));
  const tail = await blobs.read("media", key, { range: { suffixBytes: 5 } });
  assert.deepEqual(Buffer.from(tail ?? []), body.subarray(-5));
  const opened = await blobs.open("media", key, { range: { start: 299_990 } });
  assert.deepEqual(
    [opened?.start, opened?.end, opened?.lengthBytes, opened?.facts.sizeBytes],
    [299_990, 299_999, 10, 300_000],
  );
  opened?.body.destroy();
});

test("calls after each other share a connection, bodies that are read another", async () => {
  const wire = await wireToStore();
  const opened: unknown[] = [];
  wire.changes.on("opened", () => opened.push(wire.state.open));
  const other = openBlobs({ ...s3ForTest("blobs"), endpoint: wire.endpoint });
  try {
    const key = newKey();
    for (const text of ["one", "two", "three"]) {
      await other.put("media", key, Buffer.from(text), { contentType: "text/plain" });
      assert.equal(Buffer.from((await other.read("media", key)) ?? []).toString(), text);
      assert.equal(await other.read("media", `${key}-missing`), null);
    }
    assert.equal(opened.length, 2);
  } finally {
    other.close();
    wire.close();
  }
});

test("what is not there is null, and a range behind the end is a coded refusal", async () => {
  const key = newKey();
  assert.equal(await blobs.head("media", key), null);
  assert.equal(await blobs.read("media", key), null);
  assert.equal(await blobs.open("media", key), null);
  assert.equal(await blobs.download("media", key, "/dev/null"), null);
  await blobs.put("media", key, Buffer.from("ten bytes!"), { contentType: "text/plain" });
  await assert.rejects(blobs.open("media", key, { range: { start: 10 } }), { code: "range_not_satisfiable" });
});

test("create-once keeps the first object: the same bytes again are fine, others are refused", async () => {
  const key = newKey();
  const options = { contentType: "video/mp4", createOnce: true };
  const first = await blobs.put("media", key, Buffer.from("first"), options);
  assert.deepEqual(await blobs.put("media", key, Buffer.from("first"), options), first);
  for (const other of ["other", "longer"]) {
    await assert.rejects(blobs.put("media", key, Buffer.from(other), options), { code: "object_exists" });
  }
  assert.equal(Buffer.from((await blobs.read("media", key)) ?? []).toString(), "first");
});

test("a copy has the bytes, the type and the coding; there need not be anything to copy", async () => {
  const [from, to] = [newKey(), newKey()];
  assert.equal(await blobs.copy("media", from, to), false);
  const body = randomBytes(70_000);
  const options = { contentType: "video/mp4", contentEncoding: "gzip", cacheControl: "max-age=7" };
  await blobs.put("media", from, body, options);
  assert.equal(await blobs.copy("media", from, to), true);
  const [original, copied] = [await blobs.head("media", from), await blobs.head("media", to)];
  assert.deepEqual({ ...copied, lastModified: null }, { ...original, lastModified: null });
  assert.deepEqual(Buffer.from((await blobs.read("media", to)) ?? []), body);
  assert.equal(await blobs.copy("media", from, to), true);
  // A task done again may come upon what a broken one left.
  await blobs.put("media", to, Buffer.from("cut"), options);
  assert.equal(await blobs.copy("media", from, to), true);
  assert.deepEqual(Buffer.from((await blobs.read("media", to)) ?? []), body);
});

test("a pinned object that was swapped is source_changed", async () => {
  const key = newKey();
  const { etag } = await blobs.put("sources", key, Buffer.from("pinned"), { contentType: "video/mp4" });
  await blobs.put("sources", key, Buffer.from("swapped"), { contentType: "video/mp4" });
  await assert.rejects(blobs.read("sources", key, { ifMatch: etag }), { code: "source_changed" });
  await assert.rejects(blobs.download("sources", key, "/dev/null", { ifMatch: etag }), (thrown) => {
    return thrown instanceof Failure && thrown.failureClass === "source" && thrown.code === "source_changed";
  });
});

test("a download writes every byte to the file and stops when told to", async () => {
  const directory = await mkdtemp(join(tmpdir(), "matinee-blobs-"));
  try {
    const key = newKey();
    const body = randomBytes(3 * MiB + 17);
    await blobs.put("sources", key, body, { contentType: "video/mp4" });
    const seen: number[] = [];
    const filePath = join(directory, "master");
    const facts = await blobs.download("sources", key, filePath, { onBytes: (bytes) => seen.push(bytes) });
    assert.equal(facts?.sizeBytes, body.byteLength);
    assert.deepEqual(await readFile(filePath), body);
    assert.equal(seen.at(-1), body.byteLength);
    const stop = new AbortController();
    const stopped = blobs.download("sources", key, filePath, {
      signal: stop.signal,
      onBytes: () => stop.abort(new Error("told to stop")),
    });
    await assert.rejects(stopped, { message: "told to stop" });
    await assert.rejects(blobs.download("sources", key, join(directory, "no", "such")), {
      code: "scratch_refused",
    });
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("a download that breaks off goes on where it stopped, and never ends short (F15)", async () => {
  const wire = await wireToStore();
  const broken = openBlobs({ ...s3ForTest("blobs"), endpoint: wire.endpoint });
  const directory = await mkdtemp(join(tmpdir(), "matinee-blobs-"));
  try {
    const key = newKey();
    const body = randomBytes(8 * MiB);
    const { etag } = await blobs.put("sources", key, body, { contentType: "video/mp4" });
    const filePath = join(directory, "master");
    wire.state.cutAfter = 3 * MiB;
    wire.state.cutsLeft = 1;
    const facts = await broken.download("sources", key, filePath, { ifMatch: etag });
    assert.equal(wire.state.cutsLeft, 0);
    assert.equal(facts?.sizeBytes, body.byteLength);
    assert.ok(body.equals(await readFile(filePath)));
    assert.ok(wire.state.bytes < 12 * MiB, `${wire.state.bytes} bytes were read for 8 MiB`);
    Object.assign(wire.state, { cutAfter: 0, cutsLeft: Number.POSITIVE_INFINITY });
    await assert.rejects(broken.download("sources", key, filePath), { failureClass: "transient" });
    await assert.rejects(broken.read("sources", key), { failureClass: "transient" });
  } finally {
    broken.close();
    wire.close();
    await rm(directory, { recursive: true });
  }
});

test("what is read through comes in order, after a break from nought again, and stops where its taker fails", async () => {
  const wire = await wireToStore();
  const broken = openBlobs({ ...s3ForTest("blobs"), endpoint: wire.endpoint });
  try {
    const key = newKey();
    const body = randomBytes(8 * MiB);
    await blobs.put("sources", key, body, { contentType: "video/mp4" });
    Object.assign(wire.state, { cutAfter: 3 * MiB, cutsLeft: 1 });
    const range = { start: 5, end: body.length - 1 };
    let came = Buffer.alloc(0);
    const arrived = await broken.readThrough("sources", key, { range }, async (pieces, at) => {
      came = Buffer.concat([came.subarray(0, at), ...pieces]);
    });
    assert.equal(arrived, body.length - 5);
    assert.ok(came.equals(body.subarray(5)));
    assert.equal(wire.state.cutsLeft, 0, "it was cut once");
    let takes = 0;
    const full = broken.readThrough("sources", key, {}, async () => {
      takes++;
      throw new Error("no room");
    });
    await assert.rejects(full, { message: "no room" });
    assert.equal(takes, 1);
  } finally {
    broken.close();
    wire.close();
  }
});

test("listing and removing a prefix takes all of it and nothing beside it", async () => {
  const root = newKey();
  for (const name of ["a/1", "a/2", "ab/3"]) {
    await blobs.put("media", `${root}/${name}`, Buffer.from(name), { contentType: "text/plain" });
  }
  assert.equal(await blobs.removePrefix("media", `${root}/a/`), 2);
  const left: string[] = [];
  for await (const object of blobs.list("media", `${root}/`)) left.push(`${object.key}=${object.sizeBytes}`);
  assert.deepEqual(left, [`${root}/ab/3=4`]);
  await assert.rejects(blobs.removePrefix("media", root), { code: "prefix_refused" });
  await blobs.remove("media", [`${root}/ab/3`, `${root}/gone`]);
});

test("a listing and a reading name the same version of an object, written or copied, and another one of other bytes", async () => {
  const root = newKey();
  const keys = [`${root}/a/1`, `${root}/a/2`];
  const read = (key: string) => blobs.readWhole("media", key);
  const listed = async () => {
    const found = [];
    for await (const { key, ...listing } of blobs.list("media", `${root}/`))
      found.push([key, versionOf(listing)]);
    return found;
  };
  await blobs.put("media", keys[0]!, Buffer.from("one"), { contentType: "text/plain" });
  await blobs.copy("media", keys[0]!, keys[1]!);
  const first = await Promise.all(keys.map(async (key) => [key, versionOf((await read(key))!.facts)]));
  assert.deepEqual(await listed(), first);
  await blobs.put("media", keys[1]!, Buffer.from("two"), { contentType: "text/plain" });
  assert.equal(Buffer.from((await read(keys[1]!))!.bytes).toString(), "two");
  const [same, other] = await listed();
  assert.deepEqual(same, first[0]);
  assert.notDeepEqual(other, first[1]);
  assert.equal(await read(`${root}/a/3`), null);
  await blobs.remove("media", keys);
});

test("a presigned part takes exactly its bytes: wrong length, flipped, cut or unsigned is refused (T16, T19)", async () => {
  const key = newKey();
  // Small enough that the store reads it all before it hangs up, so its answer always arrives.
  const body = randomBytes(60_000);
  const multipartId = await blobs.createMultipart(key, "video/mp4");
  const { url, headers } = await presigned(key, multipartId, 1, body);
  assert.match(
    new URL(url).searchParams.get("X-Amz-SignedHeaders") ?? "",
    /content-length;host;x-amz-checksum-sha256/,
  );
  const flipped = Buffer.from(body);
  flipped[30_000] = (flipped[30_000] ?? 0) ^ 1;
  const parts = { key, multipartId };
  assert.equal(await putRaw(url, {}, body), 403, "without its checksum header");
  assert.equal(await putRaw(url, headers, Buffer.concat([body, Buffer.from("x")])), 403, "one byte more");
  assert.equal(await putRaw(url, headers, body.subarray(1)), 403, "one byte less");
  assert.equal(
    await putRaw(url, { "x-amz-checksum-sha256": sha256(flipped) }, flipped),
    403,
    "another checksum",
  );
  assert.equal(await putRaw(url, headers, flipped), 400, "a flipped bit");
  assert.equal(await putRaw(url, headers, body.subarray(0, 20_000), body.byteLength), "reset", "a cut body");
  assert.equal(await putRaw(url.replace("partNumber=1", "partNumber=2"), headers, body), 403, "another part");
  assert.deepEqual(await blobs.listParts(parts), []);
  assert.equal(await putRaw(url, headers, body), 200);
  const listed = await blobs.listParts(parts);
  assert.deepEqual(
    listed?.map((part) => [part.partNumber, part.sizeBytes, part.sha256]),
    [[1, body.byteLength, sha256(body)]],
  );
  await blobs.abortMultipart(parts);
});

test("complete can be repeated and a replayed part changes nothing afterwards (T17, F17)", async () => {
  const key = newKey();
  const bodies = [randomBytes(5 * MiB), randomBytes(5 * MiB), randomBytes(1_000)];
  const { multipartId, calls, parts } = await uploadedParts(key, bodies);
  const done = await blobs.completeMultipart({ key, multipartId, parts });
  assert.equal(done.sizeBytes, 10 * MiB + 1_000);
  assert.deepEqual(await blobs.completeMultipart({ key, multipartId, parts }), done);
  assert.equal(await blobs.listParts({ key, multipartId }), null);
  for (const [index, body] of bodies.entries()) {
    assert.notEqual(await putRaw(calls[index]?.url ?? "", calls[index]?.headers ?? {}, body), 200);
  }
  assert.equal(await blobs.listParts({ key, multipartId }), null);
  const stored = await blobs.read("sources", key, { ifMatch: done.etag });
  assert.ok(stored && Buffer.concat(bodies).equals(stored));
});

test("complete with a part that is not there fails and leaves no object", async () => {
  const key = newKey();
  const { multipartId, parts } = await uploadedParts(key, [randomBytes(5 * MiB)]);
  const forged = { ...(parts[0] as StoredPart), partNumber: 2 };
  await assert.rejects(blobs.completeMultipart({ key, multipartId, parts: [...parts, forged] }), {
    code: "blob_store_refused",
  });
  assert.equal(await blobs.head("sources", key), null);
  await blobs.abortMultipart({ key, multipartId });
});

test("an aborted upload leaves nothing, and aborting again is fine (T20)", async () => {
  const key = newKey();
  const body = randomBytes(60_000);
  const { multipartId, calls, parts } = await uploadedParts(key, [body]);
  await blobs.abortMultipart({ key, multipartId });
  await blobs.abortMultipart({ key, multipartId });
  assert.equal(await blobs.listParts({ key, multipartId }), null);
  assert.notEqual(await putRaw(calls[0]?.url ?? "", calls[0]?.headers ?? {}, body), 200);
  assert.equal(await blobs.listParts({ key, multipartId }), null);
  await assert.rejects(blobs.completeMultipart({ key, multipartId, parts }), { code: "upload_damaged" });
});

test("all pages of parts are listed", async () => {
  const key = newKey();
  const multipartId = await blobs.createMultipart(key, "video/mp4");
  const body = Buffer.from("small part");
  for (let partNumber = 1; partNumber <= 3; partNumber++) {
    const call = await presigned(key, multipartId, partNumber, body);
    assert.equal(await putRaw(call.url, call.headers, body), 200);
  }
  assert.equal((await blobs.listParts({ key, multipartId }))?.length, 3);
  await blobs.abortMultipart({ key, multipartId });
});

test("a page of an allowed origin may PUT, another may not", async () => {
  const { url } = await presigned(newKey(), "none", 1, Buffer.from("x"));
  const preflight = (origin: string) =>
    fetch(url, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "PUT",
        "access-control-request-headers": "x-amz-checksum-sha256",
      },
    });
  const allowed = await preflight("http://studio.test");
  assert.equal(allowed.headers.get("access-control-allow-origin"), "http://studio.test");
  assert.equal((await preflight("http://elsewhere.test")).headers.get("access-control-allow-origin"), null);
});

test("ping passes on a good store; a store that is away is a transient failure", async () => {
  await blobs.ping();
  const away = openBlobs({ ...s3ForTest("blobs"), endpoint: "http://127.0.0.1:9" });
  await assert.rejects(
    away.ping(),
    (thrown) => thrown instanceof Failure && thrown.failureClass === "transient",
  );
  away.close();
});

test("a refused credential is a defect of ours, not a reason to try again", async () => {
  const refused = openBlobs({ ...s3ForTest("blobs"), secretAccessKey: "wrong" });
  await assert.rejects(refused.read("media", "x"), { failureClass: "ours", code: "blob_store_refused" });
  refused.close();
});
