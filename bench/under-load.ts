import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { BIG_BUCK_BUNNY, flashAndBeep, looped } from "../test/rig/media.ts";
import { type Product, startProduct } from "../test/rig/product.ts";
import { pidsBelow } from "./cpu.ts";
import { follow } from "./follow.ts";
import type { Asked, Asks, Steady } from "./load/asked.ts";
import { evening } from "./load/evening.ts";
import { figure, printTable } from "./table.ts";

/**
 * What is promised of the API: 95 of 100 answers within 300 ms and 99.99 % of requests answered, under the load that RELIABILITY F31
 * names (500 catalog requests, 200 new sessions and 200 signatures a second, whatever the answers take): while a film is encoded on all
 * cores, and while Redis is frozen besides; beside the same crowd with nothing else to disturb it.
 * `node bench/under-load.ts [seconds of each]`
 */

const seconds = Number(process.argv[2] ?? 20);
/** One encode for each core. */
const SLOTS = 2;

// The limit that holds a single account back is not what is measured here.
const environment = { MATINEE_RATE_PER_ACCOUNT: "10000000" };
const product = await startProduct({ slots: SLOTS, environment });

try {
  const assetId = await product.uploadFile(await flashAndBeep({ seconds: 4 }));
  await follow(product, assetId, ({ state }) => state === "ready");
  const kinds = await evening(product, assetId);
  // For the compiler, and for what is read once.
  await ask(kinds, 3);
  await report("nothing else", kinds, () => ask(kinds, seconds));
  const encoded = await encodingFor(product);
  await report("a film encoded on all cores", kinds, () => ask(kinds, seconds));
  await report("and Redis frozen", kinds, () => whileFrozen(() => ask(kinds, seconds)));
  const { state } = (await product.library.assets.findOne({ _id: encoded }))!;
  if (state !== "encoding") throw new Error(`the film was ${state} before the crowd had gone`);
} finally {
  await product.stop();
}

async function report(name: string, kinds: readonly Asked[], run: () => Promise<Steady[]>): Promise<void> {
  await eventLoopP99Ms();
  const rows = (await run()).map((one, index) => [
    ...[kinds[index]!.name, String(kinds[index]!.perSecond), String(one.asked), String(one.unanswered)],
    ...[one.p50Ms, one.p95Ms, one.p99Ms, one.mostMs].map((ms) => figure(ms, 0)),
  ]);
  printTable([name, "a second", "asked", "unanswered", "p50 ms", "p95 ms", "p99 ms", "most"], rows);
  process.stdout.write(`the API's event loop, p99: ${figure(await eventLoopP99Ms(), 0)} ms\n`);
}

/** In a process of its own: a crowd that waits for its turn would wait for itself. */
async function ask(kinds: Asked[], forSeconds: number): Promise<Steady[]> {
  const crowd = fork(join(import.meta.dirname, "load", "steady.ts"));
  const asks: Asks = { origin: product.apiUrl, seconds: forSeconds, kinds };
  crowd.send(asks);
  const [answers] = (await once(crowd, "message")) as [Steady[]];
  return answers;
}

/** Resolves, with its asset, once a film is being encoded that is long enough for all this. */
async function encodingFor({ uploadFile, library }: Product): Promise<string> {
  const film = await looped(BIG_BUCK_BUNNY, Math.ceil(seconds / 10));
  const assetId = await uploadFile(film);
  await follow(product, assetId, ({ state }) => state === "encoding");
  for (;;) {
    const busy = await library.tasks.countDocuments({ assetId, kind: "video", state: "claimed" });
    if (busy > 0) return assetId;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** By the API's own figures, since they were last asked for. */
async function eventLoopP99Ms(): Promise<number> {
  const text = await (await fetch(`${product.apiUrl}/metrics`)).text();
  return 1000 * Number(/^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(text)?.[1]);
}

async function whileFrozen<T>(run: () => Promise<T>): Promise<T> {
  const [redis] = await pidsBelow(process.ppid, "redis-server");
  if (redis === undefined) throw new Error("no Redis of our own");
  process.kill(redis, "SIGSTOP");
  try {
    return await run();
  } finally {
    process.kill(redis, "SIGCONT");
  }
}
