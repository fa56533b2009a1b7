import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { GRANT_LEEWAY_SECONDS, GRANT_MAX_SECONDS, signGrant } from "../../core/grant.ts";
import { openBlobs } from "../../stores/blobs.ts";
import { type NginxEdge, startNginxEdge } from "../rig/nginx-edge.ts";
import { eventually } from "../rig/processes.ts";
import { s3ForTest } from "../stores/s3-for-test.ts";
import { wireToStore } from "../stores/wire-to-store.ts";
import { BEHIND, PAGE, PLAYLIST, storePackage } from "./edge-for-test.ts";
import {
  ADDRESS_HEADER,
  COUNTRY_HEADER,
  judgeVectors,
  listOf,
  raw,
  VECTOR_NOW,
  vectorKeys,
  vectorKeysText,
} from "./edge-under-test.ts";

const NAME = "nginx";
const skip = process.env.MATINEE_TEST_NGINX ? false : "there is no nginx with njs here";
const STEERING = "https://api.test";
const SEGMENT = "video/360p/00000.m4s";
const [key] = vectorKeys as [(typeof vectorKeys)[0]];
const { prefix, objects } = await storePackage(NAME);
const other = await storePackage(NAME);
const wire = await wireToStore();
const s3 = s3ForTest(NAME);
const blobs = openBlobs(s3);
/** Seconds by which the edge's clock runs before ours: it lives in the vectors' year. */
const offset = VECTOR_NOW - Math.floor(Date.now() / 1_000);
const edge: NginxEdge | null = skip
  ? null
  : await startNginxEdge(
      {
        MATINEE_S3_ENDPOINT: wire.endpoint,
        MATINEE_S3_ACCESS_KEY_ID: s3.accessKeyId,
        MATINEE_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
        MATINEE_S3_MEDIA_BUCKET: s3.mediaBucket,
        MATINEE_GRANT_KEYS: vectorKeysText,
        MATINEE_CORS_ORIGINS: PAGE,
        MATINEE_STEERING_URL: STEERING,
        MATINEE_CLIENT_ADDRESS_HEADER: ADDRESS_HEADER,
        MATINEE_COUNTRY_HEADER: COUNTRY_HEADER,
        MATINEE_NGINX_CLOCK_OFFSET_SECONDS: String(offset),
      },
      blobs,
    );

after(async () => {
  await edge?.stop();
  blobs.close();
  wire.close();
});

function grant(session = "ps_1", expiresAtSeconds = VECTOR_NOW + 300, one = key, of = prefix): string {
  return signGrant(one, { prefix: of, expiresAtSeconds, session });
}

function ask(path: string, headers: Record<string, string> = {}, method = "GET", by = grant()) {
  return raw(edge!.url, `/v/${by}${prefix}${path}`, headers, method);
}

const TURN_SECONDS = 100;
const SLICE_BYTES = 8 * 1024 * 1024;

function turnNow(): number {
  return Math.floor(Date.now() / 1_000 / TURN_SECONDS);
}

/** This turn; the next one too where it began while the first was being looked at. */
function* thisTurn(): Generator<number> {
  let turn: number;
  do {
    turn = turnNow();
    yield turn;
  } while (turnNow() !== turn);
}

/** Asks until there is a verdict of this turn. */
async function keptVerdict(by: string, of: string): Promise<void> {
  const [, asset, generation] = of.split("/");
  let kept: string[] = [];
  while (!kept.includes(`${turnNow()}~${by}~${asset}~${generation}`)) {
    assert.equal((await raw(edge!.url, `/v/${by}${of}${SEGMENT}`)).status, 200);
    kept = await readdir(join(edge!.folder, "state/verdicts"));
  }
}

test("nginx judges every vector as the file says (T26–T32)", { skip }, async () => {
  await judgeVectors({ url: edge!.url, revoke: (list) => edge!.revoke(list) }, { clockStands: false });
});

