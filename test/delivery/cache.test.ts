import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { openBlobs } from "../../stores/blobs.ts";
import { s3ForTest } from "../stores/s3-for-test.ts";
import { wireToStore } from "../stores/wire-to-store.ts";
import { type Edge, NOW, openEdge, PLAYLIST, storePackage } from "./edge-for-test.ts";

const NAME = "cache";
const MiB = 1024 * 1024;
const { prefix, objects } = await storePackage(NAME);

/** An edge with a cache of its own, behind a wire to the store that can be spoilt. */
async function cachedEdge(context: TestContext, change: { diskBytes?: number; memoryBytes?: number } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "matinee-cache-"));
  const wire = await wireToStore();
  const cache = { folder, diskBytes: 256 * MiB, memoryBytes: 16 * MiB, ...change };
  let edge = await openEdge(NAME, { s3Endpoint: wire.endpoint, cache });
  const of = (path: string) => `${edge.url}/v/${edge.grant(prefix)}${prefix}${path}`;
  context.after(async () => {
    await edge.close();
    wire.close();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    wire,
    folder,
    of,
    edge: () => edge,
    count: (name: string, label: string) => counted(edge, name, label),
    read: async (path: string) => Buffer.from(await (await fetch(of(path))).arrayBuffer()),
    async restart() {
      await edge.close();
      edge = await openEdge(NAME, { s3Endpoint: wire.endpoint, cache });
    },
  };
}

async function counted(edge: Edge, name: string, label: string): Promise<number> {
  const value = await edge.metric(`matinee_delivery_${name}{${label}}`);
  return Number.isNaN(value) ? 0 : value;
}

async function storeSegment(sizeBytes: number, number = 0, folder = randomBytes(4).toString("hex")) {
  const blobs = openBlobs(s3ForTest(NAME));
  const path = `video/${folder}/${String(number).padStart(5, "0")}.m4s`;
  const bytes = randomBytes(sizeBytes);
  await blobs.put("media", `${prefix.slice(1)}${path}`, bytes, { contentType: "video/mp4" });
  blobs.close();
  return { path, bytes, folder };
}

function opened(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => get(url, { agent: false }, resolve).on("error", reject));
}

/** The body, or null where it broke off, however soon. */
function bodyOf(url: string, range?: string): Promise<Buffer | null> {
  const answer = fetch(url, range === undefined ? {} : { headers: { range } });
  return answer.then((got) => got.arrayBuffer()).then(Buffer.from, () => null);
}

test("however many ask at once, the store is asked once, and all get the whole object", async (context) => {
  const { of, wire, count } = await cachedEdge(context);
  const { path, bytes } = await storeSegment(3 * MiB);
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, at) =>
      fetch(of(path), at % 4 === 0 ? { headers: { range: `bytes=${at}-${at + 99}` } } : {}),
    ),
  );
  for (const [at, answer] of answers.entries()) {
    const wanted = at % 4 === 0 ? bytes.subarray(at, at + 100) : bytes;
    assert.ok(wanted.equals(Buffer.from(await answer.arrayBuffer())), `reader ${at}`);
  }
  assert.equal(await count("store_fetches_total", 'result="kept"'), 1);
  assert.equal(await count("cache_requests_total", 'outcome="fetched"'), 1);
  assert.ok(wire.state.bytes < 4 * MiB, `${wire.state.bytes} bytes from the store`);
});

test("what has arrived goes out to everybody while the rest is on its way", async (context) => {
  const { of, wire, read } = await cachedEdge(context);
  const { path, bytes } = await storeSegment(4 * MiB);
  wire.state.holdAfter = wire.state.bytes + MiB;
  const readers = await Promise.all([opened(of(path)), opened(of(path)), opened(of(path))]);
  for (const reader of readers) {
    await once(reader, "readable");
    assert.ok(bytes.subarray(0, 1_000).equals(reader.read(1_000)));
  }
  readers.pop()?.destroy();
  wire.release();
  for (const reader of readers) {
    const rest: Buffer[] = await reader.toArray();
    assert.ok(bytes.subarray(1_000).equals(Buffer.concat(rest)));
  }
  assert.ok(bytes.equals(await read(path)));
});

