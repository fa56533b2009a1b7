import type { Filter } from "mongodb";
import type { AssetRecord, AssetState } from "../../core/records/asset.ts";
import type { TaskKind } from "../../core/records/task.ts";
import { isBackfill } from "../../core/schedule.ts";
import { type Lane, laneOf } from "../../core/work-order.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";

/** What is to be done, over all tenants: the schedule's view of assets and tasks. */

/** States in which an asset has work to do. */
export const ACTIVE_STATES: readonly AssetState[] = ["queued", "probing", "encoding"];
/** Titles of each tenant that one round looks at: those in hand and enough behind them that no worker is idle. */
export const TITLES_LOOKED_AT = 32;

/** The assets that wait for all others, and those that do not: as `isBackfill`, said to the database. */
function inLane(backfill: boolean): Filter<AssetRecord> {
  const said = { "encoding.lane": backfill ? "backfill" : "normal" } as const;
  // null finds what has none, too.
  const unsaid = { "encoding.lane": null, published: backfill ? { $ne: null } : null } as const;
  return { $or: [said, unsaid as Filter<AssetRecord>] };
}

/**
 * Each tenant's oldest assets that need work, lane by lane, oldest first: however many one has, those of the others are there
 * too, and what is in no hurry keeps nothing else out.
 */
export async function activeAssets(library: Library): Promise<AssetRecord[][]> {
  const tenants = library.assets.aggregate<{ _id: string }>([
    { $match: { state: { $in: [...ACTIVE_STATES] } } },
    { $group: { _id: "$tenant" } },
  ]);
  const found = await fromDriver(tenants.toArray());
  const oldest = (tenant: string, state: AssetState, backfill: boolean): Promise<AssetRecord[]> =>
    fromDriver(
      library.assets
        .find({ tenant, state, ...inLane(backfill) })
        .sort({ createdAt: 1 })
        .limit(TITLES_LOOKED_AT)
        .toArray(),
    );
  const lanes = found.flatMap(({ _id: tenant }) => [false, true].map((backfill) => ({ tenant, backfill })));
  return Promise.all(
    lanes.map(async ({ tenant, backfill }) => {
      const byState = await Promise.all(ACTIVE_STATES.map((state) => oldest(tenant, state, backfill)));
      return byState
        .flat()
        .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
        .slice(0, TITLES_LOOKED_AT);
    }),
  );
}

/** Whether a worker that has this, by its ledger's lines, has ended anything since then of what is in work. */
export async function isAtWork(
  library: Library,
  { name, is }: { name: string; is: string },
  since: Date,
): Promise<boolean> {
  const inWork = library.assets.find({ state: { $in: [...ACTIVE_STATES] } });
  const active = await fromDriver(inWork.project<{ _id: string }>({ _id: 1 }).toArray());
  const ended = { endedAt: { $gte: since }, [`versions.${name}`]: is };
  const ofThem = { assetId: { $in: active.map(({ _id }) => _id) }, attempts: { $elemMatch: ended } };
  return (await fromDriver(library.tasks.findOne(ofThem, { projection: { _id: 1 } }))) !== null;
}

/** Work on record that is not done, in seconds of one core, lane by lane. */
export async function openWorkSeconds(library: Library): Promise<Record<Lane, number>> {
  const open = library.tasks.aggregate<{ _id: TaskKind; seconds: number }>([
    { $match: { state: { $in: ["todo", "claimed"] } } },
    { $group: { _id: "$kind", seconds: { $sum: "$weight" } } },
  ]);
  const total: Record<Lane, number> = { fast: 0, usual: 0, pull: 0 };
  for (const { _id: kind, seconds } of await fromDriver(open.toArray())) total[laneOf(kind)] += seconds;
  return total;
}

/** How many of its tenant's unfinished assets in the same lane are older; not counted beyond `most`. */
export async function rankOfAsset(
  library: Library,
  asset: Pick<AssetRecord, "tenant" | "createdAt" | "published" | "encoding">,
  most: number,
): Promise<number> {
  const { tenant, createdAt } = asset;
  const older = {
    ...{ tenant, state: { $in: [...ACTIVE_STATES] }, createdAt: { $lt: createdAt } },
    ...inLane(isBackfill(asset)),
  };
  return fromDriver(library.assets.countDocuments(older, { limit: most }));
}

/** The asset, whatever its tenant: workers serve all of them. */
export async function findAssetForWork(library: Library, assetId: string): Promise<AssetRecord | null> {
  return fromDriver(library.assets.findOne({ _id: assetId }));
}
