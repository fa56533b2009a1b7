import type { Filter, IndexDescription } from "mongodb";
import type { AssetRecord } from "../../core/records/asset.ts";
import type { TitleRecord } from "../../core/records/title.ts";
import type { SourceFacts } from "../../core/source.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";

/** What the catalog is made of: all of it once, then what has changed since. */

/** What viewers are told of an asset. Its plan, its findings and most of its source may be megabytes that no card shows. */
export type CatalogAsset = Pick<
  AssetRecord,
  "_id" | "tenant" | "version" | "state" | "published" | "renditions" | "posterAtSeconds"
> & { source?: { facts?: Pick<SourceFacts, "chapters"> } | null };

/** A title that is gone, kept for those who had read it. `_id` is the title's. */
export interface RemovedTitleRecord {
  _id: string;
  tenant: string;
  at: Date;
}

/** Whoever has read a catalog asks for its changes more often than this, or reads all of it again. */
export const REMOVALS_KEPT_SECONDS = 24 * 3_600;
export const REMOVED_TITLE_INDEXES: IndexDescription[] = [
  { key: { at: 1 }, expireAfterSeconds: REMOVALS_KEPT_SECONDS },
  { key: { tenant: 1, at: 1 } },
];

export interface CatalogChanges {
  /** In whatever state they are now. */
  titles: TitleRecord[];
  removedTitleIds: string[];
  assets: CatalogAsset[];
}

/** So many records come at once, and so many ids are asked for: what is decoded in one go keeps nobody else waiting. */
const BATCH = 500;
const WHOLE_MS = 30_000;
const CHANGES_MS = 5_000;

const TITLE_FIELDS = { outbox: 0, tellAt: 0 };
const ASSET_FIELDS = {
  ...{ tenant: 1, version: 1, state: 1, published: 1, renditions: 1, posterAtSeconds: 1 },
  "source.facts.chapters": 1,
};

const SHOWN: Filter<TitleRecord> = { state: { $in: ["published", "scheduled"] } };

/** Who has titles that viewers may see now or at another time. */
export async function tenantsShown(library: Library): Promise<string[]> {
  return fromDriver(library.titles.distinct("tenant", SHOWN, { maxTimeMS: CHANGES_MS }));
}

/** Every title of the tenant that viewers may see now or at another time, in no order. */
export async function readShownTitles(library: Library, tenant: string): Promise<TitleRecord[]> {
  const filter: Filter<TitleRecord> = { tenant, ...SHOWN };
  const options = { projection: TITLE_FIELDS, batchSize: BATCH, maxTimeMS: WHOLE_MS };
  return fromDriver(library.titles.find(filter, options).toArray());
}

/** Those of the tenant's assets, deleted ones too; an id that names none is left out. */
export async function readCatalogAssets(
  library: Library,
  tenant: string,
  ids: readonly string[],
): Promise<CatalogAsset[]> {
  const found: CatalogAsset[] = [];
  for (let start = 0; start < ids.length; start += BATCH) {
    // By their ids alone: the stand-in would look through all assets where a filter says more.
    const filter: Filter<AssetRecord> = { _id: { $in: ids.slice(start, start + BATCH) } };
    const options = { projection: ASSET_FIELDS, maxTimeMS: CHANGES_MS };
    found.push(...(await fromDriver(library.assets.find(filter, options).toArray())));
  }
  return found.filter((asset) => asset.tenant === tenant).map(withPicturesAlone);
}

/** What was changed or removed at `since` or later, by the server's clock. */
export async function readCatalogChanges(
  library: Library,
  tenant: string,
  since: Date,
): Promise<CatalogChanges> {
  const changed = { tenant, updatedAt: { $gte: since } };
  const options = { batchSize: BATCH, maxTimeMS: CHANGES_MS };
  const [titles, removed, assets] = await Promise.all([
    fromDriver(library.titles.find(changed, { ...options, projection: TITLE_FIELDS }).toArray()),
    fromDriver(library.removedTitles.find({ tenant, at: { $gte: since } }, options).toArray()),
    fromDriver(library.assets.find(changed, { ...options, projection: ASSET_FIELDS }).toArray()),
  ]);
  return { titles, removedTitleIds: removed.map(({ _id }) => _id), assets: assets.map(withPicturesAlone) };
}

/** Of a package's renditions a card shows pictures alone, and thousands of assets are held. */
function withPicturesAlone(asset: CatalogAsset): CatalogAsset {
  return { ...asset, renditions: asset.renditions.filter(({ kind }) => kind === "image") };
}

/** Says that a title is about to go. */
export async function noteRemoval(library: Library, { _id, tenant }: TitleRecord): Promise<void> {
  const set = { $set: { tenant, at: library.serverNow() } };
  await fromDriver(library.removedTitles.updateOne({ _id }, set, { upsert: true }));
}
