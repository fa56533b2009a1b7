import { memoryOf } from "../core/admission.ts";
import { chunksSeenWith, completesPart } from "../core/film-parts.ts";
import type { AssetRecord } from "../core/records/asset.ts";
import type { TaskKind, TaskRecord } from "../core/records/task.ts";
import {
  BESIDE_PRIORITY,
  isBackfill,
  placeTasks,
  placeTitle,
  type Queued,
  TITLES_IN_HAND,
} from "../core/schedule.ts";
import { isTried, isWanted, previewedGeneration, tasksOf } from "../core/work.ts";
import { isOffered, laneOf, type Ordered, waitsFor } from "../core/work-order.ts";
import type { Library } from "./library/connect.ts";
import { activeAssets, findAssetForWork, rankOfAsset } from "./library/open-work.ts";
import { pulledAssets } from "./library/pulls.ts";
import { reopenTasks } from "./library/reopen-tasks.ts";
import { stragglers } from "./library/second-claims.ts";
import { chunksIn, ensureTasks, outlinesOfAsset, type TaskOutline } from "./library/tasks.ts";
import { failAsset } from "./library/work.ts";
import type { Offer, WorkQueue } from "./queue.ts";

/**
 * Derives an asset's tasks from its state, records the missing ones and offers to the queue what can be
 * worked on now. The one mechanism behind a fresh upload, a finished chunk, a retry and a lost queue.
 */
export async function offerWork(library: Library, queue: WorkQueue, assetId: string): Promise<void> {
  const asset = await findAssetForWork(library, assetId);
  if (asset === null) return;
  const rank = await rankOfAsset(library, asset, TITLES_IN_HAND);
  // The first picture is not to wait until a long film's hundreds of tasks are on record.
  if (asset.preview !== previewedGeneration(asset)) {
    const previews = tasksOf(asset).filter(({ kind }) => kind === "preview");
    await ensureTasks(library, asset, previews);
    const tasks = previews.map(({ id, ...spec }) => ({ ...spec, _id: id, failures: 0 }));
    await offerPlaced(
      queue,
      tasks.map((task) => queuedOf(asset, task, rank, false)),
      placeTitle,
    );
  }
  await offerPlaced(queue, await openTasksOf(library, asset, rank), placeTitle);
}

/**
 * What follows a task that is done. A chunk beside which others of the same part of the film are still open opens nothing, which
 * one small read or two tell: what a title's chunks cost the library does not grow with their number.
 */
export async function offerAfter(library: Library, queue: WorkQueue, done: TaskRecord): Promise<void> {
  if (done.kind === "preview") return;
  if (done.kind === "video" && !(await opensPart(library, done))) return;
  if (MANY_IN_A_FILM.has(done.kind)) await offerFollowers(library, queue, done);
  else await offerWork(library, queue, done.assetId);
}

/** They open what waits for them and nothing else. */
const MANY_IN_A_FILM: ReadonlySet<TaskKind> = new Set(["video", "look", "score", "verify"]);

/** What waited for this one and need not any more. All else is in the queue: to offer hundreds of chunks and parts again would cost it as many calls. */
async function offerFollowers(library: Library, queue: WorkQueue, done: TaskRecord): Promise<void> {
  const asset = await findAssetForWork(library, done.assetId);
  if (asset === null) return;
  const rank = await rankOfAsset(library, asset, TITLES_IN_HAND);
  await offerPlaced(queue, await openTasksOf(library, asset, rank), placeTitle, (task: Ordered) =>
    waitsFor(task, done),
  );
}

/** Whether a part of the film can be looked at or read back now that this chunk is done; so it is, too, after the last one of a ladder. */
async function opensPart(library: Library, done: TaskRecord): Promise<boolean> {
  const stretch = chunksSeenWith(done.chunk);
  const open = await chunksIn(library, "todo", done, stretch);
  if (!completesPart(done.chunk, open)) return false;
  open.push(...(await chunksIn(library, "claimed", done, stretch)));
  return completesPart(done.chunk, open);
}

/**
 * One round over the unfinished assets of all tenants: offers what nobody works on, and gives all that waits its place
 * among them.
 */