test("what was found good a moment ago changes no vector's answer", { skip }, async () => {
  const judged = { url: edge!.url, revoke: (list: Parameters<NginxEdge["revoke"]>[0]) => edge!.revoke(list) };
  await judgeVectors(judged, { clockStands: false, isAskedBefore: true });
});

test("a kept verdict lets in the grant, the title and the kind of request that it was given for", {
  skip,
}, async () => {
  const good = grant("ps_kept");
  await keptVerdict(good, prefix);
  const [, asset, generation] = prefix.split("/");
  const of = (by: string, path: string) => `/v/${by}${path}`;
  const flip = (text: string) => `${text.slice(0, -1)}${text.endsWith("A") ? "B" : "A"}`;
  const misuses: [string, string][] = [
    ["another title", of(good, `${other.prefix}${SEGMENT}`)],
    ["another generation", of(good, `/${asset}/0123456789abcdef/${SEGMENT}`)],
    ["another signature", of(flip(good), `${prefix}${SEGMENT}`)],
    ["a longer life", of(good.replace(/^1\.k1\.\d+/, `1.k1.${VECTOR_NOW + 400}`), `${prefix}${SEGMENT}`)],
    ["another session", of(good.replace("ps_kept", "pv_kept"), `${prefix}${SEGMENT}`)],
    ["another key", of(good.replace("1.k1.", "1.k2."), `${prefix}${SEGMENT}`)],
    ["another version", of(good.replace("1.k1.", "2.k1."), `${prefix}${SEGMENT}`)],
    ["the separator of verdicts", of(`${good}~${asset}`, `/${generation}/video/360p/00000.m4s`)],
    ["no object", of(good, prefix)],
    ["a way up", of(good, `${prefix}../${generation}/${SEGMENT}`)],
    ["a way up in the grant", of(`..%2f${good}`, `${prefix}${SEGMENT}`)],
    ["a dot", of(good, `${prefix}./${SEGMENT}`)],
    ["two slashes", of(good, `${prefix}/${SEGMENT}`)],
    ["a code", of(good, `${prefix}video/360p/0000%30.m4s`)],
    ["a coded question mark", of(good, `${prefix}${SEGMENT}%3f`)],
    ["a capital", of(good, `${prefix}Video/360p/00000.m4s`)],
    ["a coded line end", of(good, `${prefix}${SEGMENT}%0a`)],
    ["more than 600 characters", of(good, `${prefix}${"a".repeat(600)}`)],
    ["a path of thousands of names", of(good, `${prefix}${"a/".repeat(3_500)}a`)],
  ];
  for (const [what, target] of misuses) assert.equal((await raw(edge!.url, target)).status, 403, what);
  assert.equal((await raw(edge!.url, of(good, `${prefix}${SEGMENT}?x=/v/y`))).status, 200);
  const longest = `${prefix}${"a.a/".repeat(200)}`.slice(0, 599);
  assert.equal((await raw(edge!.url, of(good, `${longest.replace(/[./]$/, "a")}a`))).status, 404);
  const write = await raw(edge!.url, of(good, `${prefix}${SEGMENT}`), {}, "POST");
  assert.deepEqual([write.status, write.headers.allow], [405, "GET, HEAD, OPTIONS"]);
});

test("no verdict is kept that hangs on who asks or on the object", { skip }, async () => {
  const claims = { prefix, expiresAtSeconds: VECTOR_NOW + 300, session: "ps_limited" };
  const limited = signGrant(key, claims, { network: "192.0.2.0/24" });
  const pictures = grant("images");
  for (let times = 0; times < 3; times++) {
    assert.equal((await ask(SEGMENT, { [ADDRESS_HEADER]: "192.0.2.7" }, "GET", limited)).status, 200);
    assert.equal((await ask(SEGMENT, { [ADDRESS_HEADER]: "192.0.3.7" }, "GET", limited)).status, 403);
    assert.equal((await ask("images/poster.jpg", {}, "GET", pictures)).status, 200);
    assert.equal((await ask(SEGMENT, {}, "GET", pictures)).status, 403);
  }
  const kept = await readdir(join(edge!.folder, "state/verdicts"));
  assert.deepEqual(
    kept.filter((name) => name.includes(limited) || name.includes(pictures)),
    [],
  );
});

