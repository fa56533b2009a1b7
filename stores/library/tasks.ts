import type { Filter, UpdateFilter } from "mongodb";
import { ASSET_FAILURE_CODES, type AssetFailureCode, type Failure } from "../../core/errors.ts";
import {
  type FallenClaim,
  fallenClaims,
  isEarly,
  isPoisoned,
  lineOf,
  presentClaim,
} from "../../core/fallen-claims.ts";
import type { AssetError, AssetRecord } from "../../core/records/asset.ts";
import type { AttemptRecord, ClaimBeside, TaskRecord } from "../../core/records/task.ts";
import type { TaskResult } from "../../core/records/task-result.ts";
import { recipesOf } from "../../core/task-recipe.ts";
import { previewedGeneration, type TaskSpec, tasksOf } from "../../core/work.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";

/**
 * Tasks: claims with leases and epochs. Every write names the epoch it was claimed under, so a late writer changes
 * nothing.
 */

const DUPLICATE_KEY = 11000;

/** Inserts the tasks that have no record yet. Safe to call any number of times, from anywhere. */
export async function ensureTasks(
  library: Library,
  asset: AssetRecord,
  specs: readonly TaskSpec[],
): Promise<void> {
  if (specs.length === 0) return;
  const ids = library.tasks.find({ assetId: asset._id }, { projection: { _id: 1 } });
  const known = new Set((await ids.toArray()).map((task) => task._id));
  const unknown = specs.filter((spec) => !known.has(spec.id));
  if (unknown.length === 0) return;
  const recipeOf = recipesOf(asset);
  const missing = unknown.map((spec) => newTask(asset, spec, recipeOf(spec)));
  try {
    await library.tasks.insertMany(missing, { ordered: false });
  } catch (error) {
    // Someone else inserted some of them in between: that is what was wanted.
    if ((error as { code?: unknown }).code !== DUPLICATE_KEY) throw error;
  }
}

function newTask(asset: AssetRecord, spec: TaskSpec, recipe: string | null): TaskRecord {
  return {
    _id: spec.id,
    assetId: asset._id,
    tenant: asset.tenant,
    generation: generationOfTask(asset, spec),
    kind: spec.kind,
    part: spec.part,
    chunk: spec.chunk,
    recipe,
    weight: spec.weight,
    state: "todo",
    epoch: 0,
    worker: null,
    leaseUntil: null,
    ratio: 0,
    failures: 0,
    deaths: 0,
    earlyDeaths: 0,
    notBefore: null,
    error: null,
    result: null,
    attempts: [],
  };
}

/** What is about the master itself belongs to none. */
function generationOfTask(asset: AssetRecord, { kind }: TaskSpec): string | null {
  if (kind === "probe" || kind === "analyse") return null;
  return kind === "preview" ? previewedGeneration(asset) : asset.generation;
}

/** All tasks of an asset: of its probe and of every generation. */
export async function tasksOfAsset(library: Library, assetId: string): Promise<TaskRecord[]> {
  return library.tasks.find({ assetId }).toArray();
}

/** What the schedule needs of a task: results and attempts are large and stay in the library. */
export type TaskOutline = Pick<TaskRecord, keyof typeof OUTLINE>;

const OUTLINE = {
  _id: 1,
  tenant: 1,
  assetId: 1,
  generation: 1,
  kind: 1,
  part: 1,
  chunk: 1,
  weight: 1,
  state: 1,
  leaseUntil: 1,
  failures: 1,
  error: 1,
} as const;

/** As `tasksOfAsset`, without what they made. */
export async function outlinesOfAsset(library: Library, assetId: string): Promise<TaskOutline[]> {
  return library.tasks.find({ assetId }, { projection: OUTLINE }).toArray() as Promise<TaskOutline[]>;
}

/** Whether another task of the same kind and part is still to be done; one small read, however many there are. */
export async function hasOpenSibling(
  library: Library,
  { assetId, generation, kind, part }: Pick<TaskRecord, "assetId" | "generation" | "kind" | "part">,
): Promise<boolean> {
  for (const state of ["todo", "claimed"] as const) {
    const filter = { assetId, state, kind, part, generation };
    if ((await library.tasks.findOne(filter, { projection: { _id: 1 } })) !== null) return true;
  }
  return false;
}

/** Whether a task has been done; one small read. */
export async function isTaskDone(library: Library, id: string): Promise<boolean> {
  const task = await fromDriver(library.tasks.findOne({ _id: id }, { projection: { state: 1 } }));
  return task?.state === "done";
}

