import type { Filter, IndexDescription } from "mongodb";
import type { EncodingChoice } from "../../core/encoding.ts";
import { requestFailure } from "../../core/errors.ts";
import type { AssetError, AssetRecord, AssetState } from "../../core/records/asset.ts";
import type { PullRecord } from "../../core/records/pull.ts";
import type { PinnedSource } from "../../core/source.ts";
import { newEvent, type RecordedEvent } from "../../core/webhook-event.ts";
import type { Library } from "./connect.ts";
import { fromDriver, isDuplicateKey } from "./driver-errors.ts";
import { telling } from "./outbox.ts";
import { listNewestFirst, type Page, type PagePosition } from "./pages.ts";
import { callOffTasks, reopenTasks } from "./reopen-tasks.ts";

export const ASSET_INDEXES: IndexDescription[] = [
  { key: { tenant: 1, createdAt: -1, _id: -1 } },
  { key: { state: 1, updatedAt: 1 } },
  { key: { tenant: 1, state: 1, createdAt: 1 } },
  { key: { unsettled: 1 } },
  { key: { preview: 1 } },
  { key: { tellAt: 1 } },
];

export const TASK_INDEXES: IndexDescription[] = [
  { key: { assetId: 1, generation: 1 } },
  { key: { assetId: 1, state: 1, kind: 1, part: 1 } },
  { key: { state: 1, leaseUntil: 1 } },
];

/** States in which work may still be going on or to come. */
export const UNFINISHED_STATES: AssetState[] = ["waiting", "queued", "probing", "encoding"];
const ALIVE_STATES: AssetState[] = [...UNFINISHED_STATES, "ready", "failed", "cancelled"];

export interface NewAsset {
  id: string;
  tenant: string;
  ownerId: string;
  titleId: string | null;
  filename: string;
  encoding: EncodingChoice;
  /** Where its master is fetched from; absent where it is uploaded. */
  pull?: PullRecord;
}

/** An asset whose master is still to come. The same id again (the same request) gives the one that is there. */
export async function createAsset(library: Library, asset: NewAsset): Promise<AssetRecord> {
  const now = library.serverNow();
  const record: AssetRecord = {
    _id: asset.id,
    tenant: asset.tenant,
    ownerId: asset.ownerId,
    titleId: asset.titleId,
    state: "waiting",
    version: 1,
    filename: asset.filename,
    encoding: asset.encoding,
    revision: 1,
    createdAt: now,
    updatedAt: now,
    pinned: null,
    ...(asset.pull === undefined ? {} : { pull: asset.pull }),
    sidecars: [],
    source: null,
    plan: null,
    generation: null,
    published: null,
    findings: [],
    renditions: [],
    posterAtSeconds: null,
    error: null,
    shownRatio: 0,
    unsettled: false,
    retiredSources: [],
    emptiedAt: null,
  };
  try {
    await fromDriver(library.assets.insertOne(record));
    return record;
  } catch (thrown) {
    const existing = isDuplicateKey(thrown) ? await findAsset(library, asset.tenant, asset.id) : null;
    if (existing === null) throw thrown;
    return existing;
  }
}

/** The asset, or null where the tenant has no such one. Deleted ones are found too: see `state`. */
export async function findAsset(library: Library, tenant: string, id: string): Promise<AssetRecord | null> {
  // By its id alone: the stand-in would look through all assets, plans and all, where a filter says more.
  const asset = await fromDriver(library.assets.findOne({ _id: id }));
  return asset?.tenant === tenant ? asset : null;
}

/** Those of the tenant's assets that have a published package, by id. */
export async function findPublishedAssets(
  library: Library,
  tenant: string,
  ids: string[],
): Promise<Map<string, AssetRecord>> {
  if (ids.length === 0) return new Map();
  const filter: Filter<AssetRecord> = { tenant, _id: { $in: ids }, published: { $ne: null } };
  // The plan and the findings of a hundred films are megabytes that no card shows.
  const projection = { plan: 0, findings: 0, "source.video.keyframeSeconds": 0, "source.video.entries": 0 };
  const records = await fromDriver(library.assets.find(filter, { projection, maxTimeMS: 2_000 }).toArray());
  return new Map(records.filter(({ state }) => state !== "deleted").map((asset) => [asset._id, asset]));
}

/** The generation that viewers get of an asset of any tenant; null where they get none. */
export async function shownGeneration(library: Library, assetId: string): Promise<string | null> {
  const asset = await fromDriver(
    library.assets.findOne({ _id: assetId }, { projection: { state: 1, published: 1 } }),
  );
  return asset === null || asset.state === "deleted" ? null : (asset.published?.generation ?? null);
}

/** Newest first; deleted ones only where asked for by state. */
export async function listAssets(
  library: Library,
  tenant: string,
  options: { state?: AssetState; limit: number; after: PagePosition | null },
): Promise<Page<AssetRecord>> {
  const state = options.state ?? { $ne: "deleted" as const };
  return listNewestFirst(library.assets, { tenant, state }, options.limit, options.after);
}

/**
 * waiting → queued, with the source pinned by ETag and size. Asking again with the same source changes nothing
 * and gives the asset as it is; another source is 409 `source_changed`. Throws 409 where there is no such
 * waiting asset (cancelled meanwhile).
 */
export async function pinSource(
  library: Library,
  tenant: string,
  id: string,
  pinned: PinnedSource,
): Promise<AssetRecord> {
  const changed = await changeAsset(library, tenant, id, ["waiting"], { state: "queued", pinned });
  if (changed !== null) return changed;
  const found = await findAsset(library, tenant, id);
  if (found?.pinned?.etag === pinned.etag && found.pinned.sizeBytes === pinned.sizeBytes) return found;
  // A completion that was lost before it could be noted, of a master that has been replaced since.
  if (found?.retiredSources.includes(pinned.key)) return found;
  if (found?.pinned) throw requestFailure(409, "source_changed", "The asset already has another source.");
  throw requestFailure(409, "asset_not_waiting", "The asset no longer waits for this upload.");
}

