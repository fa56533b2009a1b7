import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { test } from "node:test";
import { openBlobs } from "../../stores/blobs.ts";
import { eventually } from "../rig/processes.ts";
import { s3ForTest } from "../stores/s3-for-test.ts";
import { wireToStore } from "../stores/wire-to-store.ts";
import { openEdge, storePackage } from "./edge-for-test.ts";

const NAME = "trouble";
const MiB = 1024 * 1024;
const { prefix } = await storePackage(NAME);

async function storeBig(sizeBytes: number): Promise<string> {
  const blobs = openBlobs(s3ForTest(NAME));
  const path = `video/360p/${randomBytes(4).toString("hex")}.m4s`;
  await blobs.put("media", `${prefix.slice(1)}${path}`, randomBytes(sizeBytes), { contentType: "video/mp4" });
  blobs.close();
  return path;
}

function started(url: string, agent: Agent | false = false): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => get(url, { agent }, resolve).on("error", reject));
}

test("a store that is away is 503 with Retry-After, and readiness says which part", async () => {
  const edge = await openEdge(NAME, { s3Endpoint: "http://127.0.0.1:9" });
  const answer = await fetch(`${edge.url}/v/${edge.grant(prefix)}${prefix}main.m3u8`);
  assert.equal(answer.status, 503);
  assert.ok(Number(answer.headers.get("retry-after")) > 0);
  assert.equal(answer.headers.get("cache-control"), "no-store");
  const problem = await answer.json();
  assert.equal(problem.code, "blob_store_unavailable");
  assert.doesNotMatch(JSON.stringify(problem), /ECONN|127\.0\.0\.1|main\.m3u8.*ECONN/);
  assert.equal((await fetch(`${edge.url}/v/x${prefix}main.m3u8`)).status, 403);
  const ready = await fetch(`${edge.url}/readyz`);
  assert.deepEqual([ready.status, (await ready.json()).dependencies.blobStore], [503, "unavailable"]);
  assert.equal((await fetch(`${edge.url}/healthz`)).status, 200);
  await edge.close();
});

test("a reader who goes away ends the read from the store", async () => {
  const wire = await wireToStore();
  const edge = await openEdge(NAME, { s3Endpoint: wire.endpoint });
  const path = await storeBig(64 * MiB);
  const answer = await started(`${edge.url}/v/${edge.grant(prefix)}${prefix}${path}`);
  await once(answer, "data");
  // Of those that rest none is closed.
  const closed = once(wire.changes, "closed");
  answer.destroy();
  await closed;
  assert.ok(wire.state.bytes < 48 * MiB, `${wire.state.bytes} bytes were read for nobody`);
  await eventually("no stream counted", 60, async () =>
    (await edge.metric("matinee_delivery_active_streams")) === 0 ? true : null,
  );
  await edge.close();
  wire.close();
});

// The limit stays below the 10 s that the edge waits for the store: only the reader's leaving may end the request.
test("a reader who goes away before a silent store has answered ends that request", {
  timeout: 8_000,
}, async () => {
  const wire = await wireToStore();
  const edge = await openEdge(NAME, { s3Endpoint: wire.endpoint });
  wire.state.frozen = true;
  const asked = get(`${edge.url}/v/${edge.grant(prefix)}${prefix}main.m3u8`, { agent: false }).on(
    "error",
    () => {},
  );
  await once(wire.changes, "opened");
  const closed = once(wire.changes, "closed");
  asked.destroy();
  await closed;
  await edge.close();
  wire.close();
});

