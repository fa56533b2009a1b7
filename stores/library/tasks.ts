import type { Filter } from "mongodb";
import type { ChunkSpan } from "../../core/film-parts.ts";
import type { OpenChunk } from "../../core/near-chunk.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import type { TaskRecord, TaskState } from "../../core/records/task.ts";
import type { TaskResult } from "../../core/records/task-result.ts";
import type { BesideUnit } from "../../core/shared-beginning.ts";
import type { BesideSound } from "../../core/shared-sound.ts";
import { recipesOf } from "../../core/task-recipe.ts";
import { previewedGeneration, type TaskSpec } from "../../core/work.ts";
import { isOffered } from "../../core/work-order.ts";
import type { Library } from "./connect.ts";
import { duplicatesIn, fromDriver } from "./driver-errors.ts";

/** Tasks as records: which there are, and what the schedule needs to know of them. */

/** Inserts the tasks that have no record yet. Safe to call any number of times, from anywhere. */
export async function ensureTasks(
  library: Library,
  asset: AssetRecord,
  specs: readonly TaskSpec[],
): Promise<void> {
  if (specs.length === 0) return;
  const ids = library.tasks.find({ assetId: asset._id }, { projection: { _id: 1 } });
  const known = new Set((await fromDriver(ids.toArray())).map((task) => task._id));
  const unknown = specs.filter((spec) => !known.has(spec.id));
  if (unknown.length === 0) return;
  const recipeOf = recipesOf(asset);
  const missing = unknown.map((spec) => newTask(asset, spec, recipeOf(spec)));
  // Someone else may have inserted some of them in between: that is what was wanted.
  await duplicatesIn(library.tasks.insertMany(missing, { ordered: false }));
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
  if (kind === "fetch" || kind === "probe" || kind === "analyse") return null;
  return kind === "preview" ? previewedGeneration(asset) : asset.generation;
}

/** All tasks of an asset: of its probe and of every generation. */
export async function tasksOfAsset(library: Library, assetId: string): Promise<TaskRecord[]> {
  return fromDriver(library.tasks.find({ assetId }).toArray());
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
  const outlines = library.tasks.find<TaskOutline>({ assetId }, { projection: OUTLINE });
  return fromDriver(outlines.toArray());
}

/** What there is beside a sound: the film's other ones, and its chunks that are not done. */
export async function besideSound(
  library: Library,
  { assetId, generation }: Pick<TaskRecord, "assetId" | "generation">,
): Promise<BesideSound[]> {
  const which = [{ kind: "audio" }, { kind: "video", state: { $in: ["todo", "claimed"] } }] as const;
  const found = library.tasks.find<BesideSound>(
    { assetId, generation, $or: [...which] } as Filter<TaskRecord>,
    { projection: BESIDE_SOUND },
  );
  return fromDriver(found.toArray());
}

/** The units of a preview that are made of a film's beginning and somebody has been at. */
export async function begunUnits(
  library: Library,
  { assetId, generation }: Pick<TaskRecord, "assetId" | "generation">,
): Promise<BesideUnit[]> {
  const filter: Filter<TaskRecord> = { assetId, generation, kind: "preview", worker: { $gt: "" } };
  return fromDriver(library.tasks.find<BesideUnit>(filter, { projection: BESIDE_UNIT }).toArray());
}

const BESIDE_UNIT = { chunk: 1, state: 1, worker: 1, leaseUntil: 1, claimedAt: 1, "attempts.endedAt": 1 };

const BESIDE_SOUND = {
  ...{ kind: 1, part: 1, state: 1, worker: 1, weight: 1, ratio: 1, leaseUntil: 1, claimedAt: 1 },
  "attempts.endedAt": 1,
};

/** Which tasks are chunks of one ladder. */
type OfLadder = Pick<TaskRecord, "assetId" | "generation" | "kind" | "part">;

/** The chunks of some stretch of one ladder that are in this state; one small read, however long the film. */
export async function chunksIn(
  library: Library,
  state: TaskState,
  ladder: OfLadder,
  stretch: ChunkSpan,
): Promise<number[]> {
  const filter = inStretch(state, ladder, stretch);
  const found = await fromDriver(library.tasks.find(filter, { projection: { _id: 0, chunk: 1 } }).toArray());
  return found.map(({ chunk }) => chunk);
}

/** The chunks of one ladder that are not done, in order; one read. */
export async function openChunks(
  library: Library,
  { assetId, generation, part }: Pick<TaskRecord, "assetId" | "generation" | "part">,
): Promise<(OpenChunk & Pick<TaskRecord, "failures">)[]> {
  const found = library.tasks.find(
    { assetId, generation, kind: "video", part, state: { $in: ["todo", "claimed"] } },
    { projection: { _id: 0, chunk: 1, weight: 1, state: 1, leaseUntil: 1, failures: 1 } },
  );
  const now = library.serverNow();
  return (await fromDriver(found.toArray()))
    .map(({ chunk, weight, state, leaseUntil, failures }) => {
      const isFree = isOffered({ kind: "video", part, chunk, state, leaseUntil }, [], now);
      return { chunk, weight, isFree, failures };
    })
    .sort((one, other) => one.chunk - other.chunk);
}

/** What the chunks of some stretch of one ladder made, as far as it is done. */
export async function resultsOfChunks(
  library: Library,
  ladder: OfLadder,
  stretch: ChunkSpan,
): Promise<TaskResult[]> {
  const filter = inStretch("done", ladder, stretch);
  const found = await fromDriver(library.tasks.find(filter, { projection: { result: 1 } }).toArray());
  return found.flatMap(({ result }) => result ?? []);
}

function inStretch(
  state: TaskState,
  { assetId, generation, kind, part }: OfLadder,
  { first, end }: ChunkSpan,
): Filter<TaskRecord> {
  return { assetId, state, kind, part, generation, chunk: { $gte: first, $lt: end } };
}

/** Whether a task has been done; one small read. */
export async function isTaskDone(library: Library, id: string): Promise<boolean> {
  return (await stateOf(library, id)) === "done";
}

/** Whether a task is still to be done; one small read. */
export async function isTaskOpen(library: Library, id: string): Promise<boolean> {
  const state = await stateOf(library, id);
  return state === "todo" || state === "claimed";
}

async function stateOf(library: Library, id: string): Promise<TaskRecord["state"] | undefined> {
  const task = await fromDriver(library.tasks.findOne({ _id: id }, { projection: { state: 1 } }));
  return task?.state;
}

/** Whether any task of an asset was last claimed by another worker than this one; one small read. */
export async function isShared(library: Library, assetId: string, worker: string): Promise<boolean> {
  const byAnother = { assetId, worker: { $gt: "", $ne: worker } };
  return (await fromDriver(library.tasks.findOne(byAnother, { projection: { _id: 1 } }))) !== null;
}

/** Tasks of an asset that are done and made the same bytes as this one would. */
export async function findTwins(library: Library, task: TaskRecord): Promise<TaskRecord[]> {
  if (task.recipe === null) return [];
  const { assetId, tenant, recipe, generation } = task;
  const twins = library.tasks.find({
    ...{ assetId, tenant, recipe, state: "done" },
    generation: { $ne: generation },
  });
  return fromDriver(twins.toArray());
}
