import { requestFailure } from "../../core/errors.ts";
import type { AssetError, AssetRecord, AssetState } from "../../core/records/asset.ts";
import type { PinnedSource } from "../../core/source.ts";
import { newEvent, type RecordedEvent } from "../../core/webhook-event.ts";
import { findAsset } from "./assets.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";
import { telling } from "./outbox.ts";
import { callOffTasks, reopenTasks } from "./reopen-tasks.ts";

/** What people do to an asset. Each change names the states that it may come from, so that of two only one comes about. */

/** States in which work may still be going on or to come. */
export const UNFINISHED_STATES: AssetState[] = ["waiting", "queued", "probing", "encoding"];
const ALIVE_STATES: AssetState[] = [...UNFINISHED_STATES, "ready", "failed", "cancelled"];

/**
 * waiting → queued, with the source pinned by ETag and size. Asking again with the same source changes nothing
 * and gives the asset as it is; another source is 409 `source_changed`. Throws 409 where there is no such
 * waiting asset (cancelled meanwhile).
 */
export async function pinSource(
  library: Library,
  tenant: string,
  id: string,
  pinned: PinnedSource,
): Promise<AssetRecord> {
  const changed = await changeAsset(library, tenant, id, ["waiting"], { state: "queued", pinned });
  if (changed !== null) return changed;
  const found = await findAsset(library, tenant, id);
  if (found?.pinned?.etag === pinned.etag && found.pinned.sizeBytes === pinned.sizeBytes) return found;
  // A completion that was lost before it could be noted, of a master that has been replaced since.
  if (found?.retiredSources.includes(pinned.key)) return found;
  if (found?.pinned) throw requestFailure(409, "source_changed", "The asset already has another source.");
  throw requestFailure(409, "asset_not_waiting", "The asset no longer waits for this upload.");
}

/** Links or unlinks the title; null where there is no such asset or it is deleted. */
export async function setAssetTitle(
  library: Library,
  tenant: string,
  id: string,
  titleId: string | null,
): Promise<AssetRecord | null> {
  return changeAsset(library, tenant, id, ALIVE_STATES, { titleId });
}

/** Which moment's poster viewers see from now on; null where the asset is gone. */
export async function choosePoster(
  library: Library,
  tenant: string,
  id: string,
  posterAtSeconds: number,
): Promise<AssetRecord | null> {
  return changeAsset(library, tenant, id, ALIVE_STATES, { posterAtSeconds });
}

/**
 * Stops an unfinished asset; null where it is finished already. Its open tasks are cancelled and their epoch
 * raised, so that whatever a worker still writes for them is refused.
 */
export async function cancelAsset(library: Library, tenant: string, id: string): Promise<AssetRecord | null> {
  const asset = await changeAsset(library, tenant, id, UNFINISHED_STATES, {
    state: "cancelled",
    error: null,
  });
  if (asset !== null) await callOffTasks(library, asset);
  return asset;
}

/** waiting → cancelled, with the reason why its upload will never finish; null where it waits no longer. */
export async function giveUpWaiting(
  library: Library,
  tenant: string,
  id: string,
  error: AssetError,
): Promise<AssetRecord | null> {
  return changeAsset(library, tenant, id, ["waiting"], { state: "cancelled", error });
}

/** Any state → deleted; its playback ends and a reaper empties its storage. null: no such asset, or deleted already. */
export async function markAssetDeleted(
  library: Library,
  tenant: string,
  id: string,
): Promise<AssetRecord | null> {
  const alive: AssetState[] = [...UNFINISHED_STATES, "ready", "failed", "cancelled"];
  const gone = { state: "deleted" as const, published: null };
  const told = newEvent("asset.deleted", library.serverNow(), { state: "deleted" });
  const asset = await changeAsset(library, tenant, id, alive, gone, [told]);
  if (asset !== null) await callOffTasks(library, asset);
  return asset;
}

/**
 * failed or cancelled → queued (or encoding, where the plan is made; or waiting, where its master is to be fetched), with a fresh budget of attempts for what is not done; what is done stays done.
 * null where the asset is in another state or has no source. The tasks go first: were it the other way round, a
 * crash in between would leave a queued asset that nothing works on.
 */
export async function retryAsset(library: Library, tenant: string, id: string): Promise<AssetRecord | null> {
  const asset = await findAsset(library, tenant, id);
  if (asset === null || (asset.pinned === null && asset.pull?.sourceUrl == null)) return null;
  if (asset.state !== "failed" && asset.state !== "cancelled") return null;
  // With the plan there is nothing left to probe, and a finished probe would never be offered again.
  const planned = asset.plan === null ? "queued" : "encoding";
  const state = asset.pinned === null ? "waiting" : planned;
  await reopenTasks(library, { ...asset, state });
  return changeAsset(library, tenant, id, ["failed", "cancelled"], { state, error: null });
}

async function changeAsset(
  library: Library,
  tenant: string,
  id: string,
  from: AssetState[],
  change: Partial<
    Pick<AssetRecord, "state" | "pinned" | "titleId" | "error" | "published" | "posterAtSeconds">
  >,
  events: RecordedEvent[] = [],
): Promise<AssetRecord | null> {
  return fromDriver(
    library.assets.findOneAndUpdate(
      { _id: id, tenant, state: { $in: from } },
      telling<AssetRecord>(events, {
        $set: {
          ...change,
          // Another state of the asset is another state of what is made of it.
          ...(change.state === undefined ? {} : { unsettled: true }),
          updatedAt: library.serverNow(),
        },
        $inc: { version: 1 },
      }),
      { returnDocument: "after" },
    ),
  );
}
