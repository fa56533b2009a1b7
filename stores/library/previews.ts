import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";

/** What is kept of previews: on the asset whose it is, and the tasks of its units. */

/** Assets with a preview that were published before a time, beside each the generations that it may be of: that of a draft, and the film's own. */
export async function listStalePreviews(
  library: Library,
  before: Date,
  limit: number,
): Promise<{ _id: string; previews: string[] }[]> {
  const ready = { preview: { $gt: "" }, state: "ready" as const, "published.at": { $lt: before } };
  const found = await fromDriver(
    library.assets
      .find(ready, { projection: { preview: 1, "published.generation": 1 } })
      .limit(limit)
      .toArray(),
  );
  return found.map(({ _id, preview, published }) => ({
    _id,
    // Last the one by which it is found, should this end in between.
    previews: [...new Set([published?.generation, preview])].filter((one) => one !== undefined),
  }));
}

/** The preview is gone, and what its units made with it. */
export async function forgetPreview(library: Library, assetId: string, generation: string): Promise<void> {
  await fromDriver(library.tasks.deleteMany({ assetId, generation, kind: "preview" }));
  await fromDriver(
    library.assets.updateOne({ _id: assetId, preview: generation }, { $unset: { preview: "" } }),
  );
}

/** Somebody waits for this unit: it is no more one of those that may be put off. */
export async function noteAwaited(library: Library, taskId: string): Promise<void> {
  const unnoted = { _id: taskId, state: { $ne: "done" }, isAwaited: { $ne: true } } as const;
  await fromDriver(library.tasks.updateOne(unnoted, { $set: { isAwaited: true } }));
}
