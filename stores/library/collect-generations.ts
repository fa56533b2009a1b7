import {
  type GenerationPolicy,
  type GenerationStanding,
  mayCollect,
  settle,
} from "../../core/generations.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";
import { change, type GenerationSummary, generationsOf, SUMMARY } from "./generations.ts";
import { forgetResults } from "./reopen-tasks.ts";

/** The collector's side of generations: brought in line with their asset, and removed once no grant can reach them. */

/** Assets of any tenant whose generations may not say yet what they do, for the reaper. */
export async function listUnsettledAssets(library: Library, limit: number): Promise<AssetRecord[]> {
  return fromDriver(library.assets.find({ unsettled: true }).limit(limit).toArray());
}

/**
 * Brings the records of an asset's generations in line with it. Every write names the state that was read, and the
 * asset counts as settled only where it did not change meanwhile and all else of it is, too: the rest is settled in the next round.
 */
export async function settleGenerations(
  library: Library,
  asset: AssetRecord,
  policy: GenerationPolicy,
  isAllSettled = true,
): Promise<void> {
  const all = await generationsOf(library, asset._id);
  const settled = settle(all, asset, policy, library.serverNow());
  for (const one of all) {
    const next = settled.get(one.generation);
    if (next !== undefined && differs(one, next))
      await change(library, { _id: one._id, state: one.state }, next);
  }
  if (!isAllSettled) return;
  const unchanged = { _id: asset._id, version: asset.version };
  await fromDriver(library.assets.updateOne(unchanged, { $set: { unsettled: false } }));
}

function differs(one: GenerationStanding, next: Partial<GenerationStanding>): boolean {
  return JSON.stringify({ ...one, ...next }) !== JSON.stringify(one);
}

/** Generations of any tenant that are due, and those whose collection was begun and not ended; oldest first. */
export async function listDueGenerations(library: Library, limit: number): Promise<GenerationSummary[]> {
  const now = library.serverNow();
  const begun = await fromDriver(
    library.generations.find({ state: "collecting" }, SUMMARY).limit(limit).toArray(),
  );
  const due = await fromDriver(
    library.generations
      .find({ state: "superseded", collectAt: { $ne: null, $lte: now } }, SUMMARY)
      .sort({ collectAt: 1 })
      .limit(limit)
      .toArray(),
  );
  return [...begun, ...due].slice(0, limit);
}

/**
 * From here on nobody shows or makes this generation: true, and its objects may be removed. False where it is not due
 * after all. The results of its tasks are forgotten first, so that nothing is copied from what is going.
 */
export async function beginCollection(
  library: Library,
  asset: AssetRecord,
  one: GenerationSummary,
): Promise<boolean> {
  if (!mayCollect(one, asset, library.serverNow())) return false;
  const still = { _id: one._id, state: one.state, collectAt: one.collectAt };
  if (!(await change(library, still, { state: "collecting" }))) return false;
  await forgetResults(library, one.assetId, one.generation);
  return true;
}

/** Its objects are gone. */
export async function endCollection(library: Library, one: GenerationSummary): Promise<void> {
  const gone = { state: "collected" as const, collectAt: null, collectedAt: library.serverNow() };
  await change(library, { _id: one._id, state: "collecting" }, gone);
}
