import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { AssetRecord } from "../../core/records/asset.ts";
import type { AttemptRecord, TaskRecord } from "../../core/records/task.ts";
import { cpuSecondsOfTree } from "../../transcoder/process-tree.ts";
import { seeded } from "../fuzz/random.ts";
import { encodersOf, killOneAtWork, untilDone, vanishedClaims } from "../rig/killing.ts";
import { flashAndBeep } from "../rig/media.ts";
import { assertPackage, packageDigest } from "../rig/package.ts";
import { allGone, eventually, signalled } from "../rig/processes.ts";
import { type Product, startProduct } from "../rig/product.ts";

/** Several workers at one film of many small chunks, and what may happen to some of them. */

const SEED = 20260;
let product: Product;
let film: string;
/** What an undisturbed run makes of the film. */
let clean: string[];
let cleanId: string;

before(async () => {
  product = await startProduct({ workers: 1, slots: 1 });
  // Few frames, for they are paid for, with a keyframe at each border of chunks.
  film = await flashAndBeep({ seconds: 72, size: "320x180", rate: "25/2" });
  cleanId = await product.uploadFile(film);
  clean = await packageDigest(product, await product.until(cleanId, isReady));
});
after(() => product.stop());

const isReady = (asset: AssetRecord): boolean => asset.state === "ready";
const tasksOf = (assetId: string): Promise<TaskRecord[]> => product.library.tasks.find({ assetId }).toArray();

/** Claims of pictures that worker has now, by their records; there is one slot. */
async function pictureInHand(assetId: string): Promise<TaskRecord | null> {
  return (await tasksOf(assetId)).find((task) => task.kind === "video" && task.state === "claimed") ?? null;
}