export async function offerAll(library: Library, queue: WorkQueue): Promise<void> {
  const queued: Queued[] = [];
  for (const ofTenant of [...(await activeAssets(library)), ...(await pulledAssets(library))])
    for (const [rank, asset] of ofTenant.entries()) queued.push(...(await openTasksOf(library, asset, rank)));
  const places = await offerPlaced(queue, queued, placeTasks);
  await queue.reorder(places);
}

/**
 * Where nothing waits that could be taken up instead: offers to begin the same beside whoever is slow at it or gives no
 * sign of life, for whom it is that a title waits in the end.
 */
export async function offerBesides(library: Library, queue: WorkQueue, leaseSeconds: number): Promise<void> {
  const { waiting } = await queue.depth();
  if (waiting > 0) return;
  const offers: Offer[] = [];
  for (const claim of await stragglers(library, leaseSeconds)) {
    const asset = await findAssetForWork(library, claim.assetId);
    if (asset === null || !isWanted(claim, asset)) continue;
    const { taskId, kind, memoryBytes } = queuedOf(asset, claim, 0, true);
    const { epoch: besideEpoch } = claim;
    offers.push({ taskId, kind, lane: laneOf(kind), memoryBytes, besideEpoch, priority: BESIDE_PRIORITY });
  }
  if (offers.length > 0) await queue.offer(offers);
}

async function offerPlaced(
  queue: WorkQueue,
  queued: readonly Queued[],
  place: (queued: readonly Queued[]) => Map<string, number>,
  isMeant: (task: Queued) => boolean = () => true,
): Promise<Map<string, number>> {
  const places = place(queued);
  const offers = queued.filter(isMeant).flatMap(({ taskId, kind, memoryBytes }): Offer[] => {
    const priority = places.get(taskId);
    return priority === undefined ? [] : [{ taskId, kind, lane: laneOf(kind), priority, memoryBytes }];
  });
  await queue.offer(offers);
  return places;
}

/** What can be worked on now and what somebody is at; records are made and the asset failed where its state calls for it. */
async function openTasksOf(library: Library, asset: AssetRecord, rank: number): Promise<Queued[]> {
  const specs = tasksOf(asset);
  if (specs.length === 0) return [];
  const wanted = new Set(specs.map((spec) => spec.id));
  // Units of a preview that viewers asked for are on record alone.
  const isOurs = (task: TaskOutline): boolean =>
    wanted.has(task._id) || (task.kind === "preview" && isWanted(task, asset));
  let tasks = (await outlinesOfAsset(library, asset._id)).filter(isOurs);
  const known = new Set(tasks.map(({ _id }) => _id));
  if (specs.some(({ id }) => !known.has(id))) {
    await ensureTasks(library, asset, specs);
    tasks = (await outlinesOfAsset(library, asset._id)).filter(isOurs);
  }
  // A film is not lost for the lack of a preview.
  const failed = tasks.find((task) => task.state === "failed" && task.kind !== "preview");
  if (failed?.error) {
    await failAsset(library, asset, failed.error);
    return [];
  }
  if (tasks.some((task) => task.state === "cancelled")) {
    // Whoever called them off crossed with whoever wants them now: the asset's state is what counts.
    await reopenTasks(library, asset);
    return openTasksOf(library, asset, rank);
  }
  const now = library.serverNow();
  return tasks.flatMap((task): Queued[] => {
    if (isOffered(task, tasks, now)) return [queuedOf(asset, task, rank, false)];
    return task.state === "claimed" ? [queuedOf(asset, task, rank, true)] : [];
  });
}

function queuedOf(
  asset: AssetRecord,
  task: Pick<TaskRecord, "_id" | "kind" | "part" | "chunk" | "weight" | "failures">,
  rank: number,
  isRunning: boolean,
): Queued {
  return {
    taskId: task._id,
    tenant: asset.tenant,
    assetId: asset._id,
    kind: task.kind,
    part: task.part,
    chunk: task.chunk,
    workSeconds: task.weight,
    // A run that met its limit is given twice as much the next time.
    memoryBytes: memoryOf(task, asset.plan, isTried(asset)) * 2 ** task.failures,
    rank,
    isRunning,
    isBackfill: isBackfill(asset),
  };
}
