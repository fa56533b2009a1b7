import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { GRANT_REACH_SECONDS } from "../../api/granted-url.ts";
import { reapGenerations } from "../../api/reap-generations.ts";
import { openRoom } from "../../core/admission.ts";
import { buildPlan, DEFAULT_PLAN_SETTINGS } from "../../core/plan.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import { tasksOf, wantedBy } from "../../core/work.ts";
import { cancelAsset, retryAsset } from "../../stores/library/asset-changes.ts";
import { claimTask } from "../../stores/library/claims.ts";
import type { Library } from "../../stores/library/connect.ts";
import { findAssetForWork } from "../../stores/library/open-work.ts";
import { reviseAsset } from "../../stores/library/revisions.ts";
import { ensureTasks, tasksOfAsset } from "../../stores/library/tasks.ts";
import { publishAsset, recordPlan, startProbing } from "../../stores/library/work.ts";
import { createWorker } from "../../transcoder/worker.ts";
import { dyingAfter } from "../rig/dying-library.ts";
import { madeAsset, openTestApi, SOURCE } from "./api-for-test.ts";

/** Tasks that nobody wants are not to do: nobody would ever take them up, and whoever counts work would wait for them. */

const api = await openTestApi("calledoff");
const { library } = api.deps;
const reap = () => reapGenerations(api.deps, { keepForRollback: 3, reachSeconds: GRANT_REACH_SECONDS });

async function fresh({ _id }: AssetRecord): Promise<AssetRecord> {
  const asset = await findAssetForWork(library, _id);
  assert.ok(asset);
  return asset;
}

/** A film that is being made, with all its tasks. */
async function begun(): Promise<AssetRecord> {
  const asset = await madeAsset(api, "alpha", "encoding");
  await ensureTasks(library, asset, tasksOf(asset));
  return asset;
}

/** Plans the present revision, as a worker does. */
async function planAgain(asset: AssetRecord, generation: string): Promise<AssetRecord> {
  const revised = await fresh(asset);
  await startProbing(library, revised);
  const plan = buildPlan(SOURCE, DEFAULT_PLAN_SETTINGS, "test");
  await recordPlan(library, revised, { source: SOURCE, plan, generation, findings: [], sidecars: [] });
  const next = await fresh(asset);
  await ensureTasks(library, next, tasksOf(next));
  return next;
}

const revise = (asset: AssetRecord) =>
  reviseAsset(library, "alpha", asset._id, ({ encoding }) => ({ encoding }));

/** Ids of what is to do, or in somebody's hands, and that the asset does not call for. */
async function leftOver(asset: AssetRecord): Promise<string[]> {
  const isWanted = wantedBy(await fresh(asset));
  return (await tasksOfAsset(library, asset._id))
    .filter((task) => (task.state === "todo" || task.state === "claimed") && !isWanted(task))
    .map(({ _id }) => _id);
}

async function openOf(asset: AssetRecord): Promise<string[]> {
  const tasks = await tasksOfAsset(library, asset._id);
  return tasks.filter(({ state }) => state === "todo").map(({ _id }) => _id);
}

test("a retry opens what the film needs now, and nothing of what it was before", async () => {
  const asset = await begun();
  await revise(asset);
  const next = await planAgain(asset, randomBytes(10).toString("hex"));
  await cancelAsset(library, "alpha", asset._id);
  assert.deepEqual(await openOf(asset), []);
  await retryAsset(library, "alpha", asset._id);
  assert.deepEqual(
    (await openOf(asset)).sort(),
    tasksOf(next)
      .map(({ id }) => id)
      .sort(),
  );
});

test("a later revision that comes to the same package opens no publication of the earlier one", async () => {
  const asset = await begun();
  await revise(asset);
  const next = await planAgain(asset, asset.generation!);
  assert.deepEqual(
    (await openOf(asset)).sort(),
    tasksOf(next)
      .map(({ id }) => id)
      .sort(),
  );
});

const CHANGES: Record<string, (own: Library, asset: AssetRecord) => Promise<unknown>> = {
  cancel: (own, { _id }) => cancelAsset(own, "alpha", _id),
  retry: async (own, { _id }) => {
    await cancelAsset(library, "alpha", _id);
    await retryAsset(own, "alpha", _id);
  },
  revise: (own, { _id }) => reviseAsset(own, "alpha", _id, ({ encoding }) => ({ encoding })),
};
for (const [name, change] of Object.entries(CHANGES))
  test(`F33 dying at any write of a ${name} leaves nothing to do that nobody wants`, async () => {
    for (let writes = 1, isDone = false; !isDone; writes++) {
      const asset = await begun();
      await change(dyingAfter(library, writes), asset).then(
        () => {
          isDone = true;
        },
        (thrown) => assert.match(String(thrown), /died/),
      );
      await reap();
      assert.deepEqual(await leftOver(asset), [], `after ${writes} writes`);
    }
  });

test("what somebody still has in hand is left to them, and called off once they have gone", async () => {
  const asset = await begun();
  const publish = tasksOf(asset).find(({ kind }) => kind === "publish")!.id;
  assert.ok("claimed" in (await claimTask(library, publish, "worker", 60)));
  const { generation } = asset;
  await publishAsset(library, asset, { generation: generation!, durationSeconds: 30, renditions: [] });
  await reap();
  assert.deepEqual(await leftOver(asset), [publish]);
  await library.tasks.updateOne({ _id: publish }, { $set: { leaseUntil: new Date(0) } });
  await reap();
  assert.deepEqual(await leftOver(asset), []);
  assert.equal((await fresh(asset)).unsettled, false);
});

test("a worker that meets a task which nobody wants puts it aside for good", async () => {
  const asset = await begun();
  await library.assets.updateOne({ _id: asset._id }, { $set: { state: "cancelled" } });
  const [task] = await openOf(asset);
  const workshop = {
    ...{ library, log: api.deps.log, workerId: "worker", launcher: { build: "test" } },
    ...{ hardware: { family: null, detail: "" }, recentAv1: null },
  };
  const worker = createWorker(workshop as never, null as never, DEFAULT_PLAN_SETTINGS, openRoom(2 ** 30));
  assert.equal(await worker.handle({ taskId: task!, lane: "usual", memoryBytes: 1 }), "done");
  assert.equal((await library.tasks.findOne({ _id: task! }))?.state, "cancelled");
});
