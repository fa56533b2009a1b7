import type { AssetRecord, TaskKind } from "../core/records.ts";
import { isOffered, tasksOf } from "../core/work.ts";
import type { Library } from "./library/connect.ts";
import { ensureTasks, reopenTasks, tasksOfAsset } from "./library/tasks.ts";
import { failAsset, findAssetForWork } from "./library/work.ts";
import type { WorkQueue } from "./queue.ts";

/** Short stages first: they open the way for the long ones. */
const PRIORITY: Record<TaskKind, number> = {
  probe: 1,
  analyse: 1,
  publish: 2,
  inspect: 3,
  checksum: 3,
  audio: 3,
  subtitle: 3,
  images: 3,
  score: 3,
  video: 4,
};

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
  await ensureTasks(library, asset, specs);
  const wanted = new Set(specs.map((spec) => spec.id));
  const tasks = (await tasksOfAsset(library, asset._id)).filter((task) => wanted.has(task._id));
  const failed = tasks.find((task) => task.state === "failed");
  if (failed?.error) return failAsset(library, asset, failed.error);
  const calledOff = tasks.filter((task) => task.state === "cancelled");
  if (calledOff.length > 0) {
    // Whoever called them off crossed with whoever wants them now: the asset's state is what counts.
    await reopenTasks(library, { assetId: asset._id, _id: { $in: calledOff.map(({ _id }) => _id) } });
    return offerAsset(library, queue, asset);
  }
  const now = library.serverNow();
  const open = tasks.filter((task) => isOffered(task, tasks, now));
  await queue.offer(open.map(({ _id, kind }) => ({ taskId: _id, kind, priority: PRIORITY[kind] })));
}
