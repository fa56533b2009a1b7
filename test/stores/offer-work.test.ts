import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_ENCODING, type EncodingChoice } from "../../core/encoding.ts";
import { CHUNKS_PER_PART } from "../../core/film-parts.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import type { AttemptRecord } from "../../core/records/task.ts";
import { TITLES_IN_HAND } from "../../core/schedule.ts";
import { followsOthers } from "../../core/work-order.ts";
import { completeTask } from "../../stores/library/claimed-work.ts";
import { claimTask } from "../../stores/library/claims.ts";
import { activeAssets, openWorkSeconds, rankOfAsset } from "../../stores/library/open-work.ts";
import { outlinesOfAsset, type TaskOutline } from "../../stores/library/tasks.ts";
import { demandPreviewCell, hurryPreview } from "../../stores/offer-preview.ts";
import { offerAfter, offerAll } from "../../stores/offer-work.ts";
import { consume } from "../../stores/queue-consumer.ts";
import { openChunksBegun } from "../../transcoder/chunks-begun.ts";
import { takeOffer } from "../../transcoder/take-offer.ts";
import type { Workshop } from "../../transcoder/task-context.ts";
import { eventually } from "../rig/processes.ts";
import { openWork } from "./work-for-test.ts";

let commands = 0;
const { library, queue, settings, planned } = await openWork((command) => {
  if (command !== "hello") commands++;
});

const attempt: AttemptRecord = {
  ...{ stage: "video", worker: "w", outcome: "done", argv: [], cpuSeconds: 1, bytesOut: 0, error: null },
  ...{ startedAt: new Date(0), endedAt: new Date(0) },
};

/** Commands to the library for each chunk of a title but the last, from the claim to what follows. */
async function commandsPerChunk(id: string, seconds: number): Promise<number[]> {
  await planned(id, { seconds });
  const chunks = (await outlinesOfAsset(library, id)).filter(({ kind }) => kind === "video");
  const counts: number[] = [];
  const begun = openChunksBegun();
  for (const { _id: taskId } of chunks.slice(0, -1)) {
    const before = commands;
    const offer = { taskId, lane: "usual", memoryBytes: 0 } as const;
    const claim = await takeOffer({ library, workerId: "w" } as Workshop, queue, offer, begun);
    assert.ok("claimed" in claim);
    assert.ok(await completeTask(library, claim.claimed, null, attempt));
    await offerAfter(library, queue, claim.claimed);
    counts.push(commands - before);
  }
  return counts;
}

test("what a chunk costs the library does not grow with the title, but for the one in sixteen that ends a part of it", async () => {
  const short = await commandsPerChunk("as_short", 60);
  const long = await commandsPerChunk("as_long", 600);
  assert.ok(long.length >= 10 * short.length);
  const opening = long.filter((_, chunk) => (chunk + 1) % CHUNKS_PER_PART === 0);
  const others = long.filter((_, chunk) => (chunk + 1) % CHUNKS_PER_PART !== 0);
  assert.equal(Math.max(...others), Math.max(...short));
  assert.ok(Math.max(...others) <= 5, `${Math.max(...others)} commands`);
  // Three parts that can be read back and looked at now: each is found by going over the title once.
  assert.equal(opening.length, 3);
  assert.ok(Math.max(...opening) <= 12, `${Math.max(...opening)} commands`);
});

test("a part of a film that can be read back and looked at is in the queue at once", async () => {
  const { plan } = await planned("as_looked", { seconds: 600 });
  const waiting = async (): Promise<number> => (await queue.depth()).waiting;
  const finish = async (chunk: number): Promise<void> => {
    const claim = await claimTask(library, `as_looked.g.video.h264.${chunk}`, "w", 60);
    assert.ok("claimed" in claim);
    assert.ok(await completeTask(library, claim.claimed, null, attempt));
    await offerAfter(library, queue, claim.claimed);
  };
  assert.ok(plan!.chunks.length > 2 * CHUNKS_PER_PART);
  const before = await waiting();
  for (let chunk = 1; chunk < CHUNKS_PER_PART; chunk++) await finish(chunk);
  assert.equal(await waiting(), before);
  await finish(0);
  assert.equal(await waiting(), before + 2);
});

test("F29 one tenant's titles wait for their turn, another's has half of all that is taken up", async () => {
  const flood = Array.from({ length: 12 }, (_, index) => `as_flood${index}`);
  for (const id of flood) await planned(id, { tenant: "flood" });
  await planned("as_other", { tenant: "other" });
  await offerAll(library, queue);
  const taken = await takenInOrder(["flood", "other"]);
  const places = (id: string): number[] =>
    taken.flatMap(({ assetId }, place) => (assetId === id ? [place] : []));
  const others = places("as_other");
  assert.ok(Math.max(...others) <= 2 * others.length, `the other's are taken as ${others}`);
  const inHand = flood.slice(0, TITLES_IN_HAND).flatMap(places);
  const behind = flood.slice(TITLES_IN_HAND).flatMap(places);
  assert.ok(Math.max(...inHand) < Math.min(...behind), "titles behind those in hand wait");
});

const inLane = (lane: EncodingChoice["lane"] & string): EncodingChoice => ({ ...DEFAULT_ENCODING, lane });

test("what its owner calls backfill comes after all that is not, of other tenants too", async () => {
  await planned("as_later", { tenant: "patient", encoding: inLane("backfill") });
  await planned("as_now", { tenant: "hasty" });
  await offerAll(library, queue);
  const taken = await takenInOrder(["patient", "hasty"]);
  const lastNow = taken.findLastIndex(({ assetId }) => assetId === "as_now");
  const firstLater = taken.findIndex(({ assetId }) => assetId === "as_later");
  assert.ok(lastNow < firstLater, taken.map(({ assetId }) => assetId).join(" "));
});

