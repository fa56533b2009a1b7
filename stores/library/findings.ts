import { addWaiver, blockingFindings, isHeldByFindings } from "../../core/findings.ts";
import type { AssetRecord, Finding } from "../../core/records/asset.ts";
import { retryAsset } from "./asset-changes.ts";
import { findAsset } from "./assets.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";

/** Someone else may change the record in between; this often it is read again. */
const TRIES = 20;

/** Keeps what was found in the generation that is being made; nothing where the asset has gone on meanwhile. */
export async function recordFindings(
  library: Library,
  assetId: string,
  generation: string,
  findings: Finding[],
): Promise<void> {
  const filter = { _id: assetId, state: "encoding" as const, generation };
  const set = { findings, updatedAt: library.serverNow() };
  await fromDriver(library.assets.updateOne(filter, { $set: set, $inc: { version: 1 } }));
}

/**
 * Records that `by` accepts the findings of this code, for the present master. Where nothing holds the asset back any
 * more it goes on, and only publishing is left to do. Repeating it changes nothing. null where there is no such asset.
 */
export async function waiveFinding(
  library: Library,
  tenant: string,
  assetId: string,
  waiver: { code: string; by: string; reason: string },
): Promise<AssetRecord | null> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const asset = await findAsset(library, tenant, assetId);
    if (asset === null || asset.pinned === null) return null;
    const at = library.serverNow();
    const known = asset.waivers ?? [];
    const waivers = addWaiver(known, { ...waiver, at, sourceEtag: asset.pinned.etag });
    const waived = { ...asset, waivers };
    if (waivers.length > known.length) {
      const filter = { _id: assetId, tenant, version: asset.version };
      const update = { $set: { waivers, updatedAt: at }, $inc: { version: 1 } };
      const { matchedCount } = await fromDriver(library.assets.updateOne(filter, update));
      if (matchedCount === 0) continue;
    }
    if (!isHeldByFindings(waived) || blockingFindings(waived).length > 0)
      return findAsset(library, tenant, assetId);
    return (await retryAsset(library, tenant, assetId)) ?? findAsset(library, tenant, assetId);
  }
  return findAsset(library, tenant, assetId);
}
