import type { Filter, IndexDescription } from "mongodb";
import { idFromSeed } from "../../core/ids.ts";
import type {
  DeliveryAttempt,
  DeliveryRecord,
  DeliveryState,
  WebhookRecord,
} from "../../core/records/webhook.ts";
import type { Library } from "./connect.ts";
import { duplicatesIn, fromDriver } from "./driver-errors.ts";
import { listNewestFirst, type Page, type PagePosition } from "./pages.ts";

/**
 * Deliveries: one event on its way to one endpoint. They are claimed as tasks are, on the server's clock and under an epoch, so
 * that of any number of senders one makes an attempt; one that died is followed by another when its claim runs out.
 */

/** What is settled can be looked at, and sent again, for so long. */
const KEPT_SECONDS = 30 * 86_400;
/** Attempts that are kept of a delivery, however often it is sent again. */
const ATTEMPTS_KEPT = 30;

export const DELIVERY_INDEXES: IndexDescription[] = [
  { key: { state: 1, dueAt: 1 } },
  { key: { webhookId: 1, state: 1 } },
  { key: { tenant: 1, webhookId: 1, createdAt: -1, _id: -1 } },
  { key: { settledAt: 1 }, expireAfterSeconds: KEPT_SECONDS },
];

/** What is to be delivered. */
export type Message = Pick<DeliveryRecord, "eventId" | "type" | "body">;

/** Puts the message on record for each endpoint; for those for which it is already, nothing changes. */
export async function recordDeliveries(
  library: Library,
  webhooks: readonly WebhookRecord[],
  message: Message,
): Promise<void> {
  if (webhooks.length === 0) return;
  const now = library.serverNow();
  const records = webhooks.map((webhook) =>
    newDelivery(webhook, idFromSeed("dl", `${message.eventId}/${webhook._id}`), message, now),
  );
  await duplicatesIn(library.deliveries.insertMany(records, { ordered: false }));
}

/** Puts one message on record under a given id; the same id again changes nothing. */
export async function recordDelivery(
  library: Library,
  webhook: WebhookRecord,
  id: string,
  message: Message,
): Promise<DeliveryRecord> {
  const record = newDelivery(webhook, id, message, library.serverNow());
  await duplicatesIn(library.deliveries.insertMany([record], { ordered: false }));
  return record;
}

function newDelivery(
  { _id: webhookId, tenant }: WebhookRecord,
  id: string,
  message: Message,
  now: Date,
): DeliveryRecord {
  return {
    ...message,
    _id: id,
    tenant,
    webhookId,
    state: "pending",
    epoch: 0,
    dueAt: now,
    isClaimed: false,
    failures: 0,
    attempts: [],
    createdAt: now,
    settledAt: null,
  };
}

/** The delivery, or null where the endpoint has no such one. */
export async function findDelivery(
  library: Library,
  { tenant, _id: webhookId }: WebhookRecord,
  id: string,
): Promise<DeliveryRecord | null> {
  const delivery = await fromDriver(library.deliveries.findOne({ _id: id }));
  return delivery?.tenant === tenant && delivery.webhookId === webhookId ? delivery : null;
}

/** An endpoint's deliveries, newest first. */
export async function listDeliveries(
  library: Library,
  { tenant, _id: webhookId }: WebhookRecord,
  options: { state?: DeliveryState; limit: number; after: PagePosition | null },
): Promise<Page<DeliveryRecord>> {
  const { state, limit, after } = options;
  const filter = state === undefined ? { tenant, webhookId } : { tenant, webhookId, state };
  return listNewestFirst(library.deliveries, filter, limit, after);
}

/** What may be claimed now, longest due first, but for endpoints that are busy. */
export async function dueDeliveries(
  library: Library,
  busyWebhookIds: readonly string[],
  limit: number,
): Promise<Pick<DeliveryRecord, "_id" | "webhookId" | "epoch">[]> {
  const due: Filter<DeliveryRecord> = {
    ...{ state: "pending", dueAt: { $lte: library.serverNow() } },
    ...(busyWebhookIds.length === 0 ? {} : { webhookId: { $nin: [...busyWebhookIds] } }),
  };
  const projection = { webhookId: 1, epoch: 1 };
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

/** Records it. False: the claim was lost meanwhile, and nothing was recorded. */
export async function settleDelivery(
  library: Library,
  claim: DeliveryRecord,
  outcome: Outcome,
): Promise<boolean> {
  const now = library.serverNow();
  const { _id, epoch } = claim;
  const changed = await fromDriver(
    library.deliveries.updateOne(
      { _id, epoch },
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

/** What waits for an endpoint that is off has failed; it can be sent again once that is on. */
export async function failPending(library: Library, webhookId: string): Promise<void> {
  const failed = { state: "failed", dueAt: null, isClaimed: false, settledAt: library.serverNow() } as const;
  await fromDriver(library.deliveries.updateMany({ webhookId, state: "pending" }, { $set: failed }));
}

/** The endpoint is no more. */
export async function forgetDeliveries(library: Library, webhookId: string): Promise<void> {
  await fromDriver(library.deliveries.deleteMany({ webhookId }));
}

/** How many are pending, over all tenants, and since when the first of them is. */
export async function pendingDeliveries(library: Library): Promise<{ count: number; oldest: Date | null }> {
  const group = [
    { $match: { state: "pending" } },
    { $group: { _id: null, count: { $sum: 1 }, oldest: { $min: "$createdAt" } } },
  ];
  const [row] = await fromDriver(
    library.deliveries.aggregate<{ count: number; oldest: Date | null }>(group).toArray(),
  );
  return { count: row?.count ?? 0, oldest: row?.oldest ?? null };
}
