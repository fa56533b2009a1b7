import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import type { AssetRecord } from "../../core/records/asset.ts";
import type { TaskRecord } from "../../core/records/task.ts";
import { tasksOnceDone } from "../rig/killing.ts";
import { flashAndBeep } from "../rig/media.ts";
import { assertPackage, packageDigest } from "../rig/package.ts";
import { allGone, descendants, eventually, signalled } from "../rig/processes.ts";
import { type Product, startProduct } from "../rig/product.ts";

let product: Product;
let film: string;
/** What an undisturbed run makes of the film. */
let clean: string[];

before(async () => {
  product = await startProduct({ workers: 1, slots: 2 });
  // Several chunks, so that none loses its worker again and again; few and small frames, for they are paid for.
  film = await flashAndBeep({ seconds: 60, size: "320x180", rate: "25/2" });
  const asset = await product.until(await product.uploadFile(film), isReady);
  clean = await packageDigest(product, asset);
});
after(() => product.stop());

const isReady = (asset: AssetRecord): boolean => asset.state === "ready";

function tasksOf(assetId: string): Promise<TaskRecord[]> {
  return product.library.tasks.find({ assetId }).toArray();
}

/** A video task that is getting on in some worker's hands, or null. */
async function running(assetId: string): Promise<TaskRecord | null> {
  return (await tasksOf(assetId)).find((task) => task.kind === "video" && task.state === "claimed") ?? null;
}

test("F01 kill -9 of the worker, ten times in one encode: published once, the same bytes, F03 no orphan", async () => {
  const assetId = await product.uploadFile(film);
  for (let kill = 0; kill < 10; kill++) {
    const worker = product.workers.at(-1)!;
    const atWork = await eventually("a chunk at work", 300, async () => {
      const asset = await product.library.assets.findOne({ _id: assetId });
      if (asset?.state === "ready") return "over" as const;
      return (await running(assetId)) && descendants(worker.pid!).some((one) => one.name === "ffmpeg")
        ? ("encoding" as const)
        : null;
    });
    if (atWork === "over") break;
    const family = descendants(worker.pid!);
    worker.kill("SIGKILL");
    await allGone(family, 60);
    await product.addWorker();
  }
  const asset = await product.until(assetId, isReady, 300);
  await assertPackage(product, asset, clean);
  const tasks = await tasksOnceDone(product, assetId);
  assert.ok(
    tasks.some((task) => task.deaths > 0),
    "claims were lost",
  );
  for (const task of tasks) {
    assert.equal(
      task.attempts.filter((attempt) => attempt.outcome === "done").length,
      1,
      `${task._id} recorded once`,
    );
  }
});

test("F02 kill -9 of ffmpeg: started again in place, no attempt burnt, the same bytes", async () => {
  const assetId = await product.uploadFile(film);
  const worker = product.workers.at(-1)!;
  for (let kill = 0; kill < 8; kill++) {
    const encoder = await eventually("an encoder", 300, async () => {
      const asset = await product.library.assets.findOne({ _id: assetId });
      if (asset?.state === "ready") return "over" as const;
      return (
        (await running(assetId)) && (descendants(worker.pid!).find((one) => one.name === "ffmpeg") ?? null)
      );
    });
    if (encoder === "over") break;
    signalled(encoder.pid, "SIGKILL");
    await allGone([encoder], 60);
  }
  const asset = await product.until(assetId, isReady, 300);
  await assertPackage(product, asset, clean);
  assert.deepEqual(
    (await tasksOf(assetId)).filter((task) => task.failures + task.deaths > 0),
    [],
  );
});

test("F04 SIGTERM in mid-encode: exit 0, work handed back unharmed, nothing left running", async () => {
  const assetId = await product.uploadFile(film);
  const worker = product.workers.at(-1)!;
  await eventually("a chunk at work", 300, () => running(assetId));
  const family = descendants(worker.pid!);
  worker.kill("SIGTERM");
  const [code] = await once(worker, "exit");
  assert.equal(code, 0);
  await allGone(family, 60);
  assert.deepEqual(
    (await tasksOf(assetId)).filter((task) => task.state === "claimed"),
    [],
  );
  await product.addWorker();
  const asset = await product.until(assetId, isReady, 300);
  await assertPackage(product, asset, clean);
  assert.deepEqual(
    (await tasksOf(assetId)).filter((task) => task.failures + task.deaths > 0),
    [],
  );
});

test("cancel stops what runs; retry makes only what is missing", async () => {
  const assetId = await product.uploadFile(film);
  const worker = product.workers.at(-1)!;
  await eventually("one chunk done, another at work", 300, async () => {
    const video = (await tasksOf(assetId)).filter((task) => task.kind === "video");
    return video.some((task) => task.state === "done") && video.some((task) => task.state === "claimed")
      ? true
      : null;
  });
  assert.equal((await product.call("POST", `/v1/assets/${assetId}/cancel`, {})).status, 202);
  await eventually("the encoders are gone", 60, () =>
    descendants(worker.pid!).some((one) => one.name === "ffmpeg") ? null : true,
  );
  const done = (await tasksOf(assetId)).filter((task) => task.state === "done");
  assert.equal((await product.library.assets.findOne({ _id: assetId }))?.state, "cancelled");
  assert.equal((await product.call("POST", `/v1/assets/${assetId}/retry`, {})).status, 202);
  const asset = await product.until(assetId, isReady, 300);
  await assertPackage(product, asset, clean);
  const again = new Map((await tasksOf(assetId)).map((task) => [task._id, task.attempts.length]));
  for (const task of done)
    assert.equal(again.get(task._id), task.attempts.length, `${task._id} was not done again`);
});
