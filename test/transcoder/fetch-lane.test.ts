import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { after, test } from "node:test";
import { openRoom } from "../../core/admission.ts";
import { DEFAULT_ENCODING } from "../../core/encoding.ts";
import { fetchedKey } from "../../core/keys.ts";
import { DEFAULT_PLAN_SETTINGS } from "../../core/plan.ts";
import { parseNetworks } from "../../core/public-address.ts";
import { MAX_PULLED_BYTES } from "../../core/pull-parts.ts";
import { openBlobs } from "../../stores/blobs.ts";
import { createAsset, findAsset } from "../../stores/library/assets.ts";
import { recordTransfer } from "../../stores/library/pulls.ts";
import { openLog } from "../../stores/log.ts";
import { offerWork } from "../../stores/offer-work.ts";
import { HeldTransfer } from "../../transcoder/pull-transfer.ts";
import type { TaskContext, Workshop } from "../../transcoder/task-context.ts";
import { createWorker } from "../../transcoder/worker.ts";
import { s3ForTest } from "../stores/s3-for-test.ts";
import { openWork } from "../stores/work-for-test.ts";

/** Fetches in a worker, beside its other work. */

const { library, queue } = await openWork();
const blobs = openBlobs(s3ForTest("fetch-lane"));
await blobs.ensureBuckets({ corsOrigins: [] });
after(() => blobs.close());

const workshop = {
  ...{ library, blobs, log: openLog({ name: "fetch-lane-test", level: "silent" }), workerId: "wk_one" },
  ...{ launcher: { build: "test" }, hardware: { family: null, detail: "" }, recentAv1: null },
  pull: {
    ...{ networks: parseNetworks("127.0.0.0/8"), maxBytes: MAX_PULLED_BYTES },
    pace: { leastBps: 0, graceSeconds: 60, mostSeconds: 600 },
  },
} as unknown as Workshop;

/** An asset whose master is to come from there, and the task that fetches it. */
async function ordered(sourceUrl: string): Promise<{ assetId: string; taskId: string }> {
  const id = `as_${randomBytes(8).toString("hex")}`;
  await createAsset(library, {
    ...{ id, tenant: "t", ownerId: "editor", titleId: null, filename: "film.mov" },
    ...{ encoding: DEFAULT_ENCODING, pull: { sourceUrl, sha256: null, transfer: null } },
  });
  await offerWork(library, queue, id);
  return { assetId: id, taskId: `${id}.source.fetch.r1.0` };
}

test("a fetch waits for no encode, and none for a fetch, however often it has failed", async (t) => {
  const server = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { assetId, taskId } = await ordered(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const room = openRoom(1_000);
  const worker = createWorker(workshop, queue, DEFAULT_PLAN_SETTINGS, room);
  assert.ok(room.enter("encode", 900, 0));
  const asked = once(server, "request");
  const handled = worker.handle({ taskId, lane: "pull", memoryBytes: 2 ** 36 });
  await Promise.race([asked, handled]);
  assert.deepEqual([worker.running(), worker.onCores()], [1, 0]);
  room.leave("encode");
  assert.ok(room.enter("large encode", 1_000, 1), "all of it");
  worker.stop();
  await handled;
  assert.deepEqual([worker.running(), (await findAsset(library, "t", assetId))?.state], [0, "waiting"]);
});

test("who has lost a fetch and still runs takes nothing from who goes on with it", async () => {
  const { assetId } = await ordered("http://127.0.0.1:1/");
  const take = async (epoch: number): Promise<HeldTransfer> => {
    const asset = (await findAsset(library, "t", assetId))!;
    const { signal } = new AbortController();
    const context = { ...workshop, asset, task: { epoch }, signal, report: () => undefined };
    return HeldTransfer.takeUp(context as unknown as TaskContext);
  };
  const facts = { etag: '"a"', sizeBytes: 10, filename: "film.mov" };
  const first = await take(1);
  await first.begin(facts);
  const [slow, next] = [await take(1), await take(2)];
  // The one is told of another file, the other goes on with this one.
  await assert.rejects(slow.begin({ ...facts, etag: '"b"' }), { code: "pull_superseded" });
  await assert.rejects(slow.finish(), { code: "pull_superseded" });
  await next.take(Readable.from([Buffer.alloc(10)]), 100);
  assert.ok(next.isWhole);
  assert.equal((await next.finish()).sizeBytes, 10);
});

test("what is being removed is gone on with by nobody", async () => {
  const { assetId } = await ordered("http://127.0.0.1:1/");
  const asset = async () => (await findAsset(library, "t", assetId))!;
  const key = fetchedKey("t", assetId, 1);
  const multipartId = await blobs.createMultipart(key, "application/octet-stream");
  const transfer = { key, multipartId, etag: '"a"', sizeBytes: null, epoch: 1 };
  const changed = { transfer: { ...transfer, isDropped: true as const }, filename: "film.mov" };
  const before = await asset();
  assert.ok(await recordTransfer(library, before, null, changed));
  const again = { transfer: { ...transfer, epoch: 2 }, filename: "film.mov" };
  assert.equal(await recordTransfer(library, before, transfer, again), false);
  const context = { ...workshop, asset: await asset(), task: { epoch: 2 } } as unknown as TaskContext;
  const held = await HeldTransfer.takeUp(context);
  assert.equal(held.heldBytes, 0);
  await held.begin({ etag: '"b"', sizeBytes: 10, filename: "film.mov" });
  assert.deepEqual([held.transfer?.etag, held.transfer?.epoch], ['"b"', 2]);
  assert.equal(await blobs.listParts(transfer), null);
});
