import type { Filter, IndexDescription } from "mongodb";
import type { DisabledReason, WebhookRecord } from "../../core/records/webhook.ts";
import { isGivenUp } from "../../core/webhook-retries.ts";
import type { Library } from "./connect.ts";
import { failPending, forgetDeliveries } from "./deliveries.ts";
import { fromDriver, isDuplicateKey } from "./driver-errors.ts";
import { listNewestFirst, type Page, type PagePosition } from "./pages.ts";

/** Endpoints that are told of a tenant's events. */

export const WEBHOOK_INDEXES: IndexDescription[] = [{ key: { tenant: 1, createdAt: -1, _id: -1 } }];

/** What its administrator says of an endpoint. */
export type WebhookContent = Pick<WebhookRecord, "url" | "types" | "description">;

/** A new endpoint. The same id again (the same request) gives the one that is there. */
export async function createWebhook(
  library: Library,
  tenant: string,
  id: string,
  content: WebhookContent,
  sealed: string,
): Promise<WebhookRecord> {
  const now = library.serverNow();
  const record: WebhookRecord = {
    ...content,
    _id: id,
    tenant,
    version: 1,
    enabled: true,
    disabledReason: null,
    secrets: [{ sealed, until: null }],
    failuresInRow: 0,
    failingSince: null,
    createdAt: now,
    updatedAt: now,
  };
  try {
    await fromDriver(library.webhooks.insertOne(record));
    return record;
  } catch (thrown) {
    const existing = isDuplicateKey(thrown) ? await findWebhook(library, tenant, id) : null;
    if (existing === null) throw thrown;
    return existing;
  }
}

/** The endpoint, or null where the tenant has no such one. */
export async function findWebhook(
  library: Library,
  tenant: string,
  id: string,
): Promise<WebhookRecord | null> {
  const webhook = await fromDriver(library.webhooks.findOne({ _id: id }));
  return webhook?.tenant === tenant ? webhook : null;
}

export async function countWebhooks(library: Library, tenant: string): Promise<number> {
  return fromDriver(library.webhooks.countDocuments({ tenant }));
}

export async function listWebhooks(
  library: Library,
  tenant: string,
  options: { limit: number; after: PagePosition | null },
): Promise<Page<WebhookRecord>> {
  return listNewestFirst(library.webhooks, { tenant }, options.limit, options.after);
}

/** The tenant's endpoints that are on. */
export async function listSubscribers(library: Library, tenant: string): Promise<WebhookRecord[]> {
  const webhooks = await fromDriver(library.webhooks.find({ tenant }).toArray());
  return webhooks.filter(({ enabled }) => enabled);
}

/**
 * Changes what is given, provided the endpoint is as it was read; null where it is not (or is gone). Whoever is turned on begins
 * anew; what waits for one that is turned off has failed.
 */
export async function changeWebhook(
  library: Library,
  webhook: WebhookRecord,
  change: Partial<WebhookContent & Pick<WebhookRecord, "enabled" | "secrets">>,
): Promise<WebhookRecord | null> {
  const anew = { failuresInRow: 0, failingSince: null };
  const { _id, tenant, version } = webhook;
  const changed = await fromDriver(
    library.webhooks.findOneAndUpdate(
      { _id, tenant, version },
      {
        $set: {
          ...change,
          ...(change.enabled || change.url !== undefined ? anew : {}),
          ...(change.enabled ? { disabledReason: null } : {}),
          updatedAt: library.serverNow(),
        },
        $inc: { version: 1 },
      },
      { returnDocument: "after" },
    ),
  );
  if (changed?.enabled === false) await failPending(library, _id);
  return changed;
}

/** Keeps these secrets in place of those there are, where the endpoint is as it was read. */
export async function sealAnew(
  library: Library,
  { _id, version }: WebhookRecord,
  secrets: WebhookRecord["secrets"],
): Promise<void> {
  await fromDriver(library.webhooks.updateOne({ _id, version }, { $set: { secrets } }));
}

/** Removes it and what was to be delivered to it; false where there was none. */
export async function deleteWebhook(library: Library, tenant: string, id: string): Promise<boolean> {
  const { deletedCount } = await fromDriver(library.webhooks.deleteOne({ _id: id, tenant }));
  if (deletedCount === 1) await forgetDeliveries(library, id);
  return deletedCount === 1;
}

/** Turns it off because of what its endpoint answers. False where it was off, has another address by now, or is no more. */
export async function disableWebhook(
  library: Library,
  { _id, url }: Pick<WebhookRecord, "_id" | "url">,
  disabledReason: DisabledReason,
): Promise<boolean> {
  const on: Filter<WebhookRecord> = { _id, url, enabled: true };
  const off = { enabled: false, disabledReason, updatedAt: library.serverNow() };
  const changed = await fromDriver(library.webhooks.updateOne(on, { $set: off, $inc: { version: 1 } }));
  if (changed.modifiedCount === 0) return false;
  await failPending(library, _id);
  return true;
}

/** The endpoint took something. Costs nothing where it always does. */
export async function noteSuccess(library: Library, webhook: WebhookRecord): Promise<void> {
  if (webhook.failuresInRow === 0) return;
  const anew = { failuresInRow: 0, failingSince: null };
  const { _id, url } = webhook;
  await fromDriver(library.webhooks.updateOne({ _id, url }, { $set: anew }));
}

/** The endpoint took something not. True where that has gone on for so long that it is turned off now. */
export async function noteFailure(library: Library, webhook: WebhookRecord): Promise<boolean> {
  const { _id, url } = webhook;
  const now = library.serverNow();
  const first = { _id, url, failingSince: null };
  await fromDriver(library.webhooks.updateOne(first, { $set: { failingSince: now } }));
  const counted = await fromDriver(
    library.webhooks.findOneAndUpdate(
      { _id, url },
      { $inc: { failuresInRow: 1 } },
      { returnDocument: "after" },
    ),
  );
  return counted !== null && isGivenUp(counted, now) && disableWebhook(library, webhook, "failing");
}
