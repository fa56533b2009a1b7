import type { Filter } from "mongodb";
import type { DeliveryAttempt, DeliveryRecord } from "../../core/records/webhook.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";

/**
 * Deliveries are claimed as tasks are, on the server's clock and under an epoch, so that of any number of senders one makes an
 * attempt; one that died is followed by another when its claim runs out.
 */

/** Attempts that are kept of a delivery, however often it is sent again. */
const ATTEMPTS_KEPT = 30;

/** What may be claimed now, longest due first, but for endpoints and tenants that are busy. */
export async function dueDeliveries(
  library: Library,
  busy: { webhookIds: readonly string[]; tenants: readonly string[] },
  limit: number,
): Promise<Pick<DeliveryRecord, "_id" | "tenant" | "webhookId" | "epoch">[]> {
  const due: Filter<DeliveryRecord> = {
    ...{ state: "pending", dueAt: { $lte: library.serverNow() } },
    ...(busy.webhookIds.length === 0 ? {} : { webhookId: { $nin: [...busy.webhookIds] } }),
    ...(busy.tenants.length === 0 ? {} : { tenant: { $nin: [...busy.tenants] } }),
  };
  const projection = { tenant: 1, webhookId: 1, epoch: 1 };
  const query = library.deliveries.find(due, { projection, maxTimeMS: 5_000 }).sort({ dueAt: 1 });
  return fromDriver(query.limit(limit).toArray());
}

/** Takes a delivery for `leaseMs` of server time: of any number of callers one has it. null: somebody else was first. */
export async function claimDelivery(
  library: Library,
  { _id, epoch }: Pick<DeliveryRecord, "_id" | "epoch">,
  leaseMs: number,
): Promise<DeliveryRecord | null> {
  const dueAt = new Date(library.serverNow().getTime() + leaseMs);
  return fromDriver(
    library.deliveries.findOneAndUpdate(
      { _id, epoch, state: "pending" },
      { $set: { dueAt, isClaimed: true }, $inc: { epoch: 1 } },
      { returnDocument: "after" },
    ),
  );
}

/** What became of a claim. `retryInSeconds` null: that was the last attempt. */
export type Outcome =
  | { kind: "delivered"; attempt: DeliveryAttempt }
  | { kind: "failed"; attempt: DeliveryAttempt; retryInSeconds: number | null }
  /** Nothing was tried for good: it is due again at once. */
  | { kind: "released" };

/**
 * Records it. False: the claim was lost, or the delivery given up with its endpoint, and nothing was recorded; but what has
 * arrived has arrived.
 */
export async function settleDelivery(
  library: Library,
  claim: DeliveryRecord,
  outcome: Outcome,
): Promise<boolean> {
  const now = library.serverNow();
  const { _id, epoch } = claim;
  const still = outcome.kind === "delivered" ? {} : { state: "pending" as const };
  const changed = await fromDriver(
    library.deliveries.updateOne(
      { _id, epoch, ...still },
      { $set: { ...settled(claim, outcome, now), isClaimed: false } },
    ),
  );
  return changed.matchedCount === 1;
}

function settled(claim: DeliveryRecord, outcome: Outcome, now: Date): Partial<DeliveryRecord> {
  if (outcome.kind === "released") return { dueAt: now };
  const attempts = [...claim.attempts, outcome.attempt].slice(-ATTEMPTS_KEPT);
  if (outcome.kind === "delivered") return { attempts, state: "delivered", dueAt: null, settledAt: now };
  const failed = { attempts, failures: claim.failures + 1 };
  const { retryInSeconds } = outcome;
  if (retryInSeconds === null) return { ...failed, state: "failed", dueAt: null, settledAt: now };
  return { ...failed, state: "pending", dueAt: new Date(now.getTime() + retryInSeconds * 1_000) };
}

/** Has it sent again with a fresh budget, from now on; where somebody is just sending it, it is left to him. null: it changed since. */
export async function replayDelivery(
  library: Library,
  delivery: DeliveryRecord,
): Promise<DeliveryRecord | null> {
  const now = library.serverNow();
  const { _id, epoch, state, isClaimed, dueAt } = delivery;
  if (state === "pending" && isClaimed && dueAt !== null && dueAt > now) return delivery;
  const anew = { state: "pending", dueAt: now, isClaimed: false, failures: 0, settledAt: null } as const;
  return fromDriver(
    library.deliveries.findOneAndUpdate(
      { _id, epoch, state },
      { $set: anew, $inc: { epoch: 1 } },
      { returnDocument: "after" },
    ),
  );
}
