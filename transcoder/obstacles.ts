import { hardwareFor } from "../core/plan.ts";
import type { AssetRecord } from "../core/records/asset.ts";
import type { TaskRecord } from "../core/records/task.ts";
import { isWanted } from "../core/work.ts";
import { followsOthers, isOffered } from "../core/work-order.ts";
import { outlinesOfAsset } from "../stores/library/tasks.ts";
import type { Workshop } from "./task-context.ts";

/**
 * Why a task is not begun here and now. `unwanted`: of an earlier revision, or of a cancelled asset; whoever ended that may not have
 * come to this task. `hardware`: it needs an encoder that this machine lacks and others have. `early`: what it looks at may
 * have been found damaged since it was offered, and is being made again.
 */
export type Obstacle = "unwanted" | "hardware" | "early";

/** What stands in a task's way; null where it can be begun. */
export async function obstacleTo(
  { library, hardware }: Pick<Workshop, "library" | "hardware">,
  task: Pick<TaskRecord, "_id" | "assetId" | "generation" | "kind" | "part" | "chunk" | "leaseUntil">,
  asset: AssetRecord | null,
): Promise<Obstacle | null> {
  if (asset === null || !isWanted(task, asset)) return "unwanted";
  const family = hardwareFor(task, asset.plan);
  if (family !== null && family !== hardware.family) return "hardware";
  if (!followsOthers(task)) return null;
  const all = await outlinesOfAsset(library, task.assetId);
  const own = all.filter(({ generation }) => generation === task.generation);
  return isOffered({ ...task, state: "todo" }, own, library.serverNow()) ? null : "early";
}