test("a verdict is kept only where the grant is good for all of the turn", { skip }, async () => {
  const ends = (turn: number) => (turn + 1) * TURN_SECONDS + offset;
  const longest = GRANT_MAX_SECONDS + GRANT_LEEWAY_SECONDS;
  const cases = (turn: number): [number, boolean][] => [
    [ends(turn) - GRANT_LEEWAY_SECONDS, true],
    [ends(turn) - GRANT_LEEWAY_SECONDS - 1, false],
    [ends(turn) - TURN_SECONDS + longest, true],
    [ends(turn) - TURN_SECONDS + longest + 1, false],
  ];
  for (const turn of thisTurn()) {
    const kept: boolean[] = [];
    for (const [expires] of cases(turn)) {
      const by = grant("ps_short", expires);
      await ask(SEGMENT, {}, "GET", by);
      kept.push((await readdir(join(edge!.folder, "state/verdicts"))).some((name) => name.includes(by)));
    }
    // In another turn other times are good: once more.
    if (turnNow() !== turn) continue;
    assert.deepEqual(
      kept,
      cases(turn).map(([, isKept]) => isKept),
    );
  }
});

test("nginx goes by the verdicts of this turn alone", { skip }, async () => {
  const forged = `${grant("ps_forged").slice(0, -43)}${"A".repeat(43)}`;
  const [, asset, generation] = prefix.split("/");
  const file = (turn: number) =>
    join(edge!.folder, "state/verdicts", `${turn}~${forged}~${asset}~${generation}`);
  await writeFile(file(turnNow() - 1), "");
  assert.equal((await ask(SEGMENT, {}, "GET", forged)).status, 403);
  for (const turn of thisTurn()) {
    await writeFile(file(turn), "");
    const { status } = await ask(SEGMENT, {}, "GET", forged);
    await rm(file(turn), { force: true });
    if (turnNow() === turn) assert.equal(status, 200);
  }
  assert.equal((await ask(SEGMENT, {}, "GET", forged)).status, 403);
});

test("no object of any class is read without a good grant, warm or cold", { skip }, async () => {
  const good = grant();
  const bad: [string, string][] = [
    ["no grant", ""],
    ["another title's", `/${grant("ps_1", VECTOR_NOW + 300, key, other.prefix)}`],
    ["an expired one", `/${grant("ps_1", VECTOR_NOW - 3_600)}`],
    ["one for longer than any", `/${grant("ps_1", VECTOR_NOW + 13 * 3_600)}`],
    ["a tampered one", `/${good.slice(0, -1)}${good.endsWith("A") ? "B" : "A"}`],
    ["one of a key that is gone", `/${grant("ps_1", VECTOR_NOW + 300, { ...key, kid: "gone" })}`],
    ["nonsense", "/x"],
  ];
  for (const warm of [false, true]) {
    for (const [path, body] of objects) {
      for (const [what, segment] of bad) {
        for (const method of ["GET", "HEAD", "POST"]) {
          const answer = await raw(edge!.url, `/v${segment}${prefix}${path}`, { origin: PAGE }, method);
          assert.equal(answer.status, 403, `${method} ${path} with ${what}, ${warm ? "warm" : "cold"}`);
          assert.equal(answer.headers["cache-control"], "no-store");
          assert.equal(answer.headers["access-control-allow-origin"], PAGE);
        }
      }
      const answer = await ask(path, { "accept-encoding": "identity" });
      assert.equal(answer.status, 200, path);
      assert.deepEqual(answer.body, body, path);
    }
  }
  assert.equal(
    JSON.parse((await raw(edge!.url, `/v/x${prefix}main.m3u8`)).body.toString()).code,
    "grant_refused",
  );
});

