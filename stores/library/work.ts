import type { Plan } from "../../core/plan.ts";
import type { AssetError, AssetRecord, AssetState, Finding, Rendition } from "../../core/records.ts";
import type { Source } from "../../core/source.ts";
import type { Library } from "./connect.ts";
import { callOffTasks } from "./tasks.ts";

/**
 * The workers' side of an asset: its transitions on the way to `ready`. Every write names the state it relies on, so a
 * late writer changes nothing.
 */

/** States in which an asset has work to do. */
export const ACTIVE_STATES: readonly AssetState[] = ["queued", "probing", "encoding"];
/** Assets that may need work, oldest first. */
export async function activeAssets(library: Library): Promise<AssetRecord[]> {
  const found = await Promise.all(
    ACTIVE_STATES.map((state) => library.assets.find({ state }).sort({ updatedAt: 1 }).limit(500).toArray()),
  );
  return found.flat();
}

/** The asset, whatever its tenant: workers serve all of them. */
export async function findAssetForWork(library: Library, assetId: string): Promise<AssetRecord | null> {
  return library.assets.findOne({ _id: assetId });
}

async function moveAsset(
  library: Library,
  assetId: string,
  from: readonly AssetState[],
  set: Partial<AssetRecord>,
): Promise<boolean> {
  const moved = await library.assets.updateOne(
    { _id: assetId, state: { $in: [...from] } },
    { $set: { ...set, updatedAt: library.serverNow() }, $inc: { version: 1 } },
  );
  return moved.modifiedCount === 1;
}

/** `queued` → `probing`. */
export async function startProbing(library: Library, assetId: string): Promise<void> {
  await moveAsset(library, assetId, ["queued"], { state: "probing" });
}

/** `probing` → `encoding`, with everything that will be made. */
export async function recordPlan(
  library: Library,
  assetId: string,
  found: { source: Source; plan: Plan; generation: string; findings: Finding[] },
): Promise<void> {
  await moveAsset(library, assetId, ["queued", "probing"], { ...found, state: "encoding" });
}

/**
 * The publication: one compare-and-set from `encoding` of exactly this generation to `ready`. True for the
 * one caller that did it; false where it had been done, cancelled or superseded.
 */
export async function publishAsset(
  library: Library,
  assetId: string,
  made: { generation: string; durationSeconds: number; renditions: Rendition[] },
): Promise<boolean> {
  const at = library.serverNow();
  const published = { generation: made.generation, at, durationSeconds: made.durationSeconds };
  const result = await library.assets.updateOne(
    { _id: assetId, state: "encoding", generation: made.generation },
    {
      $set: {
        state: "ready",
        published,
        renditions: made.renditions,
        error: null,
        shownRatio: 1,
        updatedAt: at,
      },
      $inc: { version: 1 },
    },
  );
  return result.modifiedCount === 1;
}

/** Ends an asset's work with a reason that its owner sees. Its other tasks are called off. */
export async function failAsset(library: Library, assetId: string, error: AssetError): Promise<void> {
  if (await moveAsset(library, assetId, ACTIVE_STATES, { state: "failed", error }))
    await callOffTasks(library, assetId);
}
