import { unitsFor } from "../core/preview.ts";
import type { AssetRecord, TaskKind } from "../core/records.ts";
import {
  isOffered,
  isPreviewed,
  isWanted,
  laneOf,
  previewSpec,
  type TaskSpec,
  tasksOf,
} from "../core/work.ts";
import type { Library } from "./library/connect.ts";
import { ensureTasks, reopenTasks, tasksOfAsset } from "./library/tasks.ts";
import { failAsset, findAssetForWork } from "./library/work.ts";
import type { Offer, WorkQueue } from "./queue.ts";

/** Short stages first: they open the way for the long ones. */
const PRIORITY: Record<TaskKind, number> = {
  probe: 1,
  publish: 2,
  inspect: 3,
  checksum: 3,
  audio: 3,
  subtitle: 3,
  images: 3,
  score: 3,
  video: 4,
  // Of those in the fast lane: behind probes, unless somebody waits for it.
  preview: 2,
};
/** Of what a viewer waits for this very moment. */
const WAITED_FOR = 1;

/**
 * Derives an asset's tasks from its state, records the missing ones and offers to the queue what can be
 * worked on now. The one mechanism behind a fresh upload, a finished chunk, a retry and a lost queue.
 */
export async function offerWork(library: Library, queue: WorkQueue, assetId: string): Promise<void> {
  const asset = await findAssetForWork(library, assetId);
  if (asset !== null) await offerAsset(library, queue, asset);
}

/** As `offerWork`, for an asset already read. */
export async function offerAsset(library: Library, queue: WorkQueue, asset: AssetRecord): Promise<void> {
  const specs = tasksOf(asset);
  if (specs.length === 0) return;
  // The first picture is not to wait until a long film's hundreds of tasks are on record.
  if (asset.preview !== asset.generation) {
    const previews = specs.filter(({ kind }) => kind === "preview");
    await ensureTasks(library, asset, previews);
    await queue.offer(previews.map(offerOf));
  }
  await ensureTasks(library, asset, specs);
  const wanted = new Set(specs.map((spec) => spec.id));
  const tasks = (await tasksOfAsset(library, asset._id)).filter(
    // Units of a preview that viewers asked for are on record alone.
    (task) => wanted.has(task._id) || (task.kind === "preview" && isWanted(task, asset)),
  );
  // A film is not lost for the lack of a preview.
  const failed = tasks.find((task) => task.state === "failed" && task.kind !== "preview");
  if (failed?.error) return failAsset(library, asset, failed.error);
  const calledOff = tasks.filter((task) => task.state === "cancelled");
  if (calledOff.length > 0) {
    // Whoever called them off crossed with whoever wants them now: the asset's state is what counts.
    await reopenTasks(library, { assetId: asset._id, _id: { $in: calledOff.map(({ _id }) => _id) } });
    return offerAsset(library, queue, asset);
  }
  const now = library.serverNow();
  const open = tasks.filter((task) => isOffered(task, tasks, now));
  await queue.offer(open.map(({ _id: id, kind, chunk }) => offerOf({ id, kind, chunk })));
}

function offerOf({ id, kind, chunk }: Pick<TaskSpec, "id" | "kind" | "chunk">): Offer {
  const isFirstPicture = kind === "preview" && chunk === 0;
  return { taskId: id, kind, lane: laneOf(kind), priority: isFirstPicture ? WAITED_FOR : PRIORITY[kind] };
}

/**
 * Puts the unit of a preview in which a cell lies before everything else, and a few units behind it in line: the id of
 * its task. null where the film has no such cell, or no preview. Repeating it changes nothing.
 */
export async function offerPreviewCell(
  library: Library,
  queue: WorkQueue,
  asset: AssetRecord,
  cell: number,
): Promise<string | null> {
  if (asset.plan === null || !isPreviewed(asset)) return null;
  const specs = unitsFor(asset.plan.timeline, cell).map((unit) => previewSpec(asset, unit));
  const [waitedFor, ...ahead] = specs;
  if (waitedFor === undefined) return null;
  await ensureTasks(library, asset, specs);
  await queue.offer(ahead.map(offerOf));
  await queue.offer([{ ...offerOf(waitedFor), priority: WAITED_FOR }]);
  await queue.hurry(waitedFor.id);
  return waitedFor.id;
}
