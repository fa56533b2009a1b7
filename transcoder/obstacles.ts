import type { AssetRecord } from "../core/records/asset.ts";
import type { TaskRecord } from "../core/records/task.ts";
import { isLeftToOther, ofSameSound } from "../core/shared-sound.ts";
import { isWanted } from "../core/work.ts";
import { followsOthers, isOffered } from "../core/work-order.ts";
import { besideSound, outlinesOfAsset } from "../stores/library/tasks.ts";
import { encoderNeeded, encodersHere } from "./missing-encoder.ts";
import type { Workshop } from "./task-context.ts";

/**
 * Why a task is not begun here and now. `unwanted`: of an earlier revision, or of a cancelled asset; whoever ended that may not have
 * come to this task. `encoder`: it needs one, in hardware or of a build, that this machine lacks and others have. `early`: what it looks at may
 * have been found damaged since it was offered, and is being made again. `elsewhere`: another worker has the sound that it is made of.
 */
export type Obstacle = "unwanted" | "encoder" | "early" | "elsewhere";

/** What stands in a task's way; null where it can be begun. */
export async function obstacleTo(
  workshop: Pick<Workshop, "library" | "hardware" | "recentAv1">,
  task: Pick<TaskRecord, "_id" | "assetId" | "generation" | "kind" | "part" | "chunk" | "leaseUntil">,
  asset: AssetRecord | null,
): Promise<Obstacle | null> {
  if (asset === null || !isWanted(task, asset)) return "unwanted";
  const needed = encoderNeeded(task, asset.plan);
  if (needed !== null && encodersHere(workshop)[needed.name] !== needed.is) return "encoder";
  if (!followsOthers(task)) return null;
  const { library } = workshop;
  const all = await outlinesOfAsset(library, task.assetId);
  const own = all.filter(({ generation }) => generation === task.generation);
  return isOffered({ ...task, state: "todo" }, own, library.serverNow()) ? null : "early";
}

/** The same of a task that was claimed by itself, and not beside somebody who is slow at it. */
export async function obstacleToClaimed(
  workshop: Pick<Workshop, "library" | "hardware" | "recentAv1">,
  task: TaskRecord,
  asset: AssetRecord | null,
): Promise<Obstacle | null> {
  const obstacle = await obstacleTo(workshop, task, asset);
  if (obstacle !== null || task.kind !== "audio" || task.beside != null) return obstacle;
  const sounds = asset?.plan?.audio ?? [];
  if (ofSameSound(task.part, sounds).length === 0) return null;
  const { library } = workshop;
  const beside = await besideSound(library, task);
  return isLeftToOther(task, beside, sounds, library.serverNow()) ? "elsewhere" : null;
}
