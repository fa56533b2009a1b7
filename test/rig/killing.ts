import type { ChildProcess } from "node:child_process";
import type { TaskRecord } from "../../core/records/task.ts";
import { laneOf } from "../../core/work-order.ts";
import { allGone, descendants, eventually, type ProcessFacts } from "./processes.ts";
import type { Product } from "./product.ts";

/** What can be done to workers while they encode. Everything that chance decides comes from `pick`. */

type Pick = <T>(list: readonly T[]) => T;

/** The encoders that a worker runs at this moment. */
export function encodersOf(worker: ChildProcess): ProcessFacts[] {
  return descendants(worker.pid!).filter(({ name }) => name === "ffmpeg");
}

/** Resolves once that share of the film's picture is encoded. */
export async function untilDone(product: Product, assetId: string, share: number): Promise<true> {
  return eventually(`${share} of the picture`, 3600, async () => {
    const video = product.library.tasks.find({ assetId, kind: "video" }, { projection: { state: 1 } });
    const states = (await video.toArray()).map(({ state }) => state);
    const done = states.filter((state) => state === "done").length;
    return (states.length > 0 && done >= share * states.length) || null;
  });
}

/** The film's tasks once all of them are done: the pointer moves a moment before the publishing task is recorded. */
export async function tasksOnceDone(product: Product, assetId: string): Promise<TaskRecord[]> {
  return eventually("every task recorded", 300, async () => {
    const tasks = await product.library.tasks.find({ assetId }).toArray();
    return tasks.every(({ state }) => state === "done") ? tasks : null;
  });
}

/** Workers that live and encode something, or null. */
function atWork(product: Product): ChildProcess[] | null {
  const busy = product.workers.filter(
    (worker) => worker.exitCode === null && worker.signalCode === null && encodersOf(worker).length > 0,
  );
  return busy.length > 0 ? busy : null;
}

/** Ends one of the workers that encode, in mid-encode, with its encoders, and starts another. False: the film was ready first. */
export async function killOneAtWork(product: Product, assetId: string, pick: Pick): Promise<boolean> {
  const busy = await eventually("a worker at work, or the film ready", 300, async () => {
    const asset = await product.library.assets.findOne({ _id: assetId }, { projection: { state: 1 } });
    if (asset?.state === "failed") throw new Error("the film has failed");
    return asset?.state === "ready" ? "ready" : atWork(product);
  });
  if (busy === "ready") return false;
  const worker = pick(busy);
  const family = descendants(worker.pid!);
  worker.kill("SIGKILL");
  await allGone(family, 60);
  await product.addWorker();
  return true;
}

/** Claims of the usual lane whose workers vanished, by their lines in the ledger: who lives to lose a claim says what it ran. */
export function vanishedClaims(tasks: readonly TaskRecord[]): number {
  return tasks
    .filter(({ kind }) => laneOf(kind) === "usual")
    .flatMap(({ attempts }) => attempts)
    .filter(({ outcome, argv }) => outcome === "lost" && argv.length === 0).length;
}