/** Links or unlinks the title; null where there is no such asset or it is deleted. */
export async function setAssetTitle(
  library: Library,
  tenant: string,
  id: string,
  titleId: string | null,
): Promise<AssetRecord | null> {
  return changeAsset(library, tenant, id, ALIVE_STATES, { titleId });
}

/** Which moment's poster viewers see from now on; null where the asset is gone. */
export async function choosePoster(
  library: Library,
  tenant: string,
  id: string,
  posterAtSeconds: number,
): Promise<AssetRecord | null> {
  return changeAsset(library, tenant, id, ALIVE_STATES, { posterAtSeconds });
}

/**
 * Stops an unfinished asset; null where it is finished already. Its open tasks are cancelled and their epoch
 * raised, so that whatever a worker still writes for them is refused.
 */
export async function cancelAsset(library: Library, tenant: string, id: string): Promise<AssetRecord | null> {
  const asset = await changeAsset(library, tenant, id, UNFINISHED_STATES, {
    state: "cancelled",
    error: null,
  });
  if (asset !== null) await callOffTasks(library, asset);
  return asset;
}

/** waiting → cancelled, with the reason why its upload will never finish; null where it waits no longer. */
export async function giveUpWaiting(
  library: Library,
  tenant: string,
  id: string,
  error: AssetError,
): Promise<AssetRecord | null> {
  return changeAsset(library, tenant, id, ["waiting"], { state: "cancelled", error });
}

/** Any state → deleted; its playback ends and a reaper empties its storage. null: no such asset, or deleted already. */
export async function markAssetDeleted(
  library: Library,
  tenant: string,
  id: string,
): Promise<AssetRecord | null> {
  const alive: AssetState[] = [...UNFINISHED_STATES, "ready", "failed", "cancelled"];
  const gone = { state: "deleted" as const, published: null };
  const told = newEvent("asset.deleted", library.serverNow(), { state: "deleted" });
  const asset = await changeAsset(library, tenant, id, alive, gone, [told]);
  if (asset !== null) await callOffTasks(library, asset);
  return asset;
}

/**
 * failed or cancelled → queued (or encoding, where the plan is made; or waiting, where its master is to be fetched), with a fresh budget of attempts for what is not done; what is done stays done.
 * null where the asset is in another state or has no source. The tasks go first: were it the other way round, a
 * crash in between would leave a queued asset that nothing works on.
 */
export async function retryAsset(library: Library, tenant: string, id: string): Promise<AssetRecord | null> {
  const asset = await findAsset(library, tenant, id);
  if (asset === null || (asset.pinned === null && asset.pull?.sourceUrl == null)) return null;
  if (asset.state !== "failed" && asset.state !== "cancelled") return null;
  await reopenTasks(library, { assetId: id });
  // With the plan there is nothing left to probe, and a finished probe would never be offered again.
  const planned = asset.plan === null ? "queued" : "encoding";
  const state = asset.pinned === null ? "waiting" : planned;
  return changeAsset(library, tenant, id, ["failed", "cancelled"], { state, error: null });
}

async function changeAsset(
  library: Library,
  tenant: string,
  id: string,
  from: AssetState[],
  change: Partial<
    Pick<AssetRecord, "state" | "pinned" | "titleId" | "error" | "published" | "posterAtSeconds">
  >,
  events: RecordedEvent[] = [],
): Promise<AssetRecord | null> {
  return fromDriver(
    library.assets.findOneAndUpdate(
      { _id: id, tenant, state: { $in: from } },
      telling<AssetRecord>(events, {
        $set: {
          ...change,
          // Another state of the asset is another state of what is made of it.
          ...(change.state === undefined ? {} : { unsettled: true }),
          updatedAt: library.serverNow(),
        },
        $inc: { version: 1 },
      }),
      { returnDocument: "after" },
    ),
  );
}

/** Deleted assets of any tenant whose storage has not yet been seen empty, for the reaper. */
export async function listUnemptiedAssets(library: Library, limit: number): Promise<AssetRecord[]> {
  const filter: Filter<AssetRecord> = { state: "deleted", emptiedAt: null };
  return fromDriver(library.assets.find(filter).limit(limit).toArray());
}

export async function markAssetEmptied(library: Library, asset: AssetRecord): Promise<void> {
  const filter: Filter<AssetRecord> = { _id: asset._id, tenant: asset.tenant, state: "deleted" };
  // Nothing of a signed URL is kept for longer than the film that it led to.
  const forgotten = asset.pull === undefined ? {} : { "pull.sourceUrl": null, "pull.transfer": null };
  const set = { emptiedAt: library.serverNow(), ...forgotten };
  await fromDriver(library.assets.updateOne(filter, { $set: set }));
}

/** The files are gone from storage. */
export async function dropRetiredSources(
  library: Library,
  asset: AssetRecord,
  keys: string[],
): Promise<void> {
  const filter: Filter<AssetRecord> = { _id: asset._id, tenant: asset.tenant };
  await fromDriver(library.assets.updateOne(filter, { $pull: { retiredSources: { $in: keys } } }));
}

/** How many assets are in each state, over all tenants, for the metrics. */
export async function countAssetsByState(library: Library): Promise<Map<AssetState, number>> {
  const group = [{ $group: { _id: "$state", count: { $sum: 1 } } }];
  const rows = await fromDriver(
    library.assets.aggregate<{ _id: AssetState; count: number }>(group).toArray(),
  );
  return new Map(rows.map(({ _id, count }) => [_id, count]));
}