test("a fetch that nobody waits for any more ends", async (context) => {
  const { of, wire, count } = await cachedEdge(context);
  const { path, bytes } = await storeSegment(8 * MiB);
  wire.state.holdAfter = wire.state.bytes + MiB;
  const reader = await opened(of(path));
  await once(reader, "readable");
  reader.destroy();
  while ((await count("store_fetches_total", 'result="abandoned"')) === 0) await turn();
  wire.release();
  assert.ok(bytes.equals((await bodyOf(of(path)))!));
});

test("who asks for what somebody else has just left gets it whole", async (context) => {
  const { of, wire } = await cachedEdge(context);
  for (let round = 0; round < 20; round++) {
    const { path, bytes } = await storeSegment(4 * MiB);
    wire.state.holdAfter = wire.state.bytes + MiB;
    const reader = await opened(of(path));
    await once(reader, "readable");
    // A seek and back: the next request is on its way when the edge sees the first one go.
    reader.destroy();
    const next = bodyOf(of(path));
    await turn();
    wire.release();
    assert.ok(bytes.equals((await next)!), `round ${round}`);
  }
});

test("a body that breaks off is taken up where it ended, and readers notice nothing (F15)", async (context) => {
  const { of, wire } = await cachedEdge(context);
  const { path, bytes } = await storeSegment(6 * MiB);
  wire.state.cutAfter = wire.state.bytes + MiB;
  wire.state.cutsLeft = 2;
  const readers = await Promise.all([bodyOf(of(path)), bodyOf(of(path))]);
  for (const body of readers) assert.ok(body !== null && bytes.equals(body));
});

test("one that never comes whole is never served whole, and not kept (F15)", async (context) => {
  const { of, wire, count } = await cachedEdge(context);
  const { path, bytes } = await storeSegment(2 * MiB);
  wire.state.cutAfter = wire.state.bytes + 100_000;
  const answer = await fetch(of(path)).then(
    (got) =>
      got.ok
        ? got.arrayBuffer().then(
            () => "whole",
            () => "cut",
          )
        : String(got.status),
    () => "cut",
  );
  assert.notEqual(answer, "whole");
  assert.equal(await count("store_fetches_total", 'result="kept"'), 0);
  wire.state.cutAfter = Number.POSITIVE_INFINITY;
  assert.ok(bytes.equals((await bodyOf(of(path)))!));
});

test("a flipped bit is found before anybody has the whole object (F16)", async (context) => {
  const { of, wire, count } = await cachedEdge(context);
  const { path, bytes } = await storeSegment(2 * MiB);
  wire.state.flipAt = wire.state.bytes + MiB;
  const [one, other] = await Promise.all([bodyOf(of(path)), bodyOf(of(path))]);
  assert.deepEqual([one, other], [null, null]);
  assert.equal(await count("store_fetches_total", 'result="damaged"'), 1);
  assert.ok(bytes.equals((await bodyOf(of(path)))!));
});

test("no range of an object that arrives damaged is whole, wherever the wrong bit is (F16)", async (context) => {
  const { of, wire, count } = await cachedEdge(context);
  const { path, bytes } = await storeSegment(2 * MiB);
  wire.state.flipAt = wire.state.bytes + MiB;
  const ranges = ["bytes=1000000-1200000", "bytes=5-99", "bytes=2000000-2000000", "bytes=1000000-"];
  const bodies = await Promise.all(ranges.map((range) => bodyOf(of(path), range)));
  assert.deepEqual(
    bodies.map((body) => body?.byteLength),
    ranges.map(() => undefined),
  );
  assert.equal(await count("store_fetches_total", 'result="damaged"'), 1);
  assert.ok(bytes.subarray(5, 100).equals((await bodyOf(of(path), "bytes=5-99"))!));
});

test("what passes the cache is compared too (F16)", async (context) => {
  const { of, wire, count } = await cachedEdge(context, { diskBytes: 16 * MiB });
  const { path, bytes } = await storeSegment(24 * MiB);
  for (const range of [undefined, "bytes=5-99"]) {
    // Far enough for the first try's rest, which the edge throws away.
    wire.state.flipAt = wire.state.bytes + 16 * MiB;
    assert.equal(await bodyOf(of(path), range), null, range);
    assert.ok(wire.state.bytes > wire.state.flipAt, "the wrong bit was sent");
  }
  assert.equal(await count("store_fetches_total", 'result="passed"'), 2);
  assert.ok(bytes.subarray(5, 100).equals((await bodyOf(of(path), "bytes=5-99"))!));
});

