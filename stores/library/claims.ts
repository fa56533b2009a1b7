import type { UpdateFilter } from "mongodb";
import { type FallenClaim, fallenClaims, isEarly, isPoisoned, lineOf } from "../../core/fallen-claims.ts";
import type { AssetError } from "../../core/records/asset.ts";
import type { TaskRecord } from "../../core/records/task.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";

/** Who gets a task: claims with leases and epochs, of which one wins. */

export type ClaimOutcome =
  | { claimed: TaskRecord }
  /** Someone holds it, or it must wait: not before this time. */
  | { busyUntil: Date }
  /** Done, failed, cancelled or unknown: nothing to do. */
  | { gone: true }
  /** Its workers keep dying: it has been failed instead of claimed. */
  | { poison: TaskRecord };

/**
 * Claims a task for `leaseSeconds` of server time, raising its epoch: of any number of callers one wins.
 * A claim whose lease has run out is taken over and counted as a death of its worker.
 */
export async function claimTask(
  library: Library,
  id: string,
  worker: string,
  leaseSeconds: number,
): Promise<ClaimOutcome> {
  const task = await fromDriver(library.tasks.findOne({ _id: id }));
  if (task === null || (task.state !== "todo" && task.state !== "claimed")) return { gone: true };
  const now = library.serverNow();
  if (task.state === "todo" && task.notBefore !== null && task.notBefore > now)
    return { busyUntil: task.notBefore };
  if (task.state === "claimed" && task.leaseUntil !== null && task.leaseUntil >= now)
    return { busyUntil: task.leaseUntil };
  // Its own claim stands beside a place that was given up, and is as good as ever.
  const { beside } = task;
  if (beside != null && beside.worker === worker && beside.leaseUntil >= now)
    return { busyUntil: beside.leaseUntil };
  const fallen = fallenClaims(task, now);
  if (isPoisoned(task, fallen)) {
    const poison = await swap(library, task, {
      $set: { state: "failed", error: POISON },
      ...counted(fallen),
    });
    return poison === null ? { gone: true } : { poison };
  }
  const claimed = await swap(library, task, {
    $set: {
      ...{ state: "claimed", worker, ratio: 0, claimedAt: now },
      leaseUntil: new Date(now.getTime() + leaseSeconds * 1000),
      ...(fallen.some((claim) => claim.isBeside) ? { beside: null } : {}),
    },
    ...counted(fallen),
  });
  return claimed === null ? { busyUntil: new Date(now.getTime() + leaseSeconds * 1000) } : { claimed };
}

const POISON: AssetError = {
  code: "internal",
  message: "Every worker that took up this part of the work died. It was set aside.",
  retryable: true,
};

/** Counts another claim, and those that fell; each has its line in the ledger. */
export function counted(fallen: readonly FallenClaim[]): UpdateFilter<TaskRecord> {
  return {
    $inc: { epoch: 1, deaths: fallen.length, earlyDeaths: fallen.filter(isEarly).length },
    ...(fallen.length === 0 ? {} : { $push: { attempts: { $each: fallen.map(lineOf) } } }),
  };
}

/** One compare-and-set on (id, epoch, state): the new record, or null where someone else came first. */
export async function swap(
  library: Library,
  task: Pick<TaskRecord, "_id" | "epoch" | "state">,
  update: UpdateFilter<TaskRecord>,
): Promise<TaskRecord | null> {
  const filter = { _id: task._id, epoch: task.epoch, state: task.state };
  return fromDriver(library.tasks.findOneAndUpdate(filter, update, { returnDocument: "after" }));
}