export type ClaimOutcome =
  | { claimed: TaskRecord }
  /** Someone holds it, or it must wait: not before this time. */
  | { busyUntil: Date }
  /** Done, failed, cancelled or unknown: nothing to do. */
  | { gone: true }
  /** Its workers keep dying: it has been failed instead of claimed. */
  | { poison: TaskRecord };

/**
 * Claims a task for `leaseSeconds` of server time, raising its epoch: of any number of callers one wins.
 * A claim whose lease has run out is taken over and counted as a death of its worker.
 */
export async function claimTask(
  library: Library,
  id: string,
  worker: string,
  leaseSeconds: number,
): Promise<ClaimOutcome> {
  const task = await library.tasks.findOne({ _id: id });
  if (task === null || (task.state !== "todo" && task.state !== "claimed")) return { gone: true };
  const now = library.serverNow();
  if (task.state === "todo" && task.notBefore !== null && task.notBefore > now)
    return { busyUntil: task.notBefore };
  if (task.state === "claimed" && task.leaseUntil !== null && task.leaseUntil >= now)
    return { busyUntil: task.leaseUntil };
  // Its own claim stands beside a place that was given up, and is as good as ever.
  const { beside } = task;
  if (beside != null && beside.worker === worker && beside.leaseUntil >= now)
    return { busyUntil: beside.leaseUntil };
  const fallen = fallenClaims(task, now);
  if (isPoisoned(task, fallen)) {
    const poison = await swap(library, task, {
      $set: { state: "failed", error: POISON },
      ...counted(fallen),
    });
    return poison === null ? { gone: true } : { poison };
  }
  const claimed = await swap(library, task, {
    $set: {
      ...{ state: "claimed", worker, ratio: 0, claimedAt: now },
      leaseUntil: new Date(now.getTime() + leaseSeconds * 1000),
      ...(fallen.some((claim) => claim.isBeside) ? { beside: null } : {}),
    },
    ...counted(fallen),
  });
  return claimed === null ? { busyUntil: new Date(now.getTime() + leaseSeconds * 1000) } : { claimed };
}

const POISON: AssetError = {
  code: "internal",
  message: "Every worker that took up this part of the work died. It was set aside.",
  retryable: true,
};

/** Counts another claim, and those that fell; each has its line in the ledger. */
export function counted(fallen: readonly FallenClaim[]): UpdateFilter<TaskRecord> {
  return {
    $inc: { epoch: 1, deaths: fallen.length, earlyDeaths: fallen.filter(isEarly).length },
    ...(fallen.length === 0 ? {} : { $push: { attempts: { $each: fallen.map(lineOf) } } }),
  };
}

/** One compare-and-set on (id, epoch, state): the new record, or null where someone else came first. */
export async function swap(
  library: Library,
  task: Pick<TaskRecord, "_id" | "epoch" | "state">,
  update: UpdateFilter<TaskRecord>,
): Promise<TaskRecord | null> {
  const filter = { _id: task._id, epoch: task.epoch, state: task.state };
  return library.tasks.findOneAndUpdate(filter, update, { returnDocument: "after" });
}

/** Keeps a claim alive and shows how far it is. False: the claim was lost, stop at once. */
export async function renewLease(
  library: Library,
  claim: TaskRecord,
  ratio: number,
  leaseSeconds: number,
): Promise<boolean> {
  const leaseUntil = new Date(library.serverNow().getTime() + leaseSeconds * 1000);
  const result = await library.tasks.updateOne(held(claim), { $set: { leaseUntil, ratio } });
  if (result.matchedCount === 1) return true;
  const beside = await library.tasks.updateOne(heldBeside(claim), {
    $set: { "beside.leaseUntil": leaseUntil },
  });
  return beside.matchedCount === 1;
}

/**
 * Records what a claim made; of two beside each other the first wins, and the ledger has a line of the other one, to be replaced
 * if that lives to say what it cost. False: it was lost and nothing was recorded.
 */
