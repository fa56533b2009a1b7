import type { Collection, Filter, UpdateFilter } from "mongodb";
import type { AssetRecord } from "../../core/records/asset.ts";
import type { TitleRecord } from "../../core/records/title.ts";
import type { UploadRecord } from "../../core/records/upload.ts";
import type { WebhookRecord } from "../../core/records/webhook.ts";
import {
  assetData,
  eventBody,
  isDue,
  type Outbox,
  outboxOf,
  type RecordedEvent,
  titleData,
  uploadData,
} from "../../core/webhook-event.ts";
import type { Library } from "./connect.ts";
import { recordDeliveries } from "./deliveries.ts";
import { fromDriver } from "./driver-errors.ts";
import { listSubscribers } from "./webhooks.ts";

/**
 * Events on their way from the records that they are of to the deliveries of the endpoints that want them. An event is written
 * by the update that it tells of, since there are no transactions over several documents; carrying it over may be done again at
 * any point, by anybody, and changes nothing the second time.
 */

/** The update, and these events on record with it. Every such update raises `version`. */
export function telling<T extends Outbox>(
  events: readonly RecordedEvent[],
  update: UpdateFilter<T>,
): UpdateFilter<T> {
  const [first] = events;
  if (first === undefined) return update;
  return {
    ...update,
    $set: { ...update.$set, tellAt: first.at },
    $push: { ...update.$push, outbox: { $each: [...events] } },
  } as unknown as UpdateFilter<T>;
}

interface Told extends Outbox {
  _id: string;
  tenant: string;
  version: number;
}

/** What carrying one kind of record takes. */
interface Carrier<T extends Told> {
  collection: Collection<T>;
  /** What its events need of it: the plans of a hundred films are megabytes. */
  fields: readonly (keyof T)[];
  data(record: T, event: RecordedEvent): Record<string, unknown>;
}

const uploadCarrier = ({ uploads }: Library): Carrier<UploadRecord> => ({
  collection: uploads,
  fields: ["assetId", "filename", "sizeBytes"],
  data: uploadData,
});
const assetCarrier = ({ assets }: Library): Carrier<AssetRecord> => ({
  collection: assets,
  fields: ["titleId"],
  data: assetData,
});
const titleCarrier = ({ titles }: Library): Carrier<TitleRecord> => ({
  collection: titles,
  fields: ["assetId"],
  data: titleData,
});

/** Carries over what is due, of at most `limit` records of each kind; how many records that were. */
export async function carryEvents(library: Library, limit: number): Promise<number> {
  const subscribers = rememberedSubscribers(library);
  return (
    (await carryDue(library, uploadCarrier(library), subscribers, limit)) +
    (await carryDue(library, assetCarrier(library), subscribers, limit)) +
    (await carryDue(library, titleCarrier(library), subscribers, limit))
  );
}

/** Carries over what is due of one title, which is about to go. */
export async function carryTitle(library: Library, title: TitleRecord): Promise<void> {
  await carry(library, titleCarrier(library), rememberedSubscribers(library), title);
}

/** Records of each kind whose events are looked through for the oldest one. */
const LOOKED_THROUGH = 1_000;

/**
 * Since when the oldest event waits to be carried over; null: none does. Told by the events themselves: `tellAt` is when to look at
 * the record again, and each event that is added moves it on.
 */
export async function oldestUntold(library: Library): Promise<Date | null> {
  const oldest = async <T extends Told>(collection: Collection<T>): Promise<Date[]> => {
    const query = collection.find(dueBy<T>(library.serverNow()), {
      projection: { outbox: 1 },
      maxTimeMS: 2_000,
    });
    const found = await fromDriver(query.sort({ tellAt: 1 }).limit(LOOKED_THROUGH).toArray());
    return (found as Outbox[]).flatMap(({ outbox = [] }) => outbox.map(({ at }) => at));
  };
  const found = [
    ...(await oldest(library.uploads)),
    ...(await oldest(library.assets)),
    ...(await oldest(library.titles)),
  ];
  return found.sort((a, b) => a.getTime() - b.getTime())[0] ?? null;
}

/** Bounded on both sides: by `$lte` alone, or with `$ne: null`, the stand-in looks through all that have nothing to tell. */
function dueBy<T extends Told>(now: Date): Filter<T> {
  return { tellAt: { $gt: new Date(0), $lte: now } } as Filter<T>;
}

type Subscribers = (tenant: string) => Promise<WebhookRecord[]>;

/** One read for each tenant and round. */
function rememberedSubscribers(library: Library): Subscribers {
  const known = new Map<string, Promise<WebhookRecord[]>>();
  return (tenant) => {
    const asked = known.get(tenant) ?? listSubscribers(library, tenant);
    known.set(tenant, asked);
    return asked;
  };
}

async function carryDue<T extends Told>(
  library: Library,
  carrier: Carrier<T>,
  subscribers: Subscribers,
  limit: number,
): Promise<number> {
  const due = dueBy<T>(library.serverNow());
  const named = [...carrier.fields, "tenant", "version", "outbox"].map((field) => [field, 1] as const);
  const query = carrier.collection.find(due, { projection: Object.fromEntries(named), maxTimeMS: 5_000 });
  const records = (await fromDriver(query.limit(limit).toArray())) as T[];
  for (const record of records) await carry(library, carrier, subscribers, record);
  return records.length;
}

async function carry<T extends Told>(
  library: Library,
  { collection, data }: Carrier<T>,
  subscribers: Subscribers,
  record: T,
): Promise<void> {
  const now = library.serverNow();
  const { _id, tenant, version, outbox = [] } = record;
  if (outbox.length === 0) return;
  const due = outbox.filter((event) => isDue(event, now));
  const webhooks = await subscribers(tenant);
  for (const event of due) {
    const wanted = webhooks.filter(({ types }) => types.includes(event.type));
    const message = { eventId: event.id, type: event.type, body: eventBody(event, data(record, event)) };
    await recordDeliveries(library, wanted, message);
  }
  // What was written meanwhile raised the version, and is found in the next round with all of this.
  const unchanged = { _id, version } as Filter<T>;
  const rest = outboxOf(outbox.filter((event) => !isDue(event, now)));
  await fromDriver(collection.updateOne(unchanged, { $set: rest } as unknown as UpdateFilter<T>));
}
