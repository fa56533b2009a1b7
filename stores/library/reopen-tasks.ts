import type { Filter } from "mongodb";
import type { AssetRecord } from "../../core/records/asset.ts";
import type { TaskRecord, TaskState } from "../../core/records/task.ts";
import { isRevived } from "../../core/retry-verdict.ts";
import { wantedBy } from "../../core/work.ts";
import { swap } from "./claims.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";
import { markUnsettled } from "./generations.ts";

/** Tasks that are to be done no more, or anew. Whoever still holds one holds nothing. */

/**
 * Takes every open task of an asset away from whoever has it, but for those that it now calls for; running encodes
 * notice at their next renewal.
 */
export async function callOffTasks(library: Library, asset: AssetRecord): Promise<void> {
  const unwanted = await tasksIn(library, asset, ["todo", "claimed"], false);
  if (unwanted.length === 0) return;
  for (const state of ["todo", "claimed"] as const) {
    await fromDriver(
      library.tasks.updateMany({ assetId: asset._id, _id: { $in: unwanted }, state }, CALLED_OFF),
    );
  }
}

/**
 * What had failed or was called off, and is called for by the asset as it is to be, is to do again, with a fresh budget; whoever
 * still holds it holds nothing. All else stays as it is: nobody would ever take it up. Where the asset does not come to be so, the
 * reaper calls it off again.
 */
export async function reopenTasks(library: Library, asset: AssetRecord): Promise<void> {
  const wanted = await tasksIn(library, asset, ["failed", "cancelled"], true);
  if (wanted.length === 0) return;
  await markUnsettled(library, asset._id);
  await fromDriver(
    library.tasks.updateMany(
      { assetId: asset._id, _id: { $in: wanted }, state: { $in: ["failed", "cancelled"] } },
      { $set: AFRESH, $inc: { epoch: 1 } },
    ),
  );
}

/**
 * What somebody waits for now, of these tasks, and nobody will take up is to do again, as often as `isRevived` lets it. The
 * asset is one that calls for them.
 */
export async function reviveTasks(library: Library, ids: readonly string[]): Promise<void> {
  const idle = {
    _id: { $in: [...ids] },
    state: { $in: ["failed", "cancelled"] },
  } satisfies Filter<TaskRecord>;
  const now = library.serverNow();
  for (const task of await fromDriver(library.tasks.find(idle).toArray())) {
    const revivals = task.state === "failed" ? 1 : 0;
    if (isRevived(task, now)) await swap(library, task, { $set: AFRESH, $inc: { epoch: 1, revivals } });
  }
}

/**
 * Calls off what an asset does not call for and nobody works on: whoever was to do that, or had opened it for something that did not
 * come about, may have died. False where somebody still holds a claim of that kind, which a later look finds ended or fallen.
 */
export async function callOffLeftovers(library: Library, asset: AssetRecord): Promise<boolean> {
  const now = library.serverNow();
  const unwanted = await tasksIn(library, asset, ["todo", "claimed"], false);
  if (unwanted.length === 0) return true;
  const these = { assetId: asset._id, _id: { $in: unwanted } };
  const idle = [{ state: "todo" }, { state: "claimed", leaseUntil: { $lt: now } }] as const;
  for (const which of idle) {
    await fromDriver(library.tasks.updateMany({ ...these, ...which }, CALLED_OFF));
  }
  return (await fromDriver(library.tasks.countDocuments({ ...these, state: "claimed" }, { limit: 1 }))) === 0;
}

const CALLED_OFF = { $set: { state: "cancelled", leaseUntil: null }, $inc: { epoch: 1 } } as const;

/** Ids of the tasks in these states that the asset calls for, or that it does not. */
async function tasksIn(
  library: Library,
  asset: AssetRecord,
  states: TaskState[],
  areWanted: boolean,
): Promise<string[]> {
  const filter = { assetId: asset._id, state: { $in: states } };
  const found = library.tasks.find(filter, { projection: { kind: 1, generation: 1 } });
  const isWanted = wantedBy(asset);
  return (await fromDriver(found.toArray()))
    .filter((one) => isWanted(one) === areWanted)
    .map(({ _id }) => _id);
}

/** What was made of a generation is to be looked at again: its findings may have gone with another master meanwhile. */
export async function reopenInspection(library: Library, assetId: string, generation: string): Promise<void> {
  const done = { assetId, generation, kind: "inspect" as const, state: "done" as const };
  await fromDriver(library.tasks.updateMany(done, { $set: AFRESH, $inc: { epoch: 1 } }));
}

/**
 * Forgets what the tasks of a generation made: its objects are about to go. They are called off and not to do, since
 * nobody wants them; whoever wants the generation again one day reopens them (`reopenTasks`).
 */
export async function forgetResults(library: Library, assetId: string, generation: string): Promise<void> {
  await fromDriver(
    library.tasks.updateMany(
      { assetId, generation },
      { $set: { ...AFRESH, state: "cancelled", result: null }, $inc: { epoch: 1 } },
    ),
  );
}

const AFRESH = {
  state: "todo",
  failures: 0,
  deaths: 0,
  earlyDeaths: 0,
  notBefore: null,
  leaseUntil: null,
  worker: null,
  error: null,
  ratio: 0,
  beside: null,
} as const satisfies Partial<TaskRecord>;

/** Opens a finished task again: what it made was found damaged in storage, and so might what it was copied from be. */
export async function redoTask(library: Library, task: TaskRecord): Promise<void> {
  await swap(
    library,
    { ...task, state: "done" },
    { $set: { state: "todo", ratio: 0, result: null, recipe: null, beside: null }, $inc: { epoch: 1 } },
  );
}