test("what is called back stops on warm objects", { skip }, async () => {
  const [, asset = ""] = prefix.split("/");
  const statuses = async () =>
    Promise.all(
      ["ps_1", "ps_2", "pv_1"].map(async (who) => (await ask(SEGMENT, {}, "GET", grant(who))).status),
    );
  const cases: [Parameters<typeof listOf>[0], number[]][] = [
    [{}, [200, 200, 200]],
    [{ sessions: ["ps_1"] }, [403, 200, 200]],
    [{ withdrawn: [asset] }, [403, 403, 200]],
    [{ assets: [asset] }, [403, 403, 403]],
    [{ keys: [key.kid] }, [403, 403, 403]],
    [{}, [200, 200, 200]],
  ];
  for (const [revoked, expected] of cases) {
    await edge!.revoke(listOf(revoked));
    assert.deepEqual(await statuses(), expected, JSON.stringify(revoked));
  }
});

test("types, ranges, conditions and codings are those of the Node edge", { skip }, async () => {
  const types: Record<string, string> = {
    "main.m3u8": "application/vnd.apple.mpegurl",
    "main.mpd": "application/dash+xml",
    "video/360p/init.mp4": "video/mp4",
    [SEGMENT]: "video/iso.segment",
    "audio/a0/init.mp4": "audio/mp4",
    "audio/a0/00000.m4s": "audio/mp4",
    "text/en/00000.vtt": "text/vtt; charset=utf-8",
    "images/poster.jpg": "image/jpeg",
  };
  for (const [path, type] of Object.entries(types)) {
    const { status, headers } = await ask(path, { origin: PAGE });
    assert.equal(status, 200, path);
    assert.equal(headers["content-type"], type);
    assert.equal(headers["cache-control"], "public, max-age=31536000, immutable");
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.equal(headers["access-control-allow-origin"], PAGE);
    assert.equal(headers["cross-origin-resource-policy"], "cross-origin");
    assert.ok(headers["x-request-id"]);
    assert.equal(headers.server, "nginx");
    assert.equal(
      Object.keys(headers).find((name) => name.startsWith("x-amz")),
      undefined,
    );
  }
  // The caller's own id where it is plain text, one of ours otherwise.
  const idOf = async (given: string) =>
    (await ask(SEGMENT, { "x-request-id": given })).headers["x-request-id"];
  assert.equal(await idOf("abc-1"), "abc-1");
  for (const odd of ['a"b {}', "a".repeat(65)]) assert.match((await idOf(odd)) ?? "", /^[0-9a-f]{32}$/);
  const segment = objects.get(SEGMENT)!;
  const etag = (await ask(SEGMENT)).headers.etag!;
  const cases: [Record<string, string>, number, number, number][] = [
    [{ range: "bytes=0-0" }, 206, 0, 1],
    [{ range: "bytes=100-199" }, 206, 100, 200],
    [{ range: "bytes=199990-" }, 206, 199_990, 200_000],
    [{ range: "bytes=-7" }, 206, 199_993, 200_000],
    [{ range: "bytes=0-9", "if-range": etag }, 206, 0, 10],
    [{ range: "bytes=0-9", "if-range": '"x"' }, 200, 0, 200_000],
  ];
  for (const [headers, status, from, to] of cases) {
    const part = await ask(SEGMENT, headers);
    assert.equal(part.status, status, JSON.stringify(headers));
    assert.deepEqual(part.body, segment.subarray(from, to));
    if (status === 206) assert.equal(part.headers["content-range"], `bytes ${from}-${to - 1}/200000`);
  }
  for (const [index, first] of BEHIND.entries()) {
    const { status, headers, body } = await ask(SEGMENT, { range: `bytes=${first}-`, origin: PAGE });
    assert.equal(status, 416, first);
    assert.equal(JSON.parse(body.toString()).code, "range_not_satisfiable");
    assert.equal(headers["content-type"], "application/problem+json");
    assert.match(headers["cache-control"] ?? "", /no-store$/);
    assert.equal(headers["access-control-allow-origin"], PAGE, "once");
    // Who begins behind the slice that is asked for is not told how long the object is: the store does not say.
    const said = index === 1 || index === 2 ? undefined : "bytes */200000";
    assert.equal(headers["content-range"], said, first);
  }
  assert.equal((await ask(SEGMENT, { "if-none-match": etag })).status, 304);
  assert.equal((await ask(SEGMENT, { "if-match": '"x"' })).status, 412);
  const head = await ask(SEGMENT, {}, "HEAD");
  assert.deepEqual([head.status, head.headers["content-length"], head.body.length], [200, "200000", 0]);
  const packed = await ask("main.m3u8", { "accept-encoding": "gzip" });
  assert.equal(packed.headers["content-encoding"], "gzip");
  assert.equal(gunzipSync(packed.body).toString(), PLAYLIST);
  assert.match(packed.headers.vary ?? "", /Accept-Encoding/);
  const plain = await ask("main.m3u8", { "accept-encoding": "identity" });
  assert.deepEqual([plain.headers["content-encoding"], plain.body.toString()], [undefined, PLAYLIST]);
});

