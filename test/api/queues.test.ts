import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { sourceFailure } from "../../core/errors.ts";
import type { AttemptRecord, TaskRecord } from "../../core/records/task.ts";
import { tasksOf } from "../../core/work.ts";
import { failTask } from "../../stores/library/claimed-work.ts";
import { claimTask } from "../../stores/library/claims.ts";
import { openWorkSeconds } from "../../stores/library/open-work.ts";
import { ensureTasks } from "../../stores/library/tasks.ts";
import { failAsset } from "../../stores/library/work.ts";
import { openQueue } from "../../stores/queue.ts";
import { consume } from "../../stores/queue-consumer.ts";
import { eventually } from "../rig/processes.ts";
import { installationToken, madeAsset, openTestApi, type TestApi, tokenOf } from "./api-for-test.ts";

const pagesDir = await mkdtemp(join(tmpdir(), "matinee-pages-"));
await mkdir(join(pagesDir, "studio"));
await writeFile(join(pagesDir, "studio/queues.html"), "<!doctype html><title>Work</title>");
after(() => rm(pagesDir, { recursive: true }));
const api = await openTestApi("queues", (config) => ({ ...config, pagesDir }));
const { library, config } = api.deps;
const admin = await installationToken(api, "admin");

function ask(from: TestApi, token: string | null, headers: Record<string, string> = {}) {
  const bearer: Record<string, string> = token === null ? {} : { Authorization: `Bearer ${token}` };
  return from.request("/admin/queues", { headers: { ...bearer, ...headers } });
}

async function shown() {
  const answer = await ask(api, admin, { Accept: "application/json" });
  assert.equal(answer.status, 200);
  return answer.json();
}

async function claimed(id: string, worker: string, leaseSeconds: number): Promise<TaskRecord> {
  const outcome = await claimTask(library, id, worker, leaseSeconds);
  assert.ok("claimed" in outcome);
  return outcome.claimed;
}

function fail(claim: TaskRecord, verdict: Parameters<typeof failTask>[4]) {
  const attempt: AttemptRecord = {
    ...{
      stage: claim.kind,
      worker: "w",
      outcome: "failed",
      argv: [],
      cpuSeconds: 1,
      bytesOut: 0,
      error: null,
    },
    ...{ startedAt: new Date(0), endedAt: new Date(0) },
  };
  return failTask(library, claim, sourceFailure("source_damaged", "It is."), attempt, verdict);
}

