import type { IndexDescription } from "mongodb";
import { idFromSeed } from "../../core/ids.ts";
import type { DeliveryRecord, DeliveryState, WebhookRecord } from "../../core/records/webhook.ts";
import type { Library } from "./connect.ts";
import { duplicatesIn, fromDriver } from "./driver-errors.ts";
import { listNewestFirst, type Page, type PagePosition } from "./pages.ts";

/** Deliveries: one event on its way to one endpoint. */

/** What is settled can be looked at, and sent again, for so long. */
const KEPT_SECONDS = 30 * 86_400;

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

/** What waits for an endpoint that is off has failed; it can be sent again once that is on. */
export async function failPending(library: Library, webhookId: string): Promise<void> {
  const failed = { state: "failed", dueAt: null, isClaimed: false, settledAt: library.serverNow() } as const;
  await fromDriver(library.deliveries.updateMany({ webhookId, state: "pending" }, { $set: failed }));
}

/** The endpoint is no more. */
export async function forgetDeliveries(library: Library, webhookId: string): Promise<void> {
  await fromDriver(library.deliveries.deleteMany({ webhookId }));
}

/** What is pending, over all tenants. */
export interface Pending {
  /** As far as was counted. */
  count: number;
  /** Since when the one that is due longest waits to be taken up; null: none is due. */
  longestDue: Date | null;
}

/**
 * Counts what is pending as far as `limit`. One that is being made, or waits for its next attempt, is not due; one that is made
 * again is due since then.
 */
export async function pendingDeliveries(library: Library, limit: number): Promise<Pending> {
  // Of an index alone and in its order: no backlog is read through.
  const first = [{ $match: { state: "pending" } }, { $sort: { dueAt: 1 } }, { $limit: limit }];
  const group = { $group: { _id: null, count: { $sum: 1 }, dueAt: { $min: "$dueAt" } } };
  const [row] = await fromDriver(
    library.deliveries
      .aggregate<{ count: number; dueAt: Date }>([...first, group], { maxTimeMS: 2_000 })
      .toArray(),
  );
  if (row === undefined) return { count: 0, longestDue: null };
  return { count: row.count, longestDue: row.dueAt <= library.serverNow() ? row.dueAt : null };
}
