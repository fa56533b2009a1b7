import { assetSources } from "../core/keys.ts";
import type { AssetRecord } from "../core/records/asset.ts";
import type { Blobs } from "../stores/blobs.ts";
import type { Library } from "../stores/library/connect.ts";
import { removeContentKey } from "../stores/library/content-keys.ts";
import { listUnemptiedAssets, markAssetEmptied } from "../stores/library/emptied-assets.ts";
import type { Log } from "../stores/log.ts";

/** How many assets one round takes up. */
const ROUND = 50;
/** A worker that has not noticed the deletion may still write: storage is looked at again until this has passed. */
const SETTLED_MS = 10 * 60_000;

/** One round: empties the storage of deleted assets, master and all generations. Several processes may run it at once. */
export async function reapAssets(parts: { library: Library; blobs: Blobs; log: Log }): Promise<void> {
  for (const asset of await listUnemptiedAssets(parts.library, ROUND)) {
    await emptyAsset(parts, asset).catch((thrown) =>
      parts.log.warn({ assetId: asset._id, err: thrown }, "storage of a deleted asset not emptied"),
    );
  }
}

/** Removes every object of a deleted asset. It counts as emptied once its deletion is old enough. */
export async function emptyAsset({ library, blobs }: { library: Library; blobs: Blobs }, asset: AssetRecord) {
  // First: without it, no copy of a protected film is worth anything.
  await removeContentKey(library, asset._id);
  await blobs.removePrefix("media", `${asset._id}/`);
  const files = [...(asset.pinned === null ? [] : [asset.pinned]), ...asset.sidecars].map(({ key }) => key);
  const { transfer } = asset.pull ?? {};
  if (transfer) await blobs.abortMultipart(transfer);
  await blobs.remove("sources", [...files, ...asset.retiredSources]);
  // Also a text that was stored by somebody who died before it was on record, and sound that chunks have left.
  await blobs.removePrefix("sources", assetSources(asset.tenant, asset._id));
  const age = library.serverNow().getTime() - asset.updatedAt.getTime();
  if (age > SETTLED_MS) await markAssetEmptied(library, asset);
}
