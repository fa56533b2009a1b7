import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Redis } from "ioredis";
import type { ApiConfig } from "../../api/config.ts";
import { REDIS_DEADLINE_MS } from "../../api/rate-limit.ts";
import { countingInRedis, openTestApi } from "../api/api-for-test.ts";
import { tasksOnceDone } from "../rig/killing.ts";
import { flashAndBeep } from "../rig/media.ts";
import { eventually, isListening } from "../rig/processes.ts";
import { freePort, type Product, startProduct } from "../rig/product.ts";

let redis: ChildProcess;
let folder: string;
let product: Product | undefined;
after(async () => {
  await product?.stop();
  redis.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

async function startRedis(
  port: number,
  settings: string[] = ["--appendonly", "yes", "--maxmemory-policy", "noeviction"],
): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), "matinee-redis-"));
  redis = spawn(
    "redis-server",
    ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, ...settings],
    { stdio: "ignore" },
  );
  await eventually("redis answers", 60, async () => (await isListening(port)) || null);
}

async function loseRedis(): Promise<void> {
  const gone = once(redis, "exit");
  redis.kill("SIGKILL");
  await gone;
  await rm(folder, { recursive: true, force: true });
}

test("F11 Redis killed and its data wiped in mid-encode: the queue is rebuilt, the film is published; F08 uploads go on without it", async () => {
  const port = await freePort();
  await startRedis(port);
  product = await startProduct({
    workers: 1,
    slots: 1,
    environment: { MATINEE_REDIS_URL: `redis://127.0.0.1:${port}` },
  });
  // A chunk at work and two that are to come; few frames, for they are paid for.
  const film = await flashAndBeep({ seconds: 36, size: "320x180", rate: "25/2" });
  const first = await product.uploadFile(film);
  await eventually("a chunk at work", 300, async () =>
    product!.library.tasks.findOne({ assetId: first, kind: "video", state: "claimed" }),
  );
  await loseRedis();
  const health = await product.call("GET", "/readyz");
  assert.equal(health.body.dependencies.redis?.ok, false, "readiness names what is missing");
  const second = await product.uploadFile(film);
  assert.equal((await product.call("GET", `/v1/assets/${second}`)).status, 200, "the API goes on");
  await startRedis(port);
  for (const assetId of [first, second]) {
    const asset = await product.until(assetId, ({ state }) => state === "ready", 300);
    assert.equal(asset.error, null);
  }
  for (const assetId of [first, second])
    for (const task of await tasksOnceDone(product, assetId))
      assert.equal(task.attempts.filter((attempt) => attempt.outcome === "done").length, 1, task._id);
});

test("F09 Redis frozen: every request is answered and counted in memory, and one of them alone waits for it", async () => {
  await loseRedis();
  const port = await freePort();
  await startRedis(port);
  const url = `redis://127.0.0.1:${port}`;
  const settings = (config: ApiConfig) => ({
    ...config,
    queue: { ...config.queue, url },
    rates: { perAccount: 8, perStranger: 8 },
  });
  const api = await openTestApi("frozen", settings, REDIS_DEADLINE_MS);
  await countingInRedis(api);
  const before = await countsIn(port);
  redis.kill("SIGSTOP");
  const statuses: number[] = [];
  for (let count = 0; count < 10; count++) statuses.push((await api.as("alpha")("GET", "/v1/titles")).status);
  redis.kill("SIGCONT");
  assert.deepEqual(statuses, [...Array(8).fill(200), 429, 429]);
  assert.equal((await countsIn(port)) - before, 1, "the one that waited");
});

/** How often it was asked to count requests. */
async function countsIn(port: number): Promise<number> {
  const client = new Redis({ port, host: "127.0.0.1" });
  try {
    return Number(/^cmdstat_eval:calls=(\d+)/m.exec(await client.info("commandstats"))?.[1] ?? 0);
  } finally {
    client.disconnect();
  }
}