describe("the page of what is to be done", () => {
  test("tells of each kind what waits, runs, lapsed, is put off and set aside, and whose it is", async () => {
    const asset = await madeAsset(api, "alpha", "encoding");
    const specs = tasksOf(asset);
    await ensureTasks(library, asset, specs);
    const idsOf = (kind: string) => specs.filter((spec) => spec.kind === kind).map(({ id }) => id);
    const [first, second] = [idsOf("video")[0]!, idsOf("inspect")[0]!];
    await claimed(first, "wk_one", 60);
    await claimed(second, "wk_two", -1);
    await fail(await claimed(idsOf("images")[0]!, "wk_one", 60), { retryInSeconds: 3_600 });
    await fail(await claimed(idsOf("score")[0]!, "wk_one", 60), "final");
    const { lanes, workers, claims, assets } = await shown();
    const [fast, usual] = lanes;
    const kindOf = (kind: string) => usual.kinds.find((one: { kind: string }) => one.kind === kind);
    const { workSeconds: _, ...video } = kindOf("video");
    const none = { todo: 0, backingOff: 0, claimed: 0, lapsed: 0, failed: 0 };
    const videoTodo = idsOf("video").length - 1;
    assert.deepEqual(video, { kind: "video", followsOthers: false, ...none, todo: videoTodo, claimed: 1 });
    assert.deepEqual([kindOf("inspect").lapsed, kindOf("inspect").claimed], [1, 0]);
    assert.deepEqual([kindOf("images").backingOff, kindOf("images").followsOthers], [1, true]);
    assert.deepEqual([kindOf("score").failed, kindOf("score").workSeconds], [1, 0]);
    assert.equal(fast.kinds[0].todo, idsOf("preview").length);
    const open = await openWorkSeconds(library);
    // The same figures, added up in another order.
    const rounded = (...sums: number[]): string[] => sums.map((sum) => sum.toFixed(6));
    assert.deepEqual(rounded(fast.workSeconds, usual.workSeconds), rounded(open.fast, open.usual));
    const holders = workers.map(({ worker, tasks }: { worker: string; tasks: number }) => [worker, tasks]);
    assert.deepEqual(holders, [
      ["wk_one", 1],
      ["wk_two", 1],
    ]);
    assert.deepEqual(
      claims.map(({ taskId, tenant }: { taskId: string; tenant: string }) => [taskId, tenant]),
      [
        [second, "alpha"],
        [first, "alpha"],
      ],
    );
    assert.ok(claims[1].claimedAt < claims[1].leaseUntil);
    const encoding = assets.find(({ state }: { state: string }) => state === "encoding");
    assert.deepEqual([encoding.count, encoding.longest.id], [1, asset._id]);
  });

  test("counts what each worker holds, however many claims are shown", async () => {
    const held = (await library.tasks.findOne({ state: "claimed" }))!;
    const many = Array.from({ length: 120 }, (_, index) => ({
      ...{ ...held, _id: `${held._id}.${index}`, worker: index < 119 ? "wk_many" : "wk_last" },
      ...{ claimedAt: new Date(1_000 * index), leaseUntil: new Date(library.serverNow().getTime() + 60_000) },
    }));
    await library.tasks.insertMany(many);
    const { workers, claims } = await shown();
    assert.equal(claims.length, 100);
    const ofMany = { worker: "wk_many", tasks: 119, since: new Date(0).toISOString() };
    assert.deepEqual(workers[0], ofMany);
    const last = workers.find(({ worker }: { worker: string }) => worker === "wk_last");
    assert.deepEqual([last?.tasks, last?.since], [1, new Date(119_000).toISOString()]);
    await library.tasks.deleteMany({ _id: { $in: many.map(({ _id }) => _id) } });
  });

  test("names the assets that failed, the newest first, with why", async () => {
    const failed = [];
    for (const code of ["no_video", "source_damaged"] as const) {
      const asset = await madeAsset(api, "beta", "encoding");
      await failAsset(library, asset, { code, message: "So.", retryable: code === "source_damaged" });
      failed.unshift([asset._id, "beta", code, code === "source_damaged"]);
    }
    const { failedAssets } = await shown();
    const told = failedAssets.map((asset: Record<string, unknown>) => [
      ...[asset.id, asset.tenant, asset.code, asset.retryable],
    ]);
    assert.deepEqual(told, failed);
  });

  test("has the queue's own counts beside it, and those who listen", async (t) => {
    const queue = openQueue(config.queue);
    const release = Promise.withResolvers<"done">();
    t.after(async () => {
      release.resolve("done");
      await consumer.close();
      await queue.close();
    });
    const offer = { kind: "video", lane: "usual", priority: 1, memoryBytes: 1 } as const;
    await queue.offer([1, 2].map((n) => ({ ...offer, taskId: `task-${n}` })));
    const consumer = consume(config.queue, 1, () => release.promise);
    const hints = await eventually("one job runs", 60, async () => {
      const [, usual] = (await shown()).lanes;
      return usual.hints.active === 1 && usual.hints.consumers === 1 ? usual.hints : null;
    });
    assert.deepEqual(hints, { waiting: 1, active: 1, delayed: 0, consumers: 1 });
  });

  test("a lane with work to which no worker listens is told of, on the page and as a figure", async (t) => {
    const { _id: id, tenant } = await madeAsset(api, "alpha", "encoding");
    const task = (await library.tasks.findOne({ state: "todo" }))!;
    const fetches = ["todo", "todo", "failed"].map((state, index) => ({
      ...{ ...task, _id: `${id}.source.fetch.r${index}.0`, assetId: id, tenant, kind: "fetch", state },
    })) as TaskRecord[];
    await library.tasks.insertMany(fetches);
    const told = async () => {
      const [, , pull] = (await shown()).lanes;
      const text = await (await api.request("/metrics")).text();
      return [pull.unheard, Number(/matinee_queue_unheard_tasks\{lane="pull"\} (\d+)/.exec(text)?.[1])];
    };
    assert.deepEqual(await told(), [2, 2]);
    const consumer = consume(config.queue, 1, async () => "done", 1);
    t.after(() => consumer.close());
    await eventually("a worker listens", 60, async () => ((await told())[0] === 0 ? true : null));
    assert.deepEqual(await told(), [0, 0]);
  });

  test("says what the library knows where Redis does not answer", async () => {
    const alone = await openTestApi("queues-alone", (usual) => ({
      ...usual,
      queue: { ...usual.queue, url: "redis://127.0.0.1:1" },
    }));
    const answer = await ask(alone, await installationToken(alone, "admin"));
    assert.equal(answer.status, 200);
    const { lanes } = await answer.json();
    assert.deepEqual(
      lanes.map(({ hints }: { hints: unknown }) => hints),
      [null, null, null],
    );
  });

  test("is for administrators of the installation alone, and kept by nobody", async () => {
    assert.equal((await ask(api, null)).status, 401);
    assert.equal((await ask(api, await installationToken(api, "editor"))).status, 403);
    assert.equal((await ask(api, tokenOf("alpha", "admin"))).status, 404);
    assert.equal((await ask(api, admin)).headers.get("cache-control"), "private, no-store");
  });

  test("sends a browser to a page without anything in it, and never one that brings a token", async () => {
    const browser = { Accept: "text/html,application/xhtml+xml;q=0.9" };
    const sent = await ask(api, null, browser);
    assert.deepEqual([sent.status, sent.headers.get("location")], [302, "/studio/queues.html"]);
    const page = await api.request("/studio/queues.html");
    assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'.*script-src 'self'/);
    assert.equal((await ask(api, admin, browser)).status, 200);
    assert.equal((await ask(api, "mk_wrong", browser)).status, 401);
  });
});
