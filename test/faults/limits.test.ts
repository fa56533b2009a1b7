import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { after, before, test } from "node:test";
import { EARLY_DEATHS_ALLOWED } from "../../core/retry-verdict.ts";
import { claimTask } from "../../stores/library/claims.ts";
import { findMemoryGroups } from "../../transcoder/memory-group.ts";
import { flashAndBeep } from "../rig/media.ts";
import { eventually } from "../rig/processes.ts";
import { type Product, startProduct } from "../rig/product.ts";

const hasMemoryGroups = (await findMemoryGroups(null)) !== null;

let product: Product;
let film: string;
before(async () => {
  product = await startProduct({ workers: 0 });
  film = await flashAndBeep({ seconds: 2 });
});
after(() => product.stop());

test("F27 a task that kills whoever takes it up is set aside with a reason; others go on; retry makes it", async () => {
  const poisoned = await product.uploadFile(film);
  const task = await eventually("the task", 60, () => product.library.tasks.findOne({ assetId: poisoned }));
  for (let deaths = 0; deaths <= EARLY_DEATHS_ALLOWED; deaths++)
    await eventually("the last claim runs out", 60, async () => {
      const claim = await claimTask(product.library, task._id, `wk_dying_${deaths}`, 0.05);
      return "claimed" in claim ? claim : null;
    });
  const healthy = await product.uploadFile(film);
  await product.addWorker();
  const failed = await product.until(poisoned, ({ state }) => state === "failed", 300);
  assert.deepEqual([failed.error?.code, failed.error?.retryable], ["internal", true]);
  assert.match(failed.error!.message, /set aside/);
  await product.until(healthy, ({ state }) => state === "ready", 300);
  assert.equal((await product.call("POST", `/v1/assets/${poisoned}/retry`, {})).status, 202);
  await product.until(poisoned, ({ state }) => state === "ready", 300);
});

test("F23 an encode killed for want of memory: two more attempts in larger classes, then failed with a reason; retry makes it", {
  skip: hasMemoryGroups ? false : "no control group can be made here",
}, async () => {
  for (const worker of product.workers) worker.kill("SIGKILL");
  const starved = await product.addWorker({ MATINEE_ENCODE_MEMORY_BYTES: String(2 ** 20) });
  const assetId = await product.uploadFile(film);
  const asset = await product.until(assetId, ({ state }) => state === "failed", 300);
  assert.deepEqual([asset.error?.code, asset.error?.retryable], ["encode_failed", true]);
  assert.match(asset.error!.message, /memory/);
  const tasks = await product.library.tasks.find({ assetId, state: "failed" }).toArray();
  assert.ok(tasks.length > 0);
  for (const { attempts } of tasks)
    assert.deepEqual(
      attempts.map(({ error }) => error?.class),
      ["resource", "resource", "resource"],
    );
  starved.kill("SIGKILL");
  await product.addWorker();
  assert.equal((await product.call("POST", `/v1/assets/${assetId}/retry`, {})).status, 202);
  await product.until(assetId, ({ state }) => state === "ready", 300);
});

test("T15 a master that no worker can keep is refused as too large, and soon", async () => {
  for (const worker of product.workers) worker.kill("SIGKILL");
  await product.addWorker({ MATINEE_SCRATCH_LIMIT_BYTES: String(2 ** 20) });
  // Without an index all of it is needed.
  const large = await flashAndBeep({ seconds: 8, size: "640x360", extension: "mkv" });
  assert.ok((await stat(large)).size > 2 ** 20);
  const asset = await product.until(await product.uploadFile(large), ({ state }) => state === "failed", 300);
  assert.equal(asset.error?.code, "source_too_large");
});