test("a reader who stands still holds the store back: the object does not pile up in memory", async () => {
  const wire = await wireToStore();
  const edge = await openEdge(NAME, { s3Endpoint: wire.endpoint });
  const [slow, quick] = [await storeBig(64 * MiB), await storeBig(48 * MiB)];
  const base = `${edge.url}/v/${edge.grant(prefix)}${prefix}`;
  const standing = await started(`${base}${slow}`);
  await once(standing, "readable");
  const other = await fetch(`${base}${quick}`);
  assert.equal((await other.arrayBuffer()).byteLength, 48 * MiB);
  const readForStanding = wire.state.bytes - 48 * MiB;
  assert.ok(readForStanding < 32 * MiB, `${readForStanding} bytes were read ahead`);
  let total = 0;
  for await (const piece of standing) total += piece.length;
  assert.equal(total, 64 * MiB);
  await edge.close();
  wire.close();
});

test("a body that breaks off at the store breaks the answer: nobody takes it for whole (F15)", async () => {
  const wire = await wireToStore();
  const edge = await openEdge(NAME, { s3Endpoint: wire.endpoint });
  wire.state.cutAfter = 2 * MiB;
  const answer = await fetch(`${edge.url}/v/${edge.grant(prefix)}${prefix}${await storeBig(8 * MiB)}`);
  assert.equal(answer.status, 200);
  await assert.rejects(answer.arrayBuffer());
  await edge.close();
  wire.close();
});

test("without a cache, too, nobody gets a wrong byte in a whole body or in a range (F16)", async () => {
  const wire = await wireToStore();
  const edge = await openEdge(NAME, { s3Endpoint: wire.endpoint });
  const url = `${edge.url}/v/${edge.grant(prefix)}${prefix}${await storeBig(8 * MiB)}`;
  const ask = async (headers: Record<string, string>): Promise<number | "cut"> => {
    const answer = await fetch(url, { headers });
    return answer.arrayBuffer().then(
      ({ byteLength }) => byteLength,
      () => "cut",
    );
  };
  const wishes: Record<string, string>[] = [
    {},
    { range: "bytes=5-99" },
    { range: "bytes=4000000-" },
    { "if-none-match": '"another"' },
  ];
  for (const wish of wishes) {
    wire.state.flipAt = wire.state.bytes + 6 * MiB;
    assert.equal(await ask(wish), "cut", JSON.stringify(wish));
  }
  assert.equal(edge.lines.filter((line) => JSON.parse(line).code === "object_damaged").length, wishes.length);
  wire.state.flipAt = Number.POSITIVE_INFINITY;
  assert.deepEqual([await ask({}), await ask({ range: "bytes=5-99" })], [8 * MiB, 95]);
  await edge.close();
  wire.close();
});

test("without a cache a range is read as a part of its whole, up to a size", async () => {
  const wire = await wireToStore();
  const edge = await openEdge(NAME, { s3Endpoint: wire.endpoint });
  const base = `${edge.url}/v/${edge.grant(prefix)}${prefix}`;
  for (const [sizeBytes, isReadWhole] of [
    [64 * MiB, true],
    [64 * MiB + 1, false],
  ] as const) {
    const path = await storeBig(sizeBytes);
    const before = wire.state.bytes;
    const answer = await fetch(`${base}${path}`, { headers: { range: "bytes=7-9" } });
    assert.deepEqual([answer.status, (await answer.arrayBuffer()).byteLength], [206, 3]);
    assert.equal(wire.state.bytes - before > 32 * MiB, isReadWhole, `${sizeBytes} bytes`);
  }
  await edge.close();
  wire.close();
});

// The limit only ends a hang: a connection kept alive would hold the stop for more than a minute.
test("a stop lets a running stream end, and takes no new connection", { timeout: 55_000 }, async () => {
  const edge = await openEdge(NAME);
  const path = await storeBig(24 * MiB);
  const answer = await started(
    `${edge.url}/v/${edge.grant(prefix)}${prefix}${path}`,
    new Agent({ keepAlive: true }),
  );
  const stopped = edge.app.stop(60_000);
  await assert.rejects(started(`${edge.url}/healthz`));
  let total = 0;
  for await (const piece of answer) total += piece.length;
  assert.equal(total, 24 * MiB);
  await stopped;
  edge.blobs.close();
});