test("while the store is away a warm film plays on, and only what is cold is 503", async (context) => {
  const { of, wire, edge, read } = await cachedEdge(context);
  const { path: cold } = await storeSegment(MiB);
  for (const path of objects.keys()) await read(path);
  wire.close();
  for (const [path, body] of objects) assert.deepEqual(await read(path), body, path);
  const part = await fetch(of("video/360p/00000.m4s"), { headers: { range: "bytes=5-9" } });
  assert.equal(part.status, 206);
  assert.equal((await fetch(of("main.m3u8"), { headers: { "accept-encoding": "identity" } })).status, 200);
  assert.equal((await fetch(of("main.m3u8"), { method: "HEAD" })).status, 200);
  assert.equal((await fetch(of(cold))).status, 503);
  const ready = await fetch(`${edge().url}/readyz`);
  const { status, dependencies } = await ready.json();
  assert.deepEqual([ready.status, status], [200, "degraded"]);
  assert.deepEqual([dependencies.blobStore, dependencies.cache], ["unavailable", "ok"]);
});

test("a store that falls silent for a stretch: warm segments play on, cold ones say so in time and come back", async (context) => {
  const { of, wire, read } = await cachedEdge(context);
  const { path: first, bytes: begin, folder } = await storeSegment(100_000, 0);
  const warm = [{ path: first, bytes: begin }];
  for (let number = 1; number < 5; number++) warm.push(await storeSegment(100_000, number, folder));
  const cold = await storeSegment(100_000, 7);
  for (const { path } of warm) await read(path);
  wire.silence(true);
  let asked = 0;
  wire.changes.on("opened", () => asked++);
  const late = fetch(of(cold.path));
  for (const { path, bytes } of warm) {
    for (const range of ["bytes=0-", "bytes=7-99"]) {
      const [, from, to] = /(\d+)-(\d*)/.exec(range)!;
      const part = await fetch(of(path), { headers: { range } });
      const wanted = bytes.subarray(Number(from), to === "" ? bytes.length : Number(to) + 1);
      assert.ok(wanted.equals(Buffer.from(await part.arrayBuffer())), `${path} ${range}`);
    }
  }
  const answer = await late;
  assert.deepEqual([answer.status, answer.headers.get("cache-control")], [503, "no-store"]);
  assert.ok(Number(answer.headers.get("retry-after")) > 0);
  // The object and its head, the next segment after the last warm one likewise, and the list of revocations: each once.
  assert.ok(asked <= 7, `${asked} questions to a store that is silent`);
  wire.silence(false);
  assert.ok(cold.bytes.equals(await read(cold.path)), "it is there again");
});

test("the disk never holds more than it may, and gives up what was used longest ago", async (context) => {
  const { edge, read, folder, count } = await cachedEdge(context, { diskBytes: 16 * MiB, memoryBytes: 0 });
  const segments = [];
  for (let at = 0; at < 24; at++) segments.push(await storeSegment(MiB));
  const [first] = segments;
  for (const { path, bytes } of segments) {
    assert.ok(bytes.equals(await read(path)));
    assert.ok(first!.bytes.equals(await read(first!.path)));
    assert.ok((await sizeOf(folder)) <= 16 * MiB);
  }
  assert.ok((await edge().metric("matinee_delivery_cache_disk_bytes")) <= 16 * MiB);
  assert.ok((await edge().metric("matinee_delivery_cache_evictions_total")) >= 8);
  assert.equal(await count("cache_requests_total", 'outcome="fetched"'), 24, "the one in use stayed");
  const { path, bytes } = await storeSegment(3 * MiB);
  assert.ok(bytes.equals(await read(path)), "what is too large to be kept passes by");
  assert.equal(await count("store_fetches_total", 'result="passed"'), 1);
});