test("what is not there, not media or not reading is answered as by the Node edge", { skip }, async () => {
  const missing = await ask("video/360p/99999.m4s");
  assert.deepEqual([missing.status, missing.headers["cache-control"]], [404, "no-store"]);
  assert.equal(JSON.parse(missing.body.toString()).code, "not_found");
  const { headers } = await fetch(`${edge!.url}/v/${grant()}${prefix}video/360p/99999.m4s`);
  assert.equal(
    headers.get("content-type"),
    "application/problem+json",
    "one type, not the segment's besides",
  );
  const write = await ask("main.m3u8", {}, "PUT");
  assert.deepEqual([write.status, write.headers.allow], [405, "GET, HEAD, OPTIONS"]);
  assert.equal((await raw(edge!.url, `${prefix}main.m3u8`)).status, 404);
  assert.equal((await raw(edge!.url, `/media${prefix}main.m3u8`)).status, 404);
  assert.equal((await raw(edge!.url, `/texts${prefix}main.m3u8`)).status, 404);
  const preflight = await ask(SEGMENT, { origin: PAGE, "access-control-request-method": "GET" }, "OPTIONS");
  assert.equal(preflight.status, 204);
  assert.match(preflight.headers["access-control-allow-headers"] ?? "", /\bRange\b/);
  const stranger = await ask(SEGMENT, { origin: "http://x.test" });
  assert.equal(stranger.headers["access-control-allow-origin"], undefined);
  assert.equal((await raw(edge!.url, "/healthz")).status, 200);
  assert.equal(JSON.parse((await raw(edge!.url, "/readyz")).body.toString()).status, "ready");
});

test("who asks which edge to play from is sent to the API, under a good grant alone", { skip }, async () => {
  const by = grant();
  const { status, headers } = await ask("steering.json?_HLS_pathway=.", { origin: PAGE }, "GET", by);
  assert.equal(status, 307);
  assert.equal(
    headers.location,
    `${STEERING}/steering/v/${by}${prefix}steering.json?edge=127.0.0.1&_HLS_pathway=.`,
  );
  assert.deepEqual([headers["cache-control"], headers["access-control-allow-origin"]], ["no-store", PAGE]);
  assert.equal((await ask("video/steering.json")).status, 404);
  assert.equal((await ask("steering.json", {}, "GET", "x")).status, 403);
  const { load } = JSON.parse((await raw(edge!.url, "/readyz")).body.toString());
  assert.ok(load >= 0 && load < 0.1, `${load}`);
});

