import type { Filter } from "mongodb";
import type { AssetRecord } from "../../core/records/asset.ts";
import type { TaskRecord } from "../../core/records/task.ts";
import { tasksOf } from "../../core/work.ts";
import { swap } from "./claims.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";

/** Tasks that are to be done no more, or anew. Whoever still holds one holds nothing. */

/**
 * Takes every open task of an asset away from whoever has it, but for those that it now calls for; running encodes
 * notice at their next renewal.
 */
export async function callOffTasks(library: Library, asset: AssetRecord): Promise<void> {
  const wanted = tasksOf(asset).map(({ id }) => id);
  for (const state of ["todo", "claimed"] as const) {
    await fromDriver(
      library.tasks.updateMany(
        { assetId: asset._id, _id: { $nin: wanted }, state },
        { $set: { state: "cancelled", leaseUntil: null }, $inc: { epoch: 1 } },
      ),
    );
  }
}

/** What had failed or was called off is to do again, with a fresh budget; whoever still holds it holds nothing. */
export async function reopenTasks(
  library: Library,
  which: { assetId: string } & Pick<Filter<TaskRecord>, "generation" | "_id">,
): Promise<void> {
  await fromDriver(
    library.tasks.updateMany(
      { ...which, state: { $in: ["failed", "cancelled"] } },
      { $set: AFRESH, $inc: { epoch: 1 } },
    ),
  );
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
