import type { AssetRecord } from "../core/records/asset.ts";
import type { TaskRecord } from "../core/records/task.ts";
import type { Product } from "../test/rig/product.ts";

const LOOK_EVERY_MS = 50;

/** The asset once `wanted` holds. Throws where it failed. Looks at a client's pace. */
export async function follow(
  { library }: Product,
  assetId: string,
  wanted: (asset: AssetRecord) => boolean,
): Promise<AssetRecord> {
  for (;;) {
    const asset = await library.assets.findOne({ _id: assetId });
    if (asset !== null && wanted(asset)) return asset;
    if (asset?.state === "failed") throw new Error(`${asset.error?.code}: ${asset.error?.message}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** The tasks of a ready asset, all attempts on record: those of publishing are only after the asset is ready. */
export async function finishedTasks({ library }: Product, assetId: string): Promise<TaskRecord[]> {
  for (;;) {
    const tasks = await library.tasks.find({ assetId }).toArray();
    if (tasks.some(({ kind, state }) => kind === "publish" && state === "done")) return tasks;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