test("what is larger than a slice comes whole, at first and again, and so does a part over the border", {
  skip,
}, async () => {
  const path = "video/360p/00555.m4s";
  const bytes = randomBytes(SLICE_BYTES + 1_000_000);
  await blobs.put("media", `${prefix.slice(1)}${path}`, bytes, { contentType: "video/mp4" });
  for (let times = 0; times < 2; times++) assert.ok(bytes.equals((await ask(path)).body));
  const part = await ask(path, { range: `bytes=${SLICE_BYTES - 5}-${SLICE_BYTES + 4}` });
  assert.deepEqual([part.status, part.body], [206, bytes.subarray(SLICE_BYTES - 5, SLICE_BYTES + 5)]);
});

test("two viewers share one copy, and the store is asked once however many ask at once (T31)", {
  skip,
}, async () => {
  const path = "video/360p/00777.m4s";
  const bytes = Buffer.alloc(3 * 1024 * 1024, "matinee");
  await blobs.put("media", `${prefix.slice(1)}${path}`, bytes, { contentType: "video/mp4" });
  const before = wire.state.bytes;
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, at) => ask(path, {}, "GET", grant(`ps_${at}`, VECTOR_NOW + 300 + at))),
  );
  for (const answer of answers) assert.ok(answer.status === 200 && bytes.equals(answer.body));
  const asked = wire.state.bytes - before;
  assert.ok(asked < bytes.length * 1.5, `${asked} bytes from the store for ${bytes.length}`);
});

test("a body that breaks off at the store is broken off, and not kept (F15)", { skip }, async () => {
  const path = "video/360p/00666.m4s";
  const bytes = Buffer.alloc(2 * 1024 * 1024, "matinee");
  await blobs.put("media", `${prefix.slice(1)}${path}`, bytes, { contentType: "a/b" });
  wire.state.cutAfter = wire.state.bytes + 500_000;
  await assert.rejects(ask(path));
  wire.state.cutAfter = Number.POSITIVE_INFINITY;
  assert.ok(bytes.equals((await ask(path)).body));
});

test("a store that falls silent for a stretch: warm segments play on, cold ones say so in time and come back", {
  skip,
}, async () => {
  const path = "video/360p/00999.m4s";
  await blobs.put("media", `${prefix.slice(1)}${path}`, Buffer.alloc(9, "x"), { contentType: "a/b" });
  wire.silence(true);
  const late = ask(path);
  for (const [warm, body] of objects) {
    assert.deepEqual((await ask(warm, { "accept-encoding": "identity" })).body, body, warm);
  }
  const answer = await late;
  assert.deepEqual([answer.status, answer.headers["cache-control"]], [503, "no-store"]);
  assert.ok(Number(answer.headers["retry-after"]) > 0);
  wire.silence(false);
  assert.deepEqual((await ask(path)).body, Buffer.alloc(9, "x"));
});

// The last one: it takes the store away.
test("while the store is away a warm film plays on, and only what is cold is 503", { skip }, async () => {
  await blobs.put("media", `${prefix.slice(1)}video/360p/00888.m4s`, Buffer.alloc(9), { contentType: "a/b" });
  wire.close();
  for (const [path, body] of objects) {
    const answer = await ask(path, { "accept-encoding": "identity" });
    assert.equal(answer.status, 200, path);
    assert.deepEqual(answer.body, body, path);
  }
  const cold = await ask("video/360p/00888.m4s");
  assert.deepEqual([cold.status, cold.headers["cache-control"]], [503, "no-store"]);
  assert.ok(Number(cold.headers["retry-after"]) > 0);
  // What nginx says of it names the request; whoever reads that must not be able to play the film (RELIABILITY T29).
  const said = await eventually("a line about the store", 60, () => {
    const line = edge!.said.find((one) => one.includes(`${prefix}video/360p/00888.m4s`));
    return line ?? null;
  });
  assert.match(said, /"GET \/v\/\*\*\*\/as_/);
  for (const line of edge!.said) assert.doesNotMatch(line, /\/v\/1\./);
});
