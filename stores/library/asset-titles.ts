import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";

/**
 * No asset of the tenant names this title any more: each names another one that shows it, or none. What is deleted stays as it
 * is. Again changes nothing.
 */
export async function leaveTitle(library: Library, tenant: string, titleId: string): Promise<void> {
  const naming = { tenant, titleId, state: { $ne: "deleted" as const } };
  const projection = { _id: 1 };
  const assets = await fromDriver(library.assets.find(naming, { projection, maxTimeMS: 2_000 }).toArray());
  for (const { _id } of assets) {
    const others = { tenant, assetId: _id, _id: { $ne: titleId } };
    const other = await fromDriver(library.titles.findOne(others, { projection, sort: { _id: 1 } }));
    const change = {
      $set: { titleId: other?._id ?? null, updatedAt: library.serverNow() },
      $inc: { version: 1 },
    };
    await fromDriver(library.assets.updateOne({ ...naming, _id }, change));
  }
}
