import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";

/** What is kept of previews: on the asset whose it is, and the tasks of its units. */

/** Assets with a preview that were published before a time, the generation that it is of beside each. */
export async function listStalePreviews(
  library: Library,
  before: Date,
  limit: number,
): Promise<{ _id: string; preview: string }[]> {
  const ready = { preview: { $gt: "" }, state: "ready" as const, "published.at": { $lt: before } };
  const found = await fromDriver(
    library.assets
      .find(ready, { projection: { preview: 1 } })
      .limit(limit)
      .toArray(),
  );
  return found.flatMap(({ _id, preview }) => (preview === undefined ? [] : [{ _id, preview }]));
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
