import type { Filter } from "mongodb";
import { ASSET_FAILURE_CODES, type Failure } from "../../core/errors.ts";
import { lineOf, presentClaim } from "../../core/fallen-claims.ts";
import type { AssetError } from "../../core/records/asset.ts";
import type { AttemptRecord, ClaimBeside, TaskRecord } from "../../core/records/task.ts";
import type { TaskResult } from "../../core/records/task-result.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";

/**
 * What becomes of a claim. Every write names the epoch that it was claimed under, so a late writer changes nothing.
 */

/** Keeps a claim alive and shows how far it is. False: the claim was lost, stop at once. */
export async function renewLease(
  library: Library,
  claim: TaskRecord,
  ratio: number,
  leaseSeconds: number,
): Promise<boolean> {
  const leaseUntil = new Date(library.serverNow().getTime() + leaseSeconds * 1000);
  const result = await fromDriver(library.tasks.updateOne(held(claim), { $set: { leaseUntil, ratio } }));
  if (result.matchedCount === 1) return true;
  const beside = await fromDriver(
    library.tasks.updateOne(heldBeside(claim), { $set: { "beside.leaseUntil": leaseUntil } }),
  );
  return beside.matchedCount === 1;
}

/**
 * Records what a claim made; of two beside each other the first wins, and the ledger has a line of the other one, to be replaced
 * if that lives to say what it cost. False: it was lost and nothing was recorded.
 */
export async function completeTask(
  library: Library,
  claim: TaskRecord,
  result: TaskResult | null,
  attempt: AttemptRecord,
): Promise<boolean> {
  const complete = async (only: Filter<TaskRecord>, other: ClaimBeside | null): Promise<boolean> => {
    const lines =
      other === null
        ? [attempt]
        : [attempt, lineOf({ ...other, stage: claim.kind, leaseUntil: attempt.endedAt })];
    const done = await fromDriver(
      library.tasks.updateOne(only, {
        $set: { state: "done", result, ratio: 1, leaseUntil: null, error: null, beside: null },
        $push: { attempts: { $each: lines } },
      }),
    );
    return done.matchedCount === 1;
  };
  const { beside } = claim;
  if (beside != null && (await complete({ ...held(claim), "beside.epoch": beside.epoch }, beside)))
    return true;
  if (await complete(held(claim), null)) return true;
  for (;;) {
    const task = await fromDriver(library.tasks.findOne(heldBeside(claim)));
    if (task === null) return false;
    const { epoch, state } = task;
    // Who stands in the place may change until it is written: then it is looked at again.
    if (await complete({ ...heldBeside(claim), epoch, state }, presentClaim(task))) return true;
  }
}

/** Records a failed attempt: tried again after `retryInSeconds`, or final. One beside another leaves it to that. */
export async function failTask(
  library: Library,
  claim: TaskRecord,
  failure: Failure,
  attempt: AttemptRecord,
  verdict: { retryInSeconds: number } | "final",
): Promise<boolean> {
  const final = verdict === "final";
  const notBefore = final ? null : new Date(library.serverNow().getTime() + verdict.retryInSeconds * 1000);
  const failed = await fromDriver(
    library.tasks.updateOne(held(claim), {
      $set: {
        state: final ? "failed" : "todo",
        error: assetError(failure),
        leaseUntil: null,
        ratio: 0,
        notBefore,
      },
      $inc: { failures: 1 },
      $push: { attempts: attempt },
    }),
  );
  return failed.matchedCount === 1 || endBeside(library, claim, attempt);
}

/** Hands a claim back unharmed (shutdown): no attempt is burnt, the next worker may take it at once. */
export async function releaseTask(library: Library, claim: TaskRecord): Promise<void> {
  const released = await fromDriver(
    library.tasks.updateOne(held(claim), {
      $set: { state: "todo", leaseUntil: null, worker: null, ratio: 0 },
    }),
  );
  if (released.matchedCount === 0) await endBeside(library, claim, null);
}

/** Puts a claim aside that its asset does not call for (any more): were it only handed back, it would be to do for ever. */
export async function callOffClaim(library: Library, claim: TaskRecord): Promise<void> {
  const calledOff = await fromDriver(
    library.tasks.updateOne(held(claim), {
      $set: { state: "cancelled", leaseUntil: null, worker: null, ratio: 0 },
      $inc: { epoch: 1 },
    }),
  );
  if (calledOff.matchedCount === 0) await endBeside(library, claim, null);
}

function held(claim: TaskRecord): { _id: string; epoch: number; state: "claimed" } {
  return { _id: claim._id, epoch: claim.epoch, state: "claimed" };
}

/** The claim where another was begun beside it, which may have been handed back meanwhile. */
function heldBeside({ _id, epoch }: TaskRecord): Filter<TaskRecord> {
  return { _id, "beside.epoch": epoch, state: { $in: ["todo", "claimed"] } };
}

async function endBeside(
  library: Library,
  claim: TaskRecord,
  attempt: AttemptRecord | null,
): Promise<boolean> {
  // Whatever has become of the task meanwhile.
  const filter = { _id: claim._id, "beside.epoch": claim.epoch };
  const ended = await fromDriver(
    library.tasks.updateOne(filter, {
      $set: { beside: null },
      ...(attempt === null ? {} : { $push: { attempts: attempt } }),
    }),
  );
  return ended.matchedCount === 1;
}

/** What the owner is told of a failure: the stable code and whether another try may help. */
function assetError(failure: Failure): AssetError {
  const code = ASSET_FAILURE_CODES.find((known) => known === failure.code) ?? "internal";
  return { code, message: failure.message, retryable: failure.retryable };
}
