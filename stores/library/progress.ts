import type { AssetRecord } from "../../core/records/asset.ts";
import type { TaskRecord } from "../../core/records/task.ts";
import { secondsLeft, type TimedTask } from "../../core/time-left.ts";
import { isPulled } from "../../core/work.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";

/** The share of the whole that probing stands for in what is shown: the tasks of the plan exist only after it. */
const PROBE_SHARE = 0.02;

/** And the fetching of a master: how long that takes says nothing of how long the rest will. */
const FETCH_SHARE = 0.1;

/** What progress needs of a task: results and attempts are large and stay in the library. */
export type TaskProgress = Pick<
  TaskRecord,
  "_id" | "assetId" | "generation" | "kind" | "weight" | "state" | "ratio"
>;
/** And what it took so far. */
type ReadTask = TaskProgress & TimedTask;

const PROGRESS_FIELDS = {
  ...{ assetId: 1, generation: 1, kind: 1, weight: 1, state: 1, ratio: 1 },
  ...{ "attempts.startedAt": 1, "attempts.endedAt": 1, "attempts.outcome": 1 },
};

/** How far an asset is, 0..1, from its state and its tasks. Pure; may go back (a chunk lost is work to do again). */
export function ratioOf(
  asset: Pick<AssetRecord, "state" | "generation" | "revision" | "pull">,
  tasks: TaskProgress[],
): number {
  if (asset.state === "ready") return 1;
  if (isPulled(asset)) return FETCH_SHARE * (tasks.find(({ kind }) => kind === "fetch")?.ratio ?? 0);
  const made = ratioOfMaking(asset, tasks);
  // Made again, it is not fetched again.
  if (asset.pull === undefined || asset.revision > 1) return made;
  return Math.min(0.999, FETCH_SHARE + (1 - FETCH_SHARE) * made);
}

function ratioOfMaking(asset: Pick<AssetRecord, "state" | "generation">, tasks: TaskProgress[]): number {
  if (asset.state === "waiting" || asset.state === "queued") return 0;
  const planned = plannedOf(asset, tasks);
  if (planned.length === 0) return 0;
  const total = planned.reduce((sum, { weight }) => sum + weight, 0);
  const done = planned.reduce((sum, task) => sum + task.weight * (task.state === "done" ? 1 : task.ratio), 0);
  const share = total === 0 ? 0 : Math.min(1, done / total);
  // 1 is kept for `ready`: nothing may look finished that is not published.
  return Math.min(0.999, PROBE_SHARE + (1 - PROBE_SHARE) * share);
}

/** What the package is made of: neither the probe nor what is shown before it is ready. */
function plannedOf<T extends Pick<TaskProgress, "kind" | "generation">>(
  { generation }: Pick<AssetRecord, "generation">,
  tasks: readonly T[],
): T[] {
  return tasks.filter(
    (task) => task.kind !== "preview" && task.generation !== null && task.generation === generation,
  );
}

/** What is running: the finer stage under the asset's state. */
export function stageOf(
  asset: Pick<AssetRecord, "state" | "generation" | "pull">,
  tasks: TaskProgress[],
): string {
  if (isPulled(asset)) return "fetching";
  if (asset.state !== "encoding") return asset.state;
  const planned = plannedOf(asset, tasks);
  const cells = planned.filter(({ kind }) => kind !== "images" && kind !== "verify" && kind !== "publish");
  return cells.length > 0 && cells.every(({ state }) => state === "done") ? "packaging" : "encoding";
}

export interface Progress {
  ratio: number;
  stage: string;
  /** Until it is ready, as far as can be told; null where it cannot, or nothing is to be done. */
  secondsLeft: number | null;
}

/** What is known without looking at its tasks. */
export function progressUnread({ shownRatio, state }: Pick<AssetRecord, "shownRatio" | "state">): Progress {
  return { ratio: shownRatio, stage: state, secondsLeft: null };
}

/**
 * The progress of each asset as a person may see it: the largest ratio ever shown is kept with the asset, so it
 * never goes back, whoever asks and whatever is lost.
 */
export async function readProgress(library: Library, assets: AssetRecord[]): Promise<Map<string, Progress>> {
  const busy = assets
    .filter((asset) => asset.state === "encoding" || asset.state === "probing" || isPulled(asset))
    .map(({ _id }) => _id);
  const tasks = await readTasks(library, busy);
  const shown = new Map<string, Progress>();
  for (const asset of assets) {
    const own = tasks.filter(({ assetId }) => assetId === asset._id);
    const ratio = await raiseShownRatio(library, asset, ratioOf(asset, own));
    const isMade = asset.state === "encoding";
    const left = isMade ? secondsLeft(plannedOf(asset, own), library.serverNow()) : null;
    shown.set(asset._id, { ratio, stage: stageOf(asset, own), secondsLeft: left });
  }
  return shown;
}

async function readTasks(library: Library, assetIds: string[]): Promise<ReadTask[]> {
  if (assetIds.length === 0) return [];
  const filter = { assetId: { $in: assetIds } };
  return fromDriver(
    library.tasks.find(filter, { projection: PROGRESS_FIELDS, maxTimeMS: 2_000 }).toArray(),
  ) as Promise<ReadTask[]>;
}

async function raiseShownRatio(library: Library, asset: AssetRecord, ratio: number): Promise<number> {
  const rounded = Math.floor(ratio * 1000) / 1000;
  if (rounded <= asset.shownRatio) return asset.shownRatio;
  const filter = { _id: asset._id, tenant: asset.tenant };
  const after = await fromDriver(
    library.assets.findOneAndUpdate(
      filter,
      { $max: { shownRatio: rounded } },
      { returnDocument: "after", projection: { shownRatio: 1 } },
    ),
  );
  return after?.shownRatio ?? rounded;
}
