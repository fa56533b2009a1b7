import assert from "node:assert/strict";
import { test } from "node:test";
import { releaseTask } from "../../stores/library/claimed-work.ts";
import { claimTask } from "../../stores/library/claims.ts";
import { openChunksBegun } from "../../transcoder/chunks-begun.ts";
import { takeOffer } from "../../transcoder/take-offer.ts";
import type { Workshop } from "../../transcoder/task-context.ts";
import { openWork } from "../stores/work-for-test.ts";

const { library, queue, planned } = await openWork();

/** A worker that is offered chunks of one film, and the number of the one that it claims; null where it is told to do nothing. */
function openTaker(assetId: string, workerId: string) {
  const begun = openChunksBegun();
  const workshop = { library, workerId } as Workshop;
  return async (offered: number): Promise<number | null> => {
    const taskId = `${assetId}.g.video.h264.${offered}`;
    const taken = await takeOffer(workshop, queue, { taskId, lane: "usual", memoryBytes: 0 }, begun);
    return "claimed" in taken ? taken.claimed.chunk : null;
  };
}

const set = (assetId: string, chunk: number, change: object) =>
  library.tasks.updateOne({ _id: `${assetId}.g.video.h264.${chunk}` }, { $set: change });

test("two workers that are offered chunks in turn each have a stretch of their own, and each chunk is claimed once", async () => {
  const { plan } = await planned("as_stretches", { seconds: 240 });
  const [one, other] = [openTaker("as_stretches", "wk_one"), openTaker("as_stretches", "wk_other")];
  const had: [number[], number[]] = [[], []];
  for (const { index } of plan!.chunks) had[index % 2]!.push((await (index % 2 === 0 ? one : other)(index))!);
  const half = plan!.chunks.length / 2;
  assert.deepEqual(
    had[0],
    Array.from({ length: half }, (_, at) => at),
  );
  assert.deepEqual(
    had.flat().toSorted((a, b) => a - b),
    plan!.chunks.map(({ index }) => index),
  );
  const [first, ...rest] = had[1]!;
  assert.deepEqual(
    rest.slice(0, half / 2),
    Array.from({ length: half / 2 }, (_, at) => first! + 1 + at),
  );
});

test("those who are offered chunks at one moment have one each", async () => {
  const { plan } = await planned("as_crowd", { seconds: 240 });
  const takers = plan!.chunks.map((_, at) => openTaker("as_crowd", `wk_${at}`));
  const had = await Promise.all(takers.map((take, at) => take(at)));
  assert.deepEqual(
    had.toSorted((a, b) => a! - b!),
    plan!.chunks.map(({ index }) => index),
  );
});

test("who is offered a chunk that is done or at hand takes another one; with none left there is nothing to do", async () => {
  await planned("as_taken", { seconds: 48 });
  const take = openTaker("as_taken", "wk_late");
  await set("as_taken", 0, { state: "done" });
  await set("as_taken", 1, { state: "claimed", leaseUntil: new Date(Date.now() + 600_000) });
  assert.deepEqual([await take(0), await take(1), await take(1)], [3, 2, null]);
  assert.equal(await take(0), null);
});

test("a chunk whose worker is gone is free, one that failed is for who is offered it", async () => {
  await planned("as_free", { seconds: 60 });
  const take = openTaker("as_free", "wk_here");
  await set("as_free", 0, { state: "claimed", worker: "wk_gone", leaseUntil: new Date(Date.now() - 60_000) });
  await set("as_free", 1, { failures: 1 });
  await set("as_free", 2, { state: "done" });
  assert.deepEqual([await take(4), await take(0), await take(1), await take(3)], [4, 3, 1, 0]);
});

test("a chunk that was given back is free again", async () => {
  await planned("as_back", { seconds: 24 });
  const claim = await claimTask(library, "as_back.g.video.h264.1", "wk_before", 600);
  assert.ok("claimed" in claim);
  const take = openTaker("as_back", "wk_here");
  assert.equal(await take(0), 0);
  assert.equal(await take(1), null);
  await releaseTask(library, claim.claimed);
  assert.equal(await take(0), 1);
});
