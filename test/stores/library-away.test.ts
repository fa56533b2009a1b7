import assert from "node:assert/strict";
import { after, test } from "node:test";
import { planOf } from "../../bench/simulated-plan.ts";
import { asFailure, Failure } from "../../core/errors.ts";
import type { AttemptRecord } from "../../core/records/task.ts";
import { completeTask, failTask, releaseTask, renewLease } from "../../stores/library/claimed-work.ts";
import { claimTask } from "../../stores/library/claims.ts";
import { type Library, openLibrary } from "../../stores/library/connect.ts";
import {
  activeAssets,
  findAssetForWork,
  openWorkSeconds,
  rankOfAsset,
} from "../../stores/library/open-work.ts";
import { pulledAssets } from "../../stores/library/pulls.ts";
import { claimBeside, findClaim, recordLost, stragglers } from "../../stores/library/second-claims.ts";
import { ensureTasks, findTwins, outlinesOfAsset, tasksOfAsset } from "../../stores/library/tasks.ts";
import {
  failAsset,
  markPreviewed,
  publishAsset,
  recordPlan,
  startProbing,
} from "../../stores/library/work.ts";
import { eventually } from "../rig/processes.ts";
import { openWire } from "../rig/wire.ts";
import { openWork } from "./work-for-test.ts";

const { library: there, url, planned } = await openWork();
const target = new URL(url);
const wire = await openWire({ host: target.hostname, port: Number(target.port) });
// Else it would go on at the address that the server says of itself.
Object.assign(target, { port: String(wire.port), search: "directConnection=true" });
// So that who waits in vain below waits little; a busy machine may not even connect in that time.
const library = await eventually("the library opened", 60, () =>
  openLibrary(target.href, { selectionTimeoutMs: 200 }).catch(() => null),
);
after(async () => {
  wire.mend();
  await library.close();
  wire.close();
});

const asset = await planned("as_away", { plan: planOf(60, 640, 360) });
const chunk = "as_away.g.video.h264.0";
const outcome = await claimTask(there, chunk, "worker", 600);
assert.ok("claimed" in outcome);
const claim = outcome.claimed;
const attempt: AttemptRecord = {
  ...{ stage: "video", worker: "worker", outcome: "done", argv: [], cpuSeconds: 1, bytesOut: 0, error: null },
  ...{ startedAt: there.serverNow(), endedAt: there.serverNow() },
};
const failure = new Failure("transient", "store_unavailable", "The store is away.");
const pinned = { key: "t/as_away/source", etag: "etag", sizeBytes: 1, sha256: null };
const found = { plan: asset.plan!, generation: "g", source: null as never, findings: [], sidecars: [] };

/** What workers ask of the library in the midst of their work. */
const ASKED: Record<string, (library: Library) => Promise<unknown>> = {
  claimTask: (one) => claimTask(one, chunk, "another", 6),
  renewLease: (one) => renewLease(one, claim, 0.5, 600),
  completeTask: (one) => completeTask(one, claim, null, attempt),
  failTask: (one) => failTask(one, claim, failure, attempt, { retryInSeconds: 1 }),
  releaseTask: (one) => releaseTask(one, claim),
  stragglers: (one) => stragglers(one, 6),
  findClaim: (one) => findClaim(one, chunk, claim.epoch),
  claimBeside: (one) => claimBeside(one, chunk, claim.epoch, "another", 6),
  recordLost: (one) => recordLost(one, claim, attempt),
  ensureTasks: (one) =>
    ensureTasks(one, asset, [{ id: "x", kind: "probe", part: "all", chunk: 0, weight: 1 }]),
  tasksOfAsset: (one) => tasksOfAsset(one, asset._id),
  outlinesOfAsset: (one) => outlinesOfAsset(one, asset._id),
  findTwins: (one) => findTwins(one, { ...claim, recipe: "same" }),
  activeAssets: (one) => activeAssets(one),
  openWorkSeconds: (one) => openWorkSeconds(one),
  rankOfAsset: (one) => rankOfAsset(one, asset, 4),
  findAssetForWork: (one) => findAssetForWork(one, asset._id),
  pulledAssets: (one) => pulledAssets(one),
  startProbing: (one) => startProbing(one, asset),
  recordPlan: (one) => recordPlan(one, { ...asset, pinned }, found),
  markPreviewed: (one) => markPreviewed(one, asset, "g"),
  publishAsset: (one) => publishAsset(one, asset, { generation: "g", durationSeconds: 60, renditions: [] }),
  failAsset: (one) => failAsset(one, asset, { code: "internal", message: "", retryable: true }),
};

test("F20 a library that is away in mid-work is waited for, whatever was asked of it: no film is given up for it", async () => {
  wire.refuse();
  const classes: Record<string, string> = {};
  for (const [name, ask] of Object.entries(ASKED))
    classes[name] = await ask(library).then(
      () => "answered",
      (thrown) => asFailure(thrown).failureClass,
    );
  assert.deepEqual(classes, Object.fromEntries(Object.keys(ASKED).map((name) => [name, "transient"])));
});
