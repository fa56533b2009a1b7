import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import type { CacheSettings } from "../../delivery/cache/cached-source.ts";
import { eventually } from "../rig/processes.ts";
import { BEHIND, type Edge, openEdge, PAGE, PLAYLIST, storePackage } from "./edge-for-test.ts";

const NAME = "edge";
const { prefix, objects } = await storePackage(NAME);
const SEGMENT = "video/360p/00000.m4s";
const segment = objects.get(SEGMENT) as Buffer;
const folder = await mkdtemp(join(tmpdir(), "matinee-edge-"));
const cache = { folder, diskBytes: 64 * 1024 * 1024, memoryBytes: 16 * 1024 * 1024 };

after(() => rm(folder, { recursive: true, force: true }));

// In this order: each finds the cache as the one before has left it.
for (const [kind, options] of [
  ["straight from the store", {}],
  ["from an empty cache, then a warm one", { cache }],
  ["from a cache without memory, after a restart", { cache: { ...cache, memoryBytes: 0 } }],
] as const) {
  describe(kind, () => edgeTests(options));
}

function edgeTests(options: { cache?: CacheSettings }): void {
  let edge: Edge;
  let base: string;

  before(async () => {
    edge = await openEdge(NAME, options);
    base = `${edge.url}/v/${edge.grant(prefix)}${prefix}`;
  });
  after(() => edge.close());

  /** An answer with its body as it came over the wire (fetch would unpack gzip). */
  function wire(path: string, headers: Record<string, string> = {}, method = "GET") {
    return new Promise<{ status: number; headers: Record<string, string>; body: Buffer }>(
      (resolve, reject) => {
        const call = request(`${base}${path}`, { method, headers }, (answer) => {
          const pieces: Buffer[] = [];
          answer.on("data", (piece) => pieces.push(piece)).on("error", reject);
          answer.on("end", () =>
            resolve({
              status: answer.statusCode ?? 0,
              headers: answer.headers as Record<string, string>,
              body: Buffer.concat(pieces),
            }),
          );
        });
        call.on("error", reject).end();
      },
    );
  }

  test("every class of object has its type, is kept for a year and cannot be sniffed", async () => {
    const types: Record<string, string> = {
      "main.m3u8": "application/vnd.apple.mpegurl",
      "main.mpd": "application/dash+xml",
      "video/360p/init.mp4": "video/mp4",
      "video/360p/00000.m4s": "video/iso.segment",
      "audio/a0/init.mp4": "audio/mp4",
      "audio/a0/00000.m4s": "audio/mp4",
      "text/en/00000.vtt": "text/vtt; charset=utf-8",
      "images/poster.jpg": "image/jpeg",
    };
    for (const [path, type] of Object.entries(types)) {
      const { status, headers } = await wire(path);
      assert.equal(status, 200, path);
      assert.equal(headers["content-type"], type);
      assert.equal(headers["cache-control"], "public, max-age=31536000, immutable");
      assert.equal(headers["x-content-type-options"], "nosniff");
      assert.equal(headers.location, undefined);
    }
  });

  test("a segment comes whole, in ranges, and not again when it is known", async () => {
    const whole = await wire(SEGMENT);
    assert.deepEqual(whole.body, segment);
    assert.equal(whole.headers["content-length"], "200000");
    assert.equal(whole.headers["accept-ranges"], "bytes");
    const etag = whole.headers.etag as string;
    const cases: [string, number, number, number][] = [
      ["bytes=0-0", 206, 0, 1],
      ["bytes=100-199", 206, 100, 200],
      ["bytes=199990-", 206, 199_990, 200_000],
      ["bytes=-7", 206, 199_993, 200_000],
      ["bytes=199999-999999999", 206, 199_999, 200_000],
      ["bytes=0-1,5-6", 200, 0, 200_000],
      ["bytes=9-1", 200, 0, 200_000],
    ];
    for (const [range, status, from, to] of cases) {
      const part = await wire(SEGMENT, { range });
      assert.equal(part.status, status, range);
      assert.deepEqual(part.body, segment.subarray(from, to), range);
      assert.equal(part.headers["content-length"], String(to - from));
      if (status === 206) assert.equal(part.headers["content-range"], `bytes ${from}-${to - 1}/200000`);
    }
    for (const first of BEHIND) {
      const behind = await wire(SEGMENT, { range: `bytes=${first}-` });
      assert.deepEqual([behind.status, behind.headers["content-range"]], [416, "bytes */200000"], first);
      assert.equal(JSON.parse(behind.body.toString()).code, "range_not_satisfiable");
    }
    const known = await wire(SEGMENT, { "if-none-match": etag });
    assert.deepEqual([known.status, known.headers.etag, known.body.length], [304, etag, 0]);
    assert.equal((await wire(SEGMENT, { "if-none-match": '"x"' })).status, 200);
    assert.equal((await wire(SEGMENT, { "if-match": '"x"' })).status, 412);
    assert.equal((await wire(SEGMENT, { range: "bytes=0-9", "if-range": etag })).status, 206);
    assert.equal((await wire(SEGMENT, { range: "bytes=0-9", "if-range": '"x"' })).status, 200);
  });

  test("HEAD says what GET would, without the body", async () => {
    for (const path of objects.keys()) {
      const looked = await wire(path, { "accept-encoding": "gzip" }, "HEAD");
      const got = await wire(path, { "accept-encoding": "gzip" });
      assert.equal(looked.body.length, 0);
      for (const name of [
        "content-type",
        "content-length",
        "content-encoding",
        "etag",
        "cache-control",
        "last-modified",
      ]) {
        assert.equal(looked.headers[name], got.headers[name], `${name} of ${path}`);
      }
    }
    assert.equal((await wire("video/360p/99999.m4s", {}, "HEAD")).status, 404);
  });

  test("a playlist goes out gzipped to who reads gzip and plain to who does not", async () => {
    const packed = await wire("main.m3u8", { "accept-encoding": "gzip, br", origin: PAGE });
    assert.equal(packed.headers["content-encoding"], "gzip");
    assert.equal(packed.headers["content-length"], String(packed.body.length));
    assert.equal(gunzipSync(packed.body).toString(), PLAYLIST);
    assert.match(packed.headers.vary ?? "", /Accept-Encoding/);
    assert.match(packed.headers.vary ?? "", /Origin/);
    for (const refused of ["identity", "gzip;q=0", "br"]) {
      const plain = await wire("main.m3u8", { "accept-encoding": refused, range: "bytes=0-3" });
      assert.deepEqual([plain.status, plain.headers["content-encoding"]], [200, undefined]);
      assert.equal(plain.headers["content-length"], String(PLAYLIST.length));
      assert.equal(plain.body.toString(), PLAYLIST);
      assert.notEqual(plain.headers.etag, packed.headers.etag);
      const known = await wire("main.m3u8", {
        "accept-encoding": refused,
        "if-none-match": plain.headers.etag ?? "",
      });
      assert.equal(known.status, 304);
    }
  });

  test("an allowed page may read across origins, with ranges; another page may not (T41)", async () => {
    const preflight = await wire(
      SEGMENT,
      { origin: PAGE, "access-control-request-method": "GET" },
      "OPTIONS",
    );
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers["access-control-allow-origin"], PAGE);
    assert.match(preflight.headers["access-control-allow-headers"] ?? "", /\bRange\b/);
    assert.ok(Number(preflight.headers["access-control-max-age"]) > 0);
    const read = await wire(SEGMENT, { origin: PAGE, range: "bytes=0-9" });
    assert.equal(read.headers["access-control-allow-origin"], PAGE);
    assert.equal(read.headers["timing-allow-origin"], PAGE);
    assert.match(read.headers["access-control-expose-headers"] ?? "", /Content-Range/);
    assert.equal(read.headers["access-control-allow-credentials"], undefined);
    for (const origin of [
      "null",
      "http://player.test.evil.test",
      "https://player.test",
      "http://player.test:81",
      "http://xplayer.test",
    ]) {
      const refused = await wire(SEGMENT, { origin });
      assert.equal(refused.headers["access-control-allow-origin"], undefined, origin);
    }
  });

  test("with * any page may read", async () => {
    const open = await openEdge(NAME, { corsOrigins: ["*"] });
    const answer = await fetch(`${open.url}/v/${open.grant(prefix)}${prefix}main.m3u8`, {
      headers: { origin: "http://any.test" },
    });
    assert.equal(answer.headers.get("access-control-allow-origin"), "*");
    await answer.arrayBuffer();
    await open.close();
  });

  test("health, readiness and metrics are served; requests and bytes are counted", async () => {
    const health = await fetch(`${edge.url}/healthz`);
    assert.deepEqual([health.status, await health.json()], [200, { status: "ok" }]);
    const ready = await fetch(`${edge.url}/readyz`);
    const { load, ...rest } = await ready.json();
    assert.ok(load >= 0 && load <= 1, `${load}`);
    assert.deepEqual(
      [ready.status, rest],
      [
        200,
        {
          status: "ready",
          dependencies: { blobStore: "ok", revocations: "ok", ...(edge.hasCache && { cache: "ok" }) },
        },
      ],
    );
    const text = await (await fetch(`${edge.url}/metrics`)).text();
    assert.match(text, /matinee_delivery_requests_total\{status="206"\} \d/);
    assert.match(text, /matinee_delivery_first_byte_seconds_bucket/);
    const before = await edge.metric("matinee_delivery_body_bytes_total");
    await wire(SEGMENT);
    // Counted once the answer is through, which is after we have it.
    await eventually("the segment's bytes, and no more", 60, async () =>
      (await edge.metric("matinee_delivery_body_bytes_total")) === before + segment.length ? true : null,
    );
  });

  test("each answer carries its request id, and a plain one of the caller is kept", async () => {
    assert.equal((await wire(SEGMENT, { "x-request-id": "abc-1" })).headers["x-request-id"], "abc-1");
    assert.match((await wire(SEGMENT, { "x-request-id": 'a"b {}' })).headers["x-request-id"] ?? "", /^rq_/);
  });
}

test("who asks which edge to play from is sent to the API, under a good grant alone", async () => {
  const edge = await openEdge(NAME, { steeringUrl: "https://api.test" });
  const grant = edge.grant(prefix);
  const ask = (path: string) =>
    fetch(`${edge.url}${path}`, { redirect: "manual", headers: { origin: PAGE } });
  const path = `/v/${grant}${prefix}steering.json`;
  const answer = await ask(`${path}?_HLS_pathway=.`);
  assert.equal(answer.status, 307);
  assert.equal(
    answer.headers.get("location"),
    `https://api.test/steering${path}?edge=127.0.0.1&_HLS_pathway=.`,
  );
  assert.equal(answer.headers.get("cache-control"), "no-store");
  assert.equal(answer.headers.get("access-control-allow-origin"), PAGE);
  assert.equal((await ask(`/v/x${prefix}steering.json`)).status, 403);
  const { load } = await (await ask("/readyz")).json();
  assert.ok(load > 0 && load <= 1, `${load}`);
  await edge.close();
  const alone = await openEdge(NAME);
  assert.equal((await fetch(`${alone.url}/v/${alone.grant(prefix)}${prefix}steering.json`)).status, 404);
  await alone.close();
});
