import assert from "node:assert/strict";
import { test } from "node:test";
import { planOf } from "../../bench/simulated-plan.ts";
import { openRoom } from "../../core/admission.ts";
import { Failure } from "../../core/errors.ts";
import { DEFAULT_PLAN_SETTINGS } from "../../core/plan.ts";
import type { AttemptRecord, TaskRecord } from "../../core/records/task.ts";
import { completeTask, failTask, releaseTask, renewLease } from "../../stores/library/claimed-work.ts";
import { claimTask } from "../../stores/library/claims.ts";
import { callOffTasks, reopenTasks } from "../../stores/library/reopen-tasks.ts";
import { claimBeside, recordLost, stragglers } from "../../stores/library/second-claims.ts";
import { openLog } from "../../stores/log.ts";
import { offerBesides } from "../../stores/offer-work.ts";
import type { TakenOffer } from "../../stores/queue.ts";
import { consume } from "../../stores/queue-consumer.ts";
import type { Workshop } from "../../transcoder/task-context.ts";
import { createWorker } from "../../transcoder/worker.ts";
import { openWork } from "./work-for-test.ts";

const { library, queue, settings, planned } = await openWork();
let made = 0;
const LEASE_SECONDS = 600;

/** A title that has been planned: the id of its chunk `index`. */
async function title(plan = planOf(60, 640, 360)): Promise<(index: number) => string> {
  const { _id } = await planned(`as_${made++}`, { plan });
  return (index) => `${_id}.g.video.h264.${index}`;
}

async function claimed(id: string, worker: string, leaseSeconds = LEASE_SECONDS): Promise<TaskRecord> {
  const outcome = await claimTask(library, id, worker, leaseSeconds);
  assert.ok("claimed" in outcome);
  return outcome.claimed;
}

async function besides(first: TaskRecord, worker: string): Promise<TaskRecord> {
  const second = await claimBeside(library, first._id, first.epoch, worker, LEASE_SECONDS);
  assert.ok(second !== null);
  return second;
}

const read = async (id: string): Promise<TaskRecord> => (await library.tasks.findOne({ _id: id }))!;
const attemptOf = (claim: TaskRecord, outcome: AttemptRecord["outcome"]): AttemptRecord => ({
  ...{ stage: "video", worker: claim.worker!, outcome, argv: [], cpuSeconds: 1, bytesOut: 0, error: null },
  ...{ startedAt: claim.claimedAt!, endedAt: library.serverNow() },
});
const complete = (claim: TaskRecord): Promise<boolean> =>
  completeTask(library, claim, null, attemptOf(claim, "done"));
const renew = (claim: TaskRecord): Promise<boolean> => renewLease(library, claim, 0.5, LEASE_SECONDS);

for (const winner of ["slow", "fresh"] as const)
  test(`two at one task: the ${winner} one comes first, the other changes nothing`, async () => {
    const chunk = await title();
    const slow = await claimed(chunk(0), "slow");
    const fresh = await besides(slow, "fresh");
    assert.ok((await renew(slow)) && (await renew(fresh)), "both hold it");
    const [first, second] = winner === "slow" ? [slow, fresh] : [fresh, slow];
    assert.equal(await complete(first), true);
    assert.equal(await renew(second), false);
    assert.equal(await complete(second), false);
    const told = async (): Promise<string[]> =>
      (await read(chunk(0))).attempts.map(
        ({ worker, outcome, cpuSeconds }) => `${worker} ${outcome}, ${cpuSeconds} s`,
      );
    assert.deepEqual(
      await told(),
      [`${first.worker} done, 1 s`, `${second.worker} lost, 0 s`],
      "dead or not",
    );
    await releaseTask(library, second);
    await recordLost(library, second, attemptOf(second, "lost"));
    const { state, deaths, failures, beside } = await read(chunk(0));
    assert.deepEqual([state, deaths, failures, beside], ["done", 0, 0, null]);
    assert.deepEqual(await told(), [`${first.worker} done, 1 s`, `${second.worker} lost, 1 s`]);
  });

test("who comes first beside a place that was given up, or after the other has failed, is alone in the ledger", async () => {
  const chunk = await title();
  const slow = await claimed(chunk(0), "slow");
  await releaseTask(library, await besides(slow, "fresh"));
  assert.equal(await complete(slow), true);
  const failing = await claimed(chunk(1), "slow");
  const fresh = await besides(failing, "fresh");
  const failed = attemptOf(failing, "failed");
  await failTask(library, failing, new Failure("ours", "encode_failed", "no"), failed, {
    retryInSeconds: 60,
  });
  assert.equal(await complete(fresh), true);
  const outcomes = [chunk(0), chunk(1)].map(async (id) =>
    (await read(id)).attempts.map(({ outcome }) => outcome),
  );
  assert.deepEqual(await Promise.all(outcomes), [["done"], ["failed", "done"]]);
});

test("a place that was given up is not taken by who still has the claim beside it", async () => {
  const chunk = await title();
  const slow = await claimed(chunk(0), "slow");
  await releaseTask(library, await besides(slow, "fresh"));
  const { beside } = await read(chunk(0));
  assert.deepEqual(await claimTask(library, chunk(0), "slow", 60), { busyUntil: beside!.leaseUntil });
  assert.ok("claimed" in (await claimTask(library, chunk(0), "third", 60)));
});

