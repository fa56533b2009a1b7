import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
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

test("three rotations of the key under 50 players fail no segment (T32)", async (context) => {
  const name = "rotation";
  const { prefix } = await storePackage(name);
  const cache = { folder: await folderFor(context), diskBytes: 64 * MiB, memoryBytes: 8 * MiB };
  const edge = await openEdge(name, { cache });
  context.after(() => edge.close());
  let signer = edge.key;
  let isOver = false;
  const failed: string[] = [];
  const renewals = Array.from({ length: 50 }, () => 0);
  const renewed = new EventEmitter();
  const play = async (player: number): Promise<void> => {
    while (!isOver) {
      // Until it renews, a player goes on with the grant that it has.
      const grant = edge.grant(prefix, NOW + 300, signer);
      for (const path of ["main.m3u8", "video/360p/00000.m4s", "audio/a0/00000.m4s"]) {
        const answer = await fetch(`${edge.url}/v/${grant}${prefix}${path}`);
        if (!answer.ok) failed.push(`${answer.status} ${path} under ${grant.split(".")[1]}`);
        await answer.arrayBuffer();
      }
      renewals[player]! += 1;
      renewed.emit("renewed");
    }
  };
  // As long as an operator waits between two steps: until no player has a grant from before.
  const everybodyRenewed = async (): Promise<void> => {
    const before = [...renewals];
    while (renewals.some((count, player) => count < before[player]! + 2)) await once(renewed, "renewed");
  };
  const players = renewals.map((_, player) => play(player));
  for (const kid of ["r1", "r2", "r3"]) {
    const key = { kid, secret: randomBytes(32) };
    edge.grantKeys.push(key);
    const old = signer;
    signer = key;
    await everybodyRenewed();
    edge.grantKeys.splice(edge.grantKeys.indexOf(old), 1);
  }
  await everybodyRenewed();
  isOver = true;
  await Promise.all(players);
  assert.deepEqual(failed, []);
});
