import type { Filter, IndexDescription } from "mongodb";
import type { AssetRecord } from "../../core/records/asset.ts";
import type { PullTransfer } from "../../core/records/pull.ts";
import type { PinnedSource } from "../../core/source.ts";
import { newEvent } from "../../core/webhook-event.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";
import { TITLES_LOOKED_AT } from "./open-work.ts";
import { telling } from "./outbox.ts";

/**
 * Masters that are fetched: assets that wait for what a worker brings. Every write names the revision, the transfer that it goes
 * on from and the claim that has taken that up, so that a worker whose place another one has taken changes nothing. Parts are
 * removed only once it is on record that nobody is to use them.
 */

export const PULL_INDEXES: IndexDescription[] = [{ key: { "pull.transfer.multipartId": 1 } }];

/** Set, whatever it is: of an indexed text, more than the empty one. */
const ANY = { $gt: "" };
/** What was fetched stays so long for somebody who tries again. */
const KEPT_MS = 86_400_000;

/** Each tenant's oldest assets whose master is still to be fetched, oldest first. */
export async function pulledAssets(library: Library): Promise<AssetRecord[][]> {
  const pulled = { state: "waiting" as const, "pull.sourceUrl": ANY };
  const tenants = library.assets.aggregate<{ _id: string }>([
    { $match: pulled },
    { $group: { _id: "$tenant" } },
  ]);
  const found = await fromDriver(tenants.toArray());
  return Promise.all(
    found.map(({ _id: tenant }) =>
      fromDriver(
        library.assets
          .find({ tenant, ...pulled })
          .sort({ createdAt: 1 })
          .limit(TITLES_LOOKED_AT)
          .toArray(),
      ),
    ),
  );
}

/** Puts another transfer in the place of `before`, with what the file is called. False: the asset waits for this no more. */
export async function recordTransfer(
  library: Library,
  asset: AssetRecord,
  before: PullTransfer | null,
  next: { transfer: PullTransfer; filename: string },
): Promise<boolean> {
  const { transfer, filename } = next;
  const set = { "pull.transfer": transfer, filename, updatedAt: library.serverNow() };
  const changed = await fromDriver(
    library.assets.updateOne(waitingFor(asset, before), { $set: set, $inc: { version: 1 } }),
  );
  return changed.matchedCount === 1;
}

/**
 * waiting → queued, with the fetched master, of which others are told as of an uploaded one; its URL is forgotten. False: the asset
 * waits for this no more.
 */
export async function pinPulled(
  library: Library,
  asset: AssetRecord,
  transfer: PullTransfer,
  pinned: PinnedSource,
  filename: string,
): Promise<boolean> {
  const now = library.serverNow();
  const fetched = { filename, sizeBytes: pinned.sizeBytes };
  const set = {
    ...{ state: "queued" as const, pinned, unsettled: true, updatedAt: now },
    ...{ "pull.sourceUrl": null, "pull.transfer": null },
  };
  const told = newEvent("upload.completed", now, { fetched });
  const update = telling<AssetRecord>([told], { $set: set, $inc: { version: 1 } });
  const changed = await fromDriver(library.assets.updateOne(waitingFor(asset, transfer), update));
  return changed.matchedCount === 1;
}

function waitingFor(
  { _id, revision }: Pick<AssetRecord, "_id" | "revision">,
  transfer: PullTransfer | null,
): Filter<AssetRecord> {
  return {
    ...{ _id, revision, state: "waiting", "pull.transfer.multipartId": transfer?.multipartId ?? null },
    // null finds what has none, too.
    "pull.transfer.epoch": transfer?.epoch ?? null,
    "pull.transfer.isDropped": transfer?.isDropped ?? null,
  } as Filter<AssetRecord>;
}

/** Assets of any tenant that have waited for no fetch for a day, with parts of one in storage, for the reaper. */
export async function listIdleTransfers(library: Library, limit: number): Promise<AssetRecord[]> {
  const filter: Filter<AssetRecord> = {
    "pull.transfer.multipartId": ANY,
    state: { $ne: "waiting" },
    updatedAt: { $lt: new Date(library.serverNow().getTime() - KEPT_MS) },
  };
  return fromDriver(library.assets.find(filter).limit(limit).toArray());
}

/** From here on nobody goes on with its parts. False: the asset has changed since it was read, and may want them again. */
export async function dropIdleTransfer(library: Library, { _id, version }: AssetRecord): Promise<boolean> {
  const filter: Filter<AssetRecord> = { _id, version, state: { $ne: "waiting" } };
  const dropped = await fromDriver(
    library.assets.updateOne(filter, { $set: { "pull.transfer.isDropped": true } }),
  );
  return dropped.matchedCount === 1;
}

/** The parts of a transfer are gone from storage. */
export async function forgetTransfer(
  library: Library,
  asset: AssetRecord,
  { multipartId }: PullTransfer,
): Promise<void> {
  const filter: Filter<AssetRecord> = { _id: asset._id, "pull.transfer.multipartId": multipartId };
  await fromDriver(library.assets.updateOne(filter, { $set: { "pull.transfer": null } }));
}