test("backfill before it takes nobody's turn: a title is as old as its lane makes it", async () => {
  const outline = { tenant: "archive", state: "encoding", published: null } as const;
  const archive = Array.from({ length: 40 }, (_, index) => ({
    ...{ ...outline, _id: `as_archive${index}`, createdAt: new Date(index), encoding: inLane("backfill") },
  }));
  const again = { published: { generation: "g", at: new Date(0), durationSeconds: 1 } };
  const shown = {
    ...outline,
    ...again,
    _id: "as_shown",
    createdAt: new Date(50),
    encoding: DEFAULT_ENCODING,
  };
  const hurried = { ...shown, _id: "as_hurried", createdAt: new Date(60), encoding: inLane("normal") };
  const fresh = { ...outline, _id: "as_fresh", createdAt: new Date(70), encoding: DEFAULT_ENCODING };
  const all = [...archive, shown, hurried, fresh] as unknown as AssetRecord[];
  await library.assets.insertMany(all);
  const lanes = (await activeAssets(library)).filter(([first]) => first?.tenant === "archive");
  const [normal, backfill] = lanes.map((lane) => lane.map(({ _id }) => _id));
  assert.deepEqual(normal, ["as_hurried", "as_fresh"]);
  assert.deepEqual(
    backfill,
    archive.slice(0, 32).map(({ _id }) => _id),
  );
  const ranks = await Promise.all(all.slice(-3).map((asset) => rankOfAsset(library, asset, 100)));
  assert.deepEqual(ranks, [40, 0, 1]);
  await library.assets.deleteMany({ tenant: "archive" });
});

/** The tasks of the usual lane as a worker of one slot is given them, until there are no more of these tenants. */
async function takenInOrder(tenants: string[]): Promise<TaskOutline[]> {
  const ofTenants = await library.tasks
    .find({ tenant: { $in: tenants }, kind: { $ne: "preview" } })
    .toArray();
  const open = ofTenants.filter((task) => !followsOthers(task));
  const byId = new Map(open.map((task) => [task._id, task]));
  const taken: TaskOutline[] = [];
  const all = Promise.withResolvers<void>();
  const consumer = consume(settings, 1, async ({ taskId }) => {
    const task = byId.get(taskId);
    if (task !== undefined && taken.push(task) === byId.size) all.resolve();
    return "done";
  });
  await all.promise;
  await consumer.close();
  return taken;
}

test("a unit that was put back for a while is taken up as soon as somebody asks for it", async () => {
  const asset = await planned("as_put_back");
  const units = (await demandPreviewCell(library, asset, 5))!;
  let times = 0;
  const consumer = consume(settings, 1, async ({ taskId }) => {
    if (taskId !== units[0].id) return "done";
    times += 1;
    return { againAt: new Date(Date.now() + 3_600_000) };
  });
  await hurryPreview(queue, asset, units);
  await eventually("the unit in hand", 30, async () => times > 0 || null);
  await eventually("the unit in hand once more", 30, async () => {
    await hurryPreview(queue, asset, units);
    return times > 1 || null;
  });
  await consumer.close();
});

test("a unit of a preview that could not be made is tried anew when somebody asks for it, but not for ever", async () => {
  const asset = await planned("as_seen");
  const id = (await demandPreviewCell(library, asset, 5))![0].id;
  const failed = (endedAt: Date, retryable = true) =>
    library.tasks.updateOne(
      { _id: id },
      {
        $set: { state: "failed", failures: 3, error: { code: "internal", message: "", retryable } },
        $push: { attempts: { ...attempt, outcome: "failed", endedAt } },
      },
    );
  const stateOnceAsked = async () => {
    assert.equal((await demandPreviewCell(library, asset, 5))?.[0].id, id);
    return (await library.tasks.findOne({ _id: id }))?.state;
  };
  await failed(library.serverNow());
  assert.equal(await stateOnceAsked(), "failed", "a moment after");
  const epochs: number[] = [];
  for (let time = 0; time < 4; time++) {
    await failed(new Date(0));
    assert.equal(await stateOnceAsked(), "todo", `time ${time}`);
    const claim = await claimTask(library, id, "w", 60);
    assert.ok("claimed" in claim);
    assert.equal(claim.claimed.failures, 0);
    epochs.push(claim.claimed.epoch);
  }
  assert.deepEqual(epochs, [2, 4, 6, 8]);
  await failed(new Date(0));
  assert.equal(await stateOnceAsked(), "failed", "enough is enough");
  await library.tasks.updateOne({ _id: id }, { $set: { state: "cancelled" } });
  assert.equal(await stateOnceAsked(), "todo", "its film was called off and is back");
  await library.tasks.updateOne({ _id: id }, { $unset: { revivals: "" } });
  await failed(new Date(0), false);
  assert.equal(await stateOnceAsked(), "failed", "its master's own fault");
});

test("work that is not done is told in seconds", async () => {
  const before = await openWorkSeconds(library);
  await planned("as_counted", { tenant: "counted" });
  const claim = await claimTask(library, "as_counted.g.video.h264.0", "w", 60);
  assert.ok("claimed" in claim);
  const begun = await openWorkSeconds(library);
  assert.ok(await completeTask(library, claim.claimed, null, attempt));
  const done = await openWorkSeconds(library);
  assert.ok(begun.usual > before.usual + 4 * claim.claimed.weight);
  assert.ok(Math.abs(begun.usual - done.usual - claim.claimed.weight) < 1e-6);
});

test("one of many takes its turn", async () => {
  const turns = await Promise.all(Array.from({ length: 20 }, () => queue.takeTurn("test", 60_000)));
  assert.equal(turns.filter(Boolean).length, 1);
});