test("a seat beside a claim is left to workers that have the film's hardware", async () => {
  const chunk = await title({ ...planOf(60, 640, 360), hardware: "nvenc" });
  const slow = await claimed(chunk(0), "slow");
  const log = openLog({ name: "claims-test", level: "silent" });
  const workshop = {
    library,
    log,
    workerId: "fresh",
    hardware: { family: null, detail: "" },
    recentAv1: null,
  };
  const worker = createWorker(
    workshop as unknown as Workshop,
    queue,
    DEFAULT_PLAN_SETTINGS,
    openRoom(2 ** 30),
  );
  const offer = { taskId: slow._id, lane: "usual", memoryBytes: 1, besideEpoch: slow.epoch } as const;
  assert.equal(await worker.handle(offer), "done");
  const { epoch, state, worker: holder, beside } = await read(slow._id);
  assert.deepEqual([epoch, state, holder, beside ?? null], [slow.epoch, "claimed", "slow", null]);
});

test("of many who want to begin beside a claim one does, and never its own worker", async () => {
  const chunk = await title();
  const slow = await claimed(chunk(0), "slow");
  assert.equal(await claimBeside(library, slow._id, slow.epoch, "slow", 60), null);
  const all = await Promise.all(
    Array.from({ length: 10 }, (_, index) => claimBeside(library, slow._id, slow.epoch, `w${index}`, 60)),
  );
  const [fresh, ...rest] = all.filter((one) => one !== null);
  assert.ok(fresh !== undefined && rest.length === 0);
  assert.equal(await claimBeside(library, fresh._id, fresh.epoch, "third", 60), null, "two are enough");
});

test("what becomes of one leaves the other alone", async () => {
  const chunk = await title();
  const failure = new Failure("ours", "encode_failed", "no");
  const failing = await claimed(chunk(0), "slow");
  const beside = await besides(failing, "fresh");
  assert.ok(await failTask(library, failing, failure, attemptOf(failing, "failed"), { retryInSeconds: 60 }));
  assert.deepEqual([(await read(chunk(0))).failures, await complete(beside)], [0, true]);

  const slow = await claimed(chunk(1), "slow");
  await releaseTask(library, await besides(slow, "fresh"));
  assert.equal((await read(chunk(1))).state, "todo");
  const third = await claimed(chunk(1), "third");
  assert.ok((await renew(slow)) && (await renew(third)), "a third takes the place that was given up");
  assert.equal(await complete(slow), true);
  assert.equal(await complete(third), false);
});

test("both fall with their asset, also where it is wanted again", async () => {
  const chunk = await title();
  const slow = await claimed(chunk(0), "slow");
  const fresh = await besides(slow, "fresh");
  const asset = (await library.assets.findOne({ _id: slow.assetId }))!;
  await callOffTasks(library, { ...asset, state: "cancelled" });
  await reopenTasks(library, asset);
  assert.deepEqual([await complete(slow), await complete(fresh)], [false, false]);
});

test("F27 a task that kills whoever begins it, beside or after, is still set aside", async () => {
  const chunk = await title();
  const id = chunk(0);
  let deaths = 0;
  for (; deaths < 40 && (await read(id)).state !== "failed"; deaths++) {
    const { state, epoch } = await read(id);
    if (state === "claimed" && deaths % 2 === 1) {
      // Alive by its lease, silent in fact.
      await library.tasks.updateOne({ _id: id }, { $set: { leaseUntil: new Date(Date.now() + 1e6) } });
      await claimBeside(library, id, epoch, `w${deaths}`, 60);
    } else await claimTask(library, id, `w${deaths}`, 60);
    const gone = new Date(0);
    const task = await read(id);
    await library.tasks.updateOne(
      { _id: id },
      { $set: { leaseUntil: gone, ...(task.beside ? { "beside.leaseUntil": gone } : {}) } },
    );
  }
  const { state, attempts } = await read(id);
  assert.equal(state, "failed");
  assert.ok(deaths <= 12, `${deaths} deaths`);
  assert.ok(attempts.length >= 8 && attempts.every(({ outcome }) => outcome === "lost"));
});

test("a slow claim and a silent one are offered beside, when nothing else waits, to somebody else", async () => {
  const chunk = await title();
  const assetId = chunk(0).split(".")[0]!;
  const now = library.serverNow().getTime();
  for (const index of [0, 1]) await complete(await claimed(chunk(index), "quick"));
  const ago = (seconds: number): Date => new Date(now - seconds * 1000);
  const slow = await claimed(chunk(2), "slow");
  await library.tasks.updateOne({ _id: slow._id }, { $set: { claimedAt: ago(100) } });
  const silent = await claimed(chunk(3), "silent");
  await library.tasks.updateOne({ _id: silent._id }, { $set: { leaseUntil: ago(-LEASE_SECONDS + 5) } });
  // It has only just begun.
  await claimed(chunk(4), "quick");
  const found = await stragglers(library, LEASE_SECONDS);
  const own = found.filter((claim) => claim.assetId === assetId);
  assert.deepEqual(own.map(({ _id }) => _id).sort(), [slow._id, silent._id]);

  await offerBesides(library, queue, LEASE_SECONDS);
  const taken: TakenOffer[] = [];
  const emptied = Promise.withResolvers<void>();
  const consumer = consume(settings, 1, async (offer) => {
    taken.push(offer);
    const { waiting } = await queue.depth();
    if (waiting > 0) return "done";
    if (taken.some(({ besideEpoch }) => besideEpoch !== undefined)) emptied.resolve();
    else await offerBesides(library, queue, LEASE_SECONDS);
    return "done";
  });
  await emptied.promise;
  await consumer.close();
  const seen = taken.flatMap(({ taskId, besideEpoch }) => (besideEpoch === undefined ? [] : [taskId]));
  assert.deepEqual(seen.filter((id) => id.startsWith(assetId)).sort(), [slow._id, silent._id]);
  const firstBeside = taken.findIndex(({ besideEpoch }) => besideEpoch !== undefined);
  assert.ok(
    taken.slice(firstBeside).every(({ besideEpoch }) => besideEpoch !== undefined),
    "after all that nobody is at",
  );
});
