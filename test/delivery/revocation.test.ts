import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { signGrant } from "../../core/grant.ts";
import { NO_REVOCATIONS, REVOCATIONS_KEY, type Revocations } from "../../core/revocation.ts";
import { publishRevocations } from "../../stores/publish-revocations.ts";
import { wireToStore } from "../stores/wire-to-store.ts";
import { type Edge, NOW, openEdge, storePackage } from "./edge-for-test.ts";
import {
  ADDRESS_HEADER,
  COUNTRY_HEADER,
  judgeVectors,
  listOf,
  raw,
  VECTOR_NOW,
  vectorKeys,
} from "./edge-under-test.ts";

const MiB = 1024 * 1024;

async function folderFor(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "matinee-revoked-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function put(edge: Edge, list: Revocations): Promise<void> {
  await publishRevocations(edge.blobs, list);
  await edge.revocations.look();
}

test("the Node edge judges every vector as the file says, over real HTTP (T26–T32)", async (context) => {
  await storePackage("vectors");
  const trustedHeaders = { address: ADDRESS_HEADER, country: COUNTRY_HEADER };
  const edge = await openEdge("vectors", { trustedHeaders });
  context.after(() => edge.close());
  edge.grantKeys.splice(0, 2, ...vectorKeys);
  edge.clock.nowSeconds = VECTOR_NOW;
  await judgeVectors({ url: edge.url, revoke: (list) => put(edge, list) });
});

test("without a proxy that we trust, nobody says where they are but their own connection", async (context) => {
  const { prefix } = await storePackage("limits");
  const edge = await openEdge("limits");
  context.after(() => edge.close());
  const claims = { prefix, expiresAtSeconds: NOW + 300, session: "ps_1" };
  const ask = (limits: object, headers: Record<string, string>) =>
    raw(edge.url, `/v/${signGrant(edge.key, claims, limits)}${prefix}main.m3u8`, headers);
  const elsewhere = { "x-forwarded-for": "192.0.2.7", [ADDRESS_HEADER]: "192.0.2.7", "user-agent": "a" };
  assert.equal((await ask({ network: "127.0.0.0/8" }, elsewhere)).status, 200);
  assert.equal((await ask({ network: "192.0.2.0/24" }, elsewhere)).status, 403);
  assert.equal((await ask({ countries: ["DE"] }, { [COUNTRY_HEADER]: "DE" })).status, 403);
  assert.equal((await ask({ userAgent: "a" }, elsewhere)).status, 200);
  assert.equal((await ask({ userAgent: "b" }, elsewhere)).status, 403);
});

test("what is called back stops on a warm object too, and deleted assets leave the cache", async (context) => {
  const name = "called-back";
  const { prefix } = await storePackage(name);
  const cache = { folder: await folderFor(context), diskBytes: 64 * MiB, memoryBytes: 8 * MiB };
  const edge = await openEdge(name, { cache });
  context.after(() => edge.close());
  const of = (session: string) =>
    `/v/${signGrant(edge.key, { prefix, expiresAtSeconds: NOW + 300, session })}${prefix}video/360p/00000.m4s`;
  const ask = async (session: string) => (await raw(edge.url, of(session))).status;
  const [, asset = ""] = prefix.split("/");
  for (let times = 0; times < 4; times++) assert.equal(await ask("ps_1"), 200);
  const cases: [Parameters<typeof listOf>[0], number, number, number][] = [
    [{ sessions: ["ps_1"] }, 403, 200, 200],
    [{ withdrawn: [asset] }, 403, 403, 200],
    [{ keys: [edge.key.kid] }, 403, 403, 403],
    [{ assets: [asset] }, 403, 403, 403],
    [{}, 200, 200, 200],
  ];
  for (const [revoked, ...statuses] of cases) {
    await put(edge, listOf(revoked));
    assert.deepEqual(
      [await ask("ps_1"), await ask("ps_2"), await ask("pv_1")],
      statuses,
      JSON.stringify(revoked),
    );
    if (revoked?.assets) assert.equal(await edge.metric("matinee_delivery_cache_objects"), 0);
  }
});

test("while the list cannot be had the last one holds, over a restart too, and the edge says so", async (context) => {
  const name = "list-away";
  const { prefix } = await storePackage(name);
  const wire = await wireToStore();
  const cache = { folder: await folderFor(context), diskBytes: 64 * MiB, memoryBytes: 8 * MiB };
  const first = await openEdge(name, { s3Endpoint: wire.endpoint, cache });
  await put(first, listOf({ sessions: ["ps_gone"] }));
  wire.close();
  await first.revocations.look();
  const status = async (edge: Edge, session: string) => {
    const grant = signGrant(edge.key, { prefix, expiresAtSeconds: NOW + 300, session });
    return (await raw(edge.url, `/v/${grant}${prefix}main.m3u8`)).status;
  };
  assert.equal(await status(first, "ps_gone"), 403);
  assert.ok((await first.metric("matinee_delivery_revocations_age_seconds")) > 0);
  assert.equal(await first.metric("matinee_delivery_revocations"), 1);
  await first.close();
  const second = await openEdge(name, { s3Endpoint: wire.endpoint, cache });
  context.after(() => second.close());
  assert.equal(await status(second, "ps_gone"), 403);
  assert.equal(await status(second, "ps_here"), 503);
  const ready = await (await fetch(`${second.url}/readyz`)).json();
  assert.deepEqual([ready.status, ready.dependencies.revocations], ["degraded", "stale"]);
});

test("a list that is damaged, or gone, replaces nothing", async (context) => {
  const { prefix } = await storePackage("list-damaged");
  const edge = await openEdge("list-damaged");
  context.after(() => edge.close());
  await put(edge, listOf({ sessions: ["ps_test"] }));
  const status = async () => (await raw(edge.url, `/v/${edge.grant(prefix)}${prefix}main.m3u8`)).status;
  assert.equal(await status(), 403);
  await edge.blobs.put("media", REVOCATIONS_KEY, Buffer.from('{"version":1,"sess'), { contentType: "x/y" });
  await edge.revocations.look();
  assert.equal(await status(), 403);
  await edge.blobs.remove("media", [REVOCATIONS_KEY]);
  await edge.revocations.look();
  assert.equal(await status(), 403);
  await put(edge, NO_REVOCATIONS);
  assert.equal(await status(), 200);
});
