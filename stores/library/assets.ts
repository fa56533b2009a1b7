import type { IndexDescription } from "mongodb";
import type { EncodingChoice } from "../../core/encoding.ts";
import type { AssetRecord, AssetState } from "../../core/records/asset.ts";
import type { PullRecord } from "../../core/records/pull.ts";
import type { Library } from "./connect.ts";
import { fromDriver, isDuplicateKey } from "./driver-errors.ts";
import { listNewestFirst, type Page, type PagePosition } from "./pages.ts";

/** Assets as they are: made, found, listed and counted. */

export const ASSET_INDEXES: IndexDescription[] = [
  { key: { tenant: 1, createdAt: -1, _id: -1 } },
  { key: { state: 1, updatedAt: 1 } },
  { key: { tenant: 1, state: 1, createdAt: 1 } },
  { key: { unsettled: 1 } },
  { key: { preview: 1 } },
  { key: { tenant: 1, titleId: 1 } },
  { key: { tenant: 1, updatedAt: 1 } },
  { key: { tellAt: 1 } },
];

export const TASK_INDEXES: IndexDescription[] = [
  { key: { assetId: 1, generation: 1 } },
  { key: { assetId: 1, state: 1, kind: 1, part: 1 } },
  { key: { state: 1, leaseUntil: 1 } },
];

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

/** How many assets are in each state, over all tenants, for the metrics. */
export async function countAssetsByState(library: Library): Promise<Map<AssetState, number>> {
  const group = [{ $group: { _id: "$state", count: { $sum: 1 } } }];
  const rows = await fromDriver(
    library.assets.aggregate<{ _id: AssetState; count: number }>(group).toArray(),
  );
  return new Map(rows.map(({ _id, count }) => [_id, count]));
}
