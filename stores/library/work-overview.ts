import type { AssetState } from "../../core/records/asset.ts";
import type { TaskKind, TaskRecord, TaskState } from "../../core/records/task.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";

/**
 * What is to be done, over all tenants, as an operator looks at it. Each query begins with a state, so that an index
 * (`TASK_INDEXES`, `ASSET_INDEXES`) leaves out what was done in all the years, and ends with a bound.
 */

/** How many tasks of a kind stand where. */
export interface TaskCounts {
  kind: TaskKind;
  todo: number;
  /** Failed, and not yet to be tried again. */
  backingOff: number;
  claimed: number;
  /** Claims that nobody renewed in time: the next worker takes them over. */
  lapsed: number;
  failed: number;
  /** Of all but those that failed for good, in seconds of one core, roughly. */
  workSeconds: number;
}

export type ClaimedTask = Pick<
  TaskRecord,
  "_id" | "assetId" | "tenant" | "kind" | "worker" | "claimedAt" | "leaseUntil" | "ratio"
>;

/** Assets in one state, and which of them has not changed for longest. */
export interface WaitingAssets {
  state: AssetState;
  count: number;
  longest: { id: string; tenant: string; since: Date } | null;
}

export interface FailedAsset {
  id: string;
  tenant: string;
  filename: string;
  at: Date;
  code: string;
  retryable: boolean;
}

/** More tasks than any library has open; past it the counts are those of so many. */
const TASKS_COUNTED = 100_000;
const ASSETS_COUNTED = 10_000;
const QUERY_MS = 5_000;
/** What a person waits for, in the order in which it happens. */
const STATES_ON_THE_WAY = ["queued", "probing", "encoding"] as const satisfies readonly AssetState[];

/** How many tasks of each kind stand where as of `now`; kinds of which there are none are left out. */
export async function countTasks(library: Library, now: Date): Promise<TaskCounts[]> {
  const [todo, claimed, failed] = await Promise.all([
    groupTasks(library, "todo", { $gt: ["$notBefore", now] }),
    groupTasks(library, "claimed", { $lt: ["$leaseUntil", now] }),
    groupTasks(library, "failed", false),
  ]);
  const none = { count: 0, apart: 0, workSeconds: 0 };
  return [...new Set([...todo.keys(), ...claimed.keys(), ...failed.keys()])].map((kind) => {
    const [open, held] = [todo.get(kind) ?? none, claimed.get(kind) ?? none];
    return {
      kind,
      todo: open.count - open.apart,
      backingOff: open.apart,
      claimed: held.count - held.apart,
      lapsed: held.apart,
      failed: failed.get(kind)?.count ?? 0,
      workSeconds: open.workSeconds + held.workSeconds,
    };
  });
}

interface TaskGroup {
  _id: TaskKind;
  count: number;
  apart: number;
  workSeconds: number;
}

/**
 * Counted by kind, and apart those for which `apart` holds. That is asked of what was found and not in the filter: the
 * stand-in takes no index for a filter that names more than the index has.
 */
async function groupTasks(
  library: Library,
  state: TaskState,
  apart: object | false,
): Promise<Map<TaskKind, TaskGroup>> {
  const groups = library.tasks.aggregate<TaskGroup>(
    [
      { $match: { state } },
      { $limit: TASKS_COUNTED },
      {
        $group: {
          _id: "$kind",
          count: { $sum: 1 },
          apart: { $sum: { $cond: [apart, 1, 0] } },
          workSeconds: { $sum: "$weight" },
        },
      },
    ],
    { maxTimeMS: QUERY_MS },
  );
  return new Map((await fromDriver(groups.toArray())).map((group) => [group._id, group]));
}

/** What workers hold, whose lease ends first coming first; at most `limit`. */
export async function listClaimed(library: Library, limit: number): Promise<ClaimedTask[]> {
  const projection = { assetId: 1, tenant: 1, kind: 1, worker: 1, claimedAt: 1, leaseUntil: 1, ratio: 1 };
  const query = library.tasks.find<ClaimedTask>({ state: "claimed" }, { projection, maxTimeMS: QUERY_MS });
  return fromDriver(query.sort({ leaseUntil: 1 }).limit(limit).toArray());
}

/** Who holds tasks now, and how many; those who have most first. */
export interface HoldingWorker {
  worker: string;
  tasks: number;
  /** Of the claim that it has held for longest. */
  since: Date | null;
}

/** All of them that hold any, at most `limit`. */
export async function listWorkers(library: Library, limit: number): Promise<HoldingWorker[]> {
  const groups = library.tasks.aggregate<{ _id: string | null; tasks: number; since: Date | null }>(
    [
      { $match: { state: "claimed" } },
      { $limit: TASKS_COUNTED },
      { $group: { _id: "$worker", tasks: { $sum: 1 }, since: { $min: "$claimedAt" } } },
      { $sort: { tasks: -1, _id: 1 } },
      { $limit: limit },
    ],
    { maxTimeMS: QUERY_MS },
  );
  const found = await fromDriver(groups.toArray());
  return found.map(({ _id, tasks, since }) => ({ worker: _id ?? "", tasks, since: since ?? null }));
}

/** The assets on their way, by state. */
export async function countAssetsOnTheWay(library: Library): Promise<WaitingAssets[]> {
  return Promise.all(
    STATES_ON_THE_WAY.map(async (state) => {
      const bound = { limit: ASSETS_COUNTED, maxTimeMS: QUERY_MS };
      const oldest = library.assets.find({ state }, { projection: { tenant: 1, updatedAt: 1 } });
      const [count, [longest]] = await Promise.all([
        fromDriver(library.assets.countDocuments({ state }, bound)),
        fromDriver(oldest.maxTimeMS(QUERY_MS).sort({ updatedAt: 1 }).limit(1).toArray()),
      ]);
      if (longest === undefined) return { state, count, longest: null };
      return { state, count, longest: { id: longest._id, tenant: longest.tenant, since: longest.updatedAt } };
    }),
  );
}

/** The assets that failed last, newest first; at most `limit`. */
export async function listFailedAssets(library: Library, limit: number): Promise<FailedAsset[]> {
  const projection = { tenant: 1, filename: 1, updatedAt: 1, error: 1 };
  const query = library.assets.find({ state: "failed" }, { projection, maxTimeMS: QUERY_MS });
  const assets = await fromDriver(query.sort({ updatedAt: -1 }).limit(limit).toArray());
  return assets.map(({ _id: id, tenant, filename, updatedAt: at, error }) => ({
    ...{ id, tenant, filename, at },
    code: error?.code ?? "internal",
    retryable: error?.retryable ?? false,
  }));
}
