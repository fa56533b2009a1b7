import type { AssetRecord } from "../core/records/asset.ts";
import { previewedGeneration } from "../core/work.ts";

/** Whether there is a package that a preview can show, or a beginning of one. */
export function isPlayable(asset: AssetRecord): boolean {
  if (asset.state === "deleted") return false;
  return asset.published !== null || isBegun(asset);
}

/** Whether there is something to look at of what is not ready yet. */
export function isBegun(asset: AssetRecord): boolean {
  const { state, preview } = asset;
  return state === "encoding" && preview !== undefined && preview === previewedGeneration(asset);
}