export async function completeTask(
  library: Library,
  claim: TaskRecord,
  result: TaskResult | null,
  attempt: AttemptRecord,
): Promise<boolean> {
  const complete = async (only: Filter<TaskRecord>, other: ClaimBeside | null): Promise<boolean> => {
    const lines =
      other === null
        ? [attempt]
        : [attempt, lineOf({ ...other, stage: claim.kind, leaseUntil: attempt.endedAt })];
    const done = await library.tasks.updateOne(only, {
      $set: { state: "done", result, ratio: 1, leaseUntil: null, error: null, beside: null },
      $push: { attempts: { $each: lines } },
    });
    return done.matchedCount === 1;
  };
  const { beside } = claim;
  if (beside != null && (await complete({ ...held(claim), "beside.epoch": beside.epoch }, beside)))
    return true;
  if (await complete(held(claim), null)) return true;
  for (;;) {
    const task = await library.tasks.findOne(heldBeside(claim));
    if (task === null) return false;
    const { epoch, state } = task;
    // Who stands in the place may change until it is written: then it is looked at again.
    if (await complete({ ...heldBeside(claim), epoch, state }, presentClaim(task))) return true;
  }
}

/** Records a failed attempt: tried again after `retryInSeconds`, or final. One beside another leaves it to that. */
export async function failTask(
  library: Library,
  claim: TaskRecord,
  failure: Failure,
  attempt: AttemptRecord,
  verdict: { retryInSeconds: number } | "final",
): Promise<boolean> {
  const final = verdict === "final";
  const notBefore = final ? null : new Date(library.serverNow().getTime() + verdict.retryInSeconds * 1000);
  const failed = await library.tasks.updateOne(held(claim), {
    $set: {
      state: final ? "failed" : "todo",
      error: assetError(failure),
      leaseUntil: null,
      ratio: 0,
      notBefore,
    },
    $inc: { failures: 1 },
    $push: { attempts: attempt },
  });
  return failed.matchedCount === 1 || endBeside(library, claim, attempt);
}

/** Hands a claim back unharmed (shutdown): no attempt is burnt, the next worker may take it at once. */
export async function releaseTask(library: Library, claim: TaskRecord): Promise<void> {
  const released = await library.tasks.updateOne(held(claim), {
    $set: { state: "todo", leaseUntil: null, worker: null, ratio: 0 },
  });
  if (released.matchedCount === 0) await endBeside(library, claim, null);
}

function held(claim: TaskRecord): { _id: string; epoch: number; state: "claimed" } {
  return { _id: claim._id, epoch: claim.epoch, state: "claimed" };
}

/** The claim where another was begun beside it, which may have been handed back meanwhile. */
function heldBeside({ _id, epoch }: TaskRecord): Filter<TaskRecord> {
  return { _id, "beside.epoch": epoch, state: { $in: ["todo", "claimed"] } };
}

async function endBeside(
  library: Library,
  claim: TaskRecord,
  attempt: AttemptRecord | null,
): Promise<boolean> {
  // Whatever has become of the task meanwhile.
  const filter = { _id: claim._id, "beside.epoch": claim.epoch };
  const ended = await library.tasks.updateOne(filter, {
    $set: { beside: null },
    ...(attempt === null ? {} : { $push: { attempts: attempt } }),
  });
  return ended.matchedCount === 1;
}

/** What the owner is told of a failure: the stable code and whether another try may help. */
function assetError(failure: Failure): AssetError {
  const code = ASSET_FAILURE_CODES.includes(failure.code as AssetFailureCode) ? failure.code : "internal";
  return { code, message: failure.message, retryable: failure.retryable };
}

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

/** Forgets what the tasks of a generation made: its objects are about to go, and it may be wanted again one day. */
export async function forgetResults(library: Library, assetId: string, generation: string): Promise<void> {
  await fromDriver(
    library.tasks.updateMany(
      { assetId, generation },
      { $set: { ...AFRESH, result: null }, $inc: { epoch: 1 } },
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

/** Tasks of an asset that are done and made the same bytes as this one would. */
export async function findTwins(library: Library, task: TaskRecord): Promise<TaskRecord[]> {
  if (task.recipe === null) return [];
  const { assetId, tenant, recipe, generation } = task;
  return library.tasks
    .find({ assetId, tenant, generation: { $ne: generation }, recipe, state: "done" })
    .toArray();
}

/** Opens a finished task again: what it made was found damaged in storage, and so might what it was copied from be. */
export async function redoTask(library: Library, task: TaskRecord): Promise<void> {
  await swap(
    library,
    { ...task, state: "done" },
    { $set: { state: "todo", ratio: 0, result: null, recipe: null, beside: null }, $inc: { epoch: 1 } },
  );
}