async function sizeOf(folder: string): Promise<number> {
  const places = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = places.filter((place) => place.isFile());
  const sizes = files.map((place) =>
    stat(join(place.parentPath, place.name)).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

test("a restart keeps what is whole, and throws away what is cut, strange or not what it was", async (context) => {
  const { read, restart, folder, count } = await cachedEdge(context);
  const segments = [await storeSegment(MiB), await storeSegment(MiB), await storeSegment(MiB)];
  for (const { path } of segments) await read(path);
  const places = await readdir(join(folder, "objects"), { recursive: true, withFileTypes: true });
  const byKey = new Map<string, string>();
  for (const place of places.filter((one) => one.isFile())) {
    const file = join(place.parentPath, place.name);
    byKey.set(JSON.parse((await readFile(file)).subarray(0, 2_048).toString()).key, file);
  }
  const [, cut, flipped] = segments.map(({ path }) => byKey.get(`${prefix.slice(1)}${path}`)!);
  await truncate(cut!, 500_000);
  const spoilt = await readFile(flipped!);
  spoilt[700_000]! ^= 1;
  await writeFile(flipped!, spoilt);
  await writeFile(join(folder, "objects/stray"), "x");
  await writeFile(join(folder, "unfinished/7"), "x");
  await restart();
  assert.deepEqual(await readdir(join(folder, "unfinished")), []);
  for (const { path, bytes } of segments) assert.ok(bytes.equals(await read(path)), path);
  assert.equal(await count("cache_requests_total", 'outcome="disk"'), 1);
  assert.equal(await count("cache_requests_total", 'outcome="fetched"'), 2);
});

test("the next segment is there before it is asked for", async (context) => {
  const { read, count } = await cachedEdge(context);
  const { folder, path } = await storeSegment(100_000, 0);
  const next = await storeSegment(100_000, 1, folder);
  await read(path);
  while ((await count("store_fetches_total", 'result="kept"')) < 2) await turn();
  assert.ok(next.bytes.equals(await read(next.path)));
  assert.equal(await count("cache_requests_total", 'outcome="fetched"'), 1);
});

test("a disk that takes nothing does not keep a film from its viewers", async (context) => {
  const { of, edge, read, folder } = await cachedEdge(context);
  const [one, two] = [await storeSegment(MiB), await storeSegment(MiB)];
  await rm(join(folder, "unfinished"), { recursive: true });
  assert.ok(one.bytes.equals(await read(one.path)));
  assert.ok(two.bytes.equals(await read(two.path)));
  const part = await fetch(of(two.path), { headers: { range: "bytes=3-4" } });
  assert.ok(two.bytes.subarray(3, 5).equals(Buffer.from(await part.arrayBuffer())));
  const ready = await (await fetch(`${edge().url}/readyz`)).json();
  assert.deepEqual([ready.status, ready.dependencies.cache], ["degraded", "refuses"]);
});

test("one viewer's copy is the other's, and a warm object is refused like a cold one (T31)", async (context) => {
  const { edge, count } = await cachedEdge(context);
  const { path, bytes } = await storeSegment(MiB);
  const { url, grant, key } = edge();
  const read = (one: string) => fetch(`${url}/v/${one}${prefix}${path}`);
  for (const expires of [NOW + 100, NOW + 200, NOW + 300, NOW + 400]) {
    assert.ok(bytes.equals(Buffer.from(await (await read(grant(prefix, expires))).arrayBuffer())));
  }
  assert.equal(await count("cache_requests_total", 'outcome="fetched"'), 1);
  assert.ok((await count("cache_requests_total", 'outcome="memory"')) >= 1);
  assert.equal((await read(grant(prefix, NOW - 61))).status, 403);
  assert.equal((await read(grant(prefix, NOW + 99, { ...key, kid: "gone" }))).status, 403);
  assert.equal((await fetch(`${url}/v${prefix}${path}`)).status, 403);
});

test("a playlist of a cached film is packed and unpacked as from the store", async (context) => {
  const { of } = await cachedEdge(context);
  for (let times = 0; times < 3; times++) {
    const packed = await fetch(of("main.m3u8"));
    assert.equal(packed.headers.get("content-encoding"), "gzip");
    assert.equal(await packed.text(), PLAYLIST);
    const plain = await fetch(of("main.m3u8"), { headers: { "accept-encoding": "identity" } });
    assert.equal(plain.headers.get("content-encoding"), null);
    assert.equal(await plain.text(), PLAYLIST);
  }
});
