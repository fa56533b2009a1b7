import assert from "node:assert/strict";
import { test } from "node:test";
import { planOf } from "../../bench/simulated-plan.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import type { TaskRecord } from "../../core/records/task.ts";
import { completeTask, releaseTask } from "../../stores/library/claimed-work.ts";
import { claimTask } from "../../stores/library/claims.ts";
import { demandPreviewCell } from "../../stores/offer-preview.ts";
import { Stopped } from "../../transcoder/keep-claim.ts";
import { obstacleToClaimed } from "../../transcoder/obstacles.ts";
import type { Workshop } from "../../transcoder/task-context.ts";
import { openWork } from "../stores/work-for-test.ts";

const { library, planned } = await openWork();
const working = new AbortController().signal;
const workshop = { library, hardware: { family: null, detail: "" }, recentAv1: null } as unknown as Workshop;
const obstacleTo = (task: TaskRecord, asset: AssetRecord, signal = working) =>
  obstacleToClaimed(workshop, task, asset, signal);

test("the second track of a sound is left to the worker that is at the first, until that has given it back", async () => {
  const plan = planOf(60, 1280, 720);
  const [stereo] = plan.audio;
  const audio = [stereo!, { ...stereo!, id: "a0-51", channels: 6 as const }];
  const asset = await planned("as_sound", { plan: { ...plan, audio } });
  const claim = async (part: string, worker: string): Promise<TaskRecord> => {
    const outcome = await claimTask(library, `as_sound.g.audio.${part}.0`, worker, 600);
    assert.ok("claimed" in outcome);
    return outcome.claimed;
  };
  const first = await claim("a0", "wk_first");
  const second = await claim("a0-51", "wk_second");
  const stands = async (task: TaskRecord) => (await obstacleTo(task, asset))?.obstacle ?? null;
  assert.deepEqual([await stands(first), await stands(second)], [null, "elsewhere"]);
  const beside = {
    epoch: 1,
    worker: "wk_slow",
    claimedAt: second.claimedAt!,
    leaseUntil: second.leaseUntil!,
    ratio: 0,
  };
  assert.equal(await stands({ ...second, beside }), null, "beside one who is slow at it");
  await releaseTask(library, first);
  assert.equal(await stands(second), null, "nobody is at the first");
  const again = await claim("a0", "wk_first");
  const now = library.serverNow();
  await completeTask(library, again, null, {
    ...{
      stage: "audio",
      worker: "wk_first",
      outcome: "done",
      argv: [],
      cpuSeconds: 1,
      bytesOut: 0,
      error: null,
    },
    ...{ startedAt: now, endedAt: now },
  });
  assert.equal(await stands(second), "elsewhere", "it has just been made");
  await library.tasks.updateMany({ assetId: "as_sound", kind: "video" }, { $set: { state: "done" } });
  assert.equal(await stands(second), null, "nothing of the film is left to encode");
});

test("a sound of a master that is read in parts waits for the chunks that leave it, until they have been begun", async () => {
  const plan = planOf(600, 1280, 720);
  const asset = await planned("as_late", { plan });
  const claim = async (kind: string, worker: string): Promise<TaskRecord> => {
    const outcome = await claimTask(library, `as_late.g.${kind}`, worker, 600);
    assert.ok("claimed" in outcome);
    return outcome.claimed;
  };
  const sound = await claim("audio.a0.0", "wk_mine");
  const [, first] = await Promise.all([
    claim(`video.${plan.ladders[0]!.id}.0`, "wk_mine"),
    claim(`video.${plan.ladders[0]!.id}.1`, "wk_other"),
  ]);
  const of = (container: string, video = {}) => ({ ...asset, source: { container, video } }) as typeof asset;
  const mp4 = of("mov,mp4,m4a,3gp,3g2,mj2");
  const waits = await obstacleTo(sound, mp4);
  assert.equal(waits?.obstacle, "pictures");
  assert.ok(waits.againSeconds >= 1 && waits.againSeconds <= 15);
  const reckoned = of("matroska,webm", { isReckoned: true });
  assert.equal((await obstacleTo(sound, reckoned))?.obstacle, "pictures");
  for (const other of [of("matroska,webm"), of("mpegts")])
    assert.equal(await obstacleTo(sound, other), null, "of others nothing is left");
  const own = { ...plan, audio: plan.audio.map((track) => ({ ...track, file: { key: "added" } })) };
  assert.equal(await obstacleTo(sound, { ...mp4, plan: own } as typeof asset), null);
  const video = { assetId: "as_late", kind: "video" } as const;
  await library.tasks.updateMany(video, { $set: { state: "done" } });
  await library.tasks.updateOne({ _id: first._id }, { $set: { state: "claimed", weight: 1_000 } });
  assert.equal((await obstacleTo(sound, mp4))?.againSeconds, 1, "it has just been claimed");
  await library.tasks.updateOne({ _id: first._id }, { $set: { ratio: 0.01 } });
  assert.equal(await obstacleTo(sound, mp4), null);
});

test("a worker that is told to stop looks no longer who else comes to a sound", async () => {
  const plan = planOf(600, 1280, 720);
  const asset = await planned("as_stopped", { plan });
  const outcome = await claimTask(library, "as_stopped.g.audio.a0.0", "wk_mine", 600);
  assert.ok("claimed" in outcome);
  // So long that the film may wait for it in the end.
  const sound = { ...outcome.claimed, weight: 10_000 };
  const mp4 = { ...asset, source: { container: "mov,mp4,m4a,3gp,3g2,mj2", video: {} } } as typeof asset;
  const stopping = new AbortController();
  const looks = obstacleTo(sound, mp4, stopping.signal);
  stopping.abort(new Stopped("shutdown"));
  await assert.rejects(looks, { name: "AbortError" });
});

test("a unit of a preview that nobody asked for is left to the worker that reads the film's beginning", async () => {
  const asset = await planned("as_begun", { plan: planOf(600, 1280, 720) });
  const claim = async (unit: number, worker: string): Promise<TaskRecord> => {
    const outcome = await claimTask(library, `as_begun.g.preview.all.${unit}`, worker, 600);
    assert.ok("claimed" in outcome);
    return outcome.claimed;
  };
  const [first, second] = [await claim(0, "wk_first"), await claim(1, "wk_second")];
  const stands = async (task: TaskRecord) => (await obstacleTo(task, asset))?.obstacle ?? null;
  assert.deepEqual([await stands(first), await stands(second)], [null, "elsewhere"]);
  await demandPreviewCell(library, asset, 1);
  const awaited = await library.tasks.findOne({ _id: second._id });
  assert.equal(await stands(awaited!), null, "a viewer waits for it");
  await releaseTask(library, first);
  assert.equal(await stands(second), null, "nobody is at the first");
});
