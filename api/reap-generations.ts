import { type GenerationPolicy, unusedSources } from "../core/generations.ts";
import { packagePrefix } from "../core/keys.ts";
import type { AssetRecord } from "../core/records/asset.ts";
import type { Blobs } from "../stores/blobs.ts";
import {
  beginCollection,
  endCollection,
  listDueGenerations,
  listUnsettledAssets,
  settleGenerations,
} from "../stores/library/collect-generations.ts";
import type { Library } from "../stores/library/connect.ts";
import { dropRetiredSources } from "../stores/library/emptied-assets.ts";
import { type GenerationSummary, generationsOf } from "../stores/library/generations.ts";
import { findAssetForWork } from "../stores/library/open-work.ts";
import { callOffLeftovers } from "../stores/library/reopen-tasks.ts";
import type { Log } from "../stores/log.ts";
import type { Metrics } from "./metrics.ts";

/** How many assets and generations one round takes up. */
const ROUND = 50;

export interface CollectorParts {
  library: Library;
  blobs: Blobs;
  log: Log;
  metrics: Pick<Metrics, "collected">;
}

/**
 * One round of the collector: brings the records of generations in line with their assets, then removes what no grant
 * can reach any more and nobody may want back, then the masters and tracks that only those were made from. It may die
 * between any two steps: what was begun is gone on with in the next round. Several processes may run it at once.
 */
export async function reapGenerations(parts: CollectorParts, policy: GenerationPolicy): Promise<void> {
  const tried = (assetId: string, work: Promise<unknown>) =>
    work.catch((thrown) => parts.log.warn({ assetId, err: thrown }, "generations not collected"));
  for (const asset of await listUnsettledAssets(parts.library, ROUND)) {
    await tried(asset._id, settleAsset(parts, asset, policy));
  }
  for (const one of await listDueGenerations(parts.library, ROUND)) {
    await tried(one.assetId, collect(parts, one));
  }
}

async function settleAsset(
  parts: CollectorParts,
  { _id }: AssetRecord,
  policy: GenerationPolicy,
): Promise<void> {
  // As it is now: the round may have taken a while to come to it.
  const asset = await findAssetForWork(parts.library, _id);
  if (asset === null) return;
  // First the files and tasks: once settled, the asset is not looked at again before it changes.
  await removeUnusedSources(parts, asset);
  const areTasksSettled = await callOffLeftovers(parts.library, asset);
  await settleGenerations(parts.library, asset, policy, areTasksSettled);
}

async function collect(parts: CollectorParts, one: GenerationSummary): Promise<void> {
  const { library, blobs, log, metrics } = parts;
  const { assetId, generation } = one;
  const asset = await findAssetForWork(library, assetId);
  if (asset === null || !(await beginCollection(library, asset, one))) return;
  const objects = await blobs.removePrefix("media", packagePrefix(assetId, generation));
  await endCollection(library, one);
  metrics.collected.inc(objects);
  log.info({ assetId, generation, objects }, "generation collected");
  await removeUnusedSources(parts, asset);
}

/** Replaced masters and tracks that nothing is made from any more, the objects first: noted ones are tried again. */
async function removeUnusedSources(
  { library, blobs, log }: CollectorParts,
  { _id }: AssetRecord,
): Promise<void> {
  // The asset is read before its generations: a file that a step back takes up again is named by one of both.
  const asset = await findAssetForWork(library, _id);
  if (asset === null || asset.retiredSources.length === 0) return;
  const keys = unusedSources(asset, await generationsOf(library, _id));
  if (keys.length === 0) return;
  await blobs.remove("sources", keys);
  await dropRetiredSources(library, asset, keys);
  log.info({ assetId: _id, objects: keys.length }, "replaced sources removed");
}