/** Several files from one decode are a chunk; one is a unit of a preview. */
function chunkEncoder(worker: ChildProcess) {
  return encodersOf(worker).find(({ pid }) => {
    const outputs = readOrNothing(`/proc/${pid}/cmdline`)
      .split("\0")
      .filter((one) => one.startsWith("/out/"));
    return outputs.length > 1;
  });
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Resolves to the pid of a chunk's encoder that stands still from now on. */
function frozenEncoder(worker: ChildProcess): Promise<number> {
  return eventually("an encoder that stands still", 300, () => {
    const encoder = chunkEncoder(worker);
    // Some way into it, so that there is something to lose.
    if (encoder === undefined || cpuSecondsOfTree(encoder.pid) < 0.05) return null;
    if (!signalled(encoder.pid, "SIGSTOP")) return null;
    return / T /.test(readOrNothing(`/proc/${encoder.pid}/stat`)) ? encoder.pid : null;
  });
}

/** The task whose ledger tells of an attempt that came to nothing, and what it ran, once it does. */
function withLostAttempt(assetId: string): Promise<TaskRecord> {
  return eventually("an attempt told as lost", 300, async () => {
    const tasks = await tasksOf(assetId);
    const isTold = ({ outcome, argv }: AttemptRecord) => outcome === "lost" && argv.length > 0;
    return tasks.find(({ attempts }) => attempts.some(isTold)) ?? null;
  });
}

test("an encoder that stands still holds up its title no longer than a fresh one takes", async () => {
  const [slow] = product.workers;
  const assetId = await product.uploadFile(film);
  const pid = await frozenEncoder(slow!);
  const held = await eventually("its task on record", 300, () => pictureInHand(assetId));
  await product.addWorker();
  const asset = await product.until(assetId, isReady, 300);
  await assertPackage(product, asset, clean);
  const { _id, attempts, deaths, failures } = await withLostAttempt(assetId);
  assert.equal(_id, held._id);
  assert.deepEqual([deaths, failures], [0, 0], "its worker lived, and renewed");
  const [done, lost] = [...attempts].sort((a, b) => a.outcome.localeCompare(b.outcome));
  assert.deepEqual(
    [done?.outcome, lost?.outcome, lost?.worker, attempts.length],
    ["done", "lost", held.worker, 2],
  );
  assert.notEqual(done?.worker, held.worker);
  assert.ok(lost!.cpuSeconds > 0 && lost!.argv.length > 0, "what it cost is told");
  await allGone([{ pid, parent: 0, name: "ffmpeg" }], 60);
});

test("a worker that is suspended holds up its title no longer, and changes nothing when it wakes", async () => {
  const [slow] = product.workers;
  const assetId = await product.uploadFile(film);
  await eventually("it is at a chunk", 300, () => chunkEncoder(slow!) ?? null);
  slow!.kill("SIGSTOP");
  try {
    const asset = await product.until(assetId, isReady, 300);
    await assertPackage(product, asset, clean);
  } finally {
    slow!.kill("SIGCONT");
  }
  const { attempts, failures } = await withLostAttempt(assetId);
  assert.equal(attempts.filter(({ outcome }) => outcome === "done").length, 1);
  assert.equal(failures, 0);
  const asset = await product.until(assetId, isReady);
  await assertPackage(product, asset, clean);
  assert.equal(slow!.exitCode, null);
});

test("F01 kill -9 of workers at random, ten times: a chunk lost for each at most, the same bytes", async () => {
  const { pick } = seeded(SEED);
  for (let kills = 0; kills < 10; ) {
    const assetId = await product.uploadFile(film);
    const before = kills;
    // Spread over the film: one task that loses its worker again and again would be set aside.
    while (kills < 10 && (await untilDone(product, assetId, kills / 10))) {
      if (!(await killOneAtWork(product, assetId, pick))) break;
      kills++;
    }
    const asset = await product.until(assetId, isReady, 300);
    await assertPackage(product, asset, clean);
    const tasks = await tasksOf(assetId);
    for (const { _id, attempts } of tasks)
      assert.ok(attempts.filter(({ outcome }) => outcome === "done").length <= 1, `${_id} recorded once`);
    // One slot a worker: each kill takes one task of it, or none where it was at a preview or between two.
    assert.ok(
      vanishedClaims(tasks) <= kills - before,
      `${vanishedClaims(tasks)} claims of ${kills - before}`,
    );
  }
});

test("F04 three workers are replaced one after the other during a film: nothing lost", async () => {
  await product.addWorker();
  const alive = product.workers.filter((worker) => worker.exitCode === null && worker.signalCode === null);
  const assetId = await product.uploadFile(film);
  for (const worker of alive) {
    await eventually("it is at work, or the film is ready", 300, async () => {
      const asset = await product.library.assets.findOne({ _id: assetId });
      return asset?.state === "ready" || encodersOf(worker).length > 0 || null;
    });
    worker.kill("SIGTERM");
    const [code] = await once(worker, "exit");
    assert.equal(code, 0);
    await product.addWorker();
  }
  const asset = await product.until(assetId, isReady, 300);
  await assertPackage(product, asset, clean);
  const tasks = await tasksOf(assetId);
  assert.deepEqual(
    tasks.filter((task) => task.failures + task.deaths > 0),
    [],
  );
  assert.equal(vanishedClaims(tasks), 0);
});

test("chunks of a film that is planned with an encoder in hardware are left to workers that have it", async () => {
  const generation = "f".repeat(20);
  const { assets } = product.library;
  const revision = ((await assets.findOne({ _id: cleanId }))?.revision ?? 0) + 1;
  const planned = { state: "encoding", generation, revision, "plan.hardware": "nvenc" } as const;
  await assets.updateOne({ _id: cleanId }, { $set: planned });
  const made = async (): Promise<TaskRecord[]> =>
    (await tasksOf(cleanId)).filter((task) => task.generation === generation);
  await eventually("sound made, each chunk looked at more than once", 300, async () => {
    const tasks = await made();
    const chunks = tasks.filter(({ kind }) => kind === "video");
    const isLooked = chunks.length > 0 && chunks.every(({ epoch }) => epoch > 1);
    return (isLooked && tasks.every(({ kind, state }) => kind !== "audio" || state === "done")) || null;
  });
  const chunks = (await made()).filter(({ kind }) => kind === "video");
  assert.deepEqual(
    chunks.filter(({ state, failures, deaths }) => state === "done" || failures + deaths > 0),
    [],
  );

  // Half an hour later: as long as somebody who has it has lately done anything it waits, and then it says why not.
  const { tasks } = product.library;
  const ofFilm = { assetId: cleanId, generation };
  await tasks.updateMany(
    { ...ofFilm, state: "done" },
    { $set: { "attempts.$[].versions.hardware": "nvenc" } },
  );
  await tasks.updateMany({ ...ofFilm, kind: "video" }, { $set: { epoch: 900 } });
  await eventually("asked for more than once", 120, async () =>
    (await made()).every(({ kind, epoch }) => kind !== "video" || epoch > 920) ? true : null,
  );
  assert.equal((await assets.findOne({ _id: cleanId }))?.state, "encoding");
  const longAgo = new Date(Date.now() - 2 * 3_600_000);
  await tasks.updateMany({ ...ofFilm, state: "done" }, { $set: { "attempts.$[].endedAt": longAgo } });
  const failed = await product.until(cleanId, ({ state }) => state === "failed", 120);
  assert.equal(failed.error?.code, "codec_unavailable");
  assert.match(failed.error?.message ?? "", /No worker has the encoder any more .*nvenc/);
});
