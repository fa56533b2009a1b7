import { Failure, requestFailure } from "../../core/errors.ts";
import { followedBy, type GenerationRecord } from "../../core/generations.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import { newEvent, type RecordedEvent } from "../../core/webhook-event.ts";
import { findAsset } from "./assets.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";
import { holdGeneration } from "./generations.ts";
import { telling } from "./outbox.ts";
import { callOffTasks } from "./reopen-tasks.ts";

/**
 * New wishes for an asset that is there: another master, other settings, other tracks, or back to what it was. Each is
 * one compare-and-set that raises the revision; what was being made before is called off after it, and changes nothing
 * even where it is not.
 */

/** What an asset is made from. */
export type Inputs = Pick<AssetRecord, "filename" | "pinned" | "encoding" | "sidecars">;

/** Somebody else changing the same asset at the same moment is waited out this often. */
const TRIES = 10;

/**
 * Begins a new revision with what `change` makes of the asset as it is; where that is null, nothing is to be done and
 * the asset is given as it is. What is published stays so until the new one is made. An asset whose upload is not
 * finished only takes note. Throws 404, or 409 `asset_gone` where it is deleted or has no master.
 */
export async function reviseAsset(
  library: Library,
  tenant: string,
  id: string,
  change: (asset: AssetRecord) => Partial<Inputs> | null,
): Promise<AssetRecord> {
  return tried(library, tenant, id, async (asset) => {
    const inputs = change(asset);
    if (inputs === null) return asset;
    if (asset.state === "waiting") return swapAsset(library, asset, inputs);
    const next = { ...asset, ...inputs };
    if (next.pinned === null) throw gone();
    const sameMaster = next.pinned.key === asset.pinned?.key;
    const revised = await swapAsset(library, asset, {
      ...inputs,
      // What was found in the master stays true of it.
      ...(sameMaster ? {} : { source: null, findings: [] }),
      // Nobody fetches another one for it any more, and its URL may be a secret.
      ...(asset.pull?.sourceUrl == null ? {} : { pull: { ...asset.pull, sourceUrl: null } }),
      revision: asset.revision + 1,
      state: "queued",
      plan: null,
      generation: null,
      draftGeneration: null,
      error: null,
      shownRatio: 0,
    });
    if (revised !== null) await callOffTasks(library, revised);
    return revised;
  });
}

/**
 * Shows a generation again and makes its inputs those of the asset, in one compare-and-set; whatever is being made is
 * given up. The same once more changes nothing. Throws 404, or 409 `generation_gone` where its objects are not all there.
 */
export async function restoreGeneration(
  library: Library,
  tenant: string,
  record: GenerationRecord,
): Promise<AssetRecord> {
  const { generation, durationSeconds } = record;
  return tried(library, tenant, record.assetId, async (asset) => {
    const shown = asset.published?.generation === generation;
    if (shown && asset.state === "ready") return asset;
    if (asset.state === "waiting") throw gone();
    if (durationSeconds === null || !(await holdGeneration(library, record))) {
      throw requestFailure(
        409,
        "generation_gone",
        "The objects of this generation are not there (any more).",
      );
    }
    const { filename, pinned, encoding, sidecars, source, plan, findings, renditions } = record;
    const { keyId } = plan.protection ?? {};
    const now = library.serverNow();
    const told = [newEvent("asset.ready", now, { state: "ready", generation })];
    const set: Partial<AssetRecord> = {
      ...{ filename, pinned, encoding, sidecars, source, plan, findings, renditions, generation },
      draftGeneration: null,
      revision: asset.revision + 1,
      state: "ready",
      published: {
        ...{ generation, durationSeconds, at: now, follows: followedBy(asset, generation) },
        ...(keyId === undefined ? {} : { keyId }),
      },
      error: null,
      shownRatio: 1,
    };
    const restored = await swapAsset(library, asset, set, told);
    if (restored !== null) await callOffTasks(library, restored);
    return restored;
  });
}

async function tried(
  library: Library,
  tenant: string,
  id: string,
  attempt: (asset: AssetRecord) => Promise<AssetRecord | null>,
): Promise<AssetRecord> {
  for (let tries = 0; tries < TRIES; tries++) {
    const asset = await findAsset(library, tenant, id);
    if (asset === null || asset.state === "deleted") throw gone();
    const changed = await attempt(asset);
    if (changed !== null) return changed;
  }
  throw new Failure("transient", "asset_busy", "The asset is being changed by others; try again.", {
    retryAfterSeconds: 1,
  });
}

/** One compare-and-set on the version; null where somebody came first. Files that fall out are remembered. */
async function swapAsset(
  library: Library,
  asset: AssetRecord,
  set: Partial<AssetRecord>,
  events: RecordedEvent[] = [],
): Promise<AssetRecord | null> {
  const kept = new Set(filesOf({ ...asset, ...set }));
  const dropped = filesOf(asset).filter((key) => !kept.has(key));
  const update = telling<AssetRecord>(events, {
    $set: { ...set, unsettled: true, updatedAt: library.serverNow() },
    $inc: { version: 1 },
    ...(dropped.length === 0 ? {} : { $addToSet: { retiredSources: { $each: dropped } } }),
  });
  const filter = { _id: asset._id, tenant: asset.tenant, version: asset.version };
  return fromDriver(library.assets.findOneAndUpdate(filter, update, { returnDocument: "after" }));
}

function filesOf({ pinned, sidecars }: Pick<AssetRecord, "pinned" | "sidecars">): string[] {
  return [...(pinned === null ? [] : [pinned]), ...sidecars].map(({ key }) => key);
}

function gone() {
  return requestFailure(409, "asset_gone", "The asset is deleted or has no master.");
}
