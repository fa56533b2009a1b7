import type { Filter } from "mongodb";
import type { AssetRecord } from "../../core/records/asset.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";

/** What storage still holds of assets that are gone, and of masters that were replaced. */

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
