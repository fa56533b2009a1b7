import { setTimeout as pause } from "node:timers/promises";
import { isLookedAtTwice, LOOK_ROUND_SECONDS, secondsToWait } from "../core/late-sound.ts";
import type { AssetRecord } from "../core/records/asset.ts";
import type { TaskRecord } from "../core/records/task.ts";
import { isLeftToReader, isUnasked } from "../core/shared-beginning.ts";
import { type BesideSound, isLeftToOther, ofSameSound } from "../core/shared-sound.ts";
import { leavesItsSound } from "../core/source.ts";
import { isWanted } from "../core/work.ts";
import { followsOthers, isOffered } from "../core/work-order.ts";
import { begunUnits, besideSound, isShared, outlinesOfAsset } from "../stores/library/tasks.ts";
import { encoderNeeded, encodersHere } from "./missing-encoder.ts";
import type { Workshop } from "./task-context.ts";

/**
 * Why a task is not begun here and now. `unwanted`: of an earlier revision, or of a cancelled asset; whoever ended that may not have
 * come to this task. `encoder`: it needs one, in hardware or of a build, that this machine lacks and others have. `early`: what it looks at may
 * have been found damaged since it was offered, and is being made again. `elsewhere`: another worker has what it is made of.
 * `pictures`: those who are still to read the pictures leave the sound between them.
 */
export type Obstacle = "unwanted" | "encoder" | "early" | "elsewhere" | "pictures";

/** What stands in a claimed task's way, and when it is offered again, to whoever can. */
export interface Hindrance {
  obstacle: Obstacle;
  againSeconds: number;
}

const AGAIN_SECONDS: Record<Exclude<Obstacle, "pictures">, number> = {
  unwanted: 0,
  encoder: 2,
  early: 1,
  elsewhere: 1,
};

const ELSEWHERE: Hindrance = { obstacle: "elsewhere", againSeconds: AGAIN_SECONDS.elsewhere };

/** What stands in a task's way; null where it can be begun. */
export async function obstacleTo(
  workshop: Pick<Workshop, "library" | "hardware" | "recentAv1">,
  task: Pick<TaskRecord, "_id" | "assetId" | "generation" | "kind" | "part" | "chunk" | "leaseUntil">,
  asset: AssetRecord | null,
): Promise<Exclude<Obstacle, "pictures"> | null> {
  if (asset === null || !isWanted(task, asset)) return "unwanted";
  const needed = encoderNeeded(task, asset.plan);
  if (needed !== null && encodersHere(workshop)[needed.name] !== needed.is) return "encoder";
  if (!followsOthers(task)) return null;
  const { library } = workshop;
  const all = await outlinesOfAsset(library, task.assetId);
  const own = all.filter(({ generation }) => generation === task.generation);
  return isOffered({ ...task, state: "todo" }, own, library.serverNow()) ? null : "early";
}

/**
 * The same of a task that was claimed by itself, and not beside somebody who is slow at it. It may take a second to see who else comes;
 * rejects where `signal` is aborted meanwhile.
 */
export async function obstacleToClaimed(
  workshop: Pick<Workshop, "library" | "hardware" | "recentAv1">,
  task: TaskRecord,
  asset: AssetRecord | null,
  signal: AbortSignal,
): Promise<Hindrance | null> {
  const obstacle = await obstacleTo(workshop, task, asset);
  if (obstacle !== null) return { obstacle, againSeconds: AGAIN_SECONDS[obstacle] };
  if (asset === null || task.beside != null) return null;
  if (task.kind === "preview") return obstacleToUnit(workshop, task, asset);
  return task.kind === "audio" ? obstacleToSound(workshop, task, asset, signal) : null;
}

async function obstacleToUnit(
  { library }: Pick<Workshop, "library">,
  task: TaskRecord,
  { plan }: AssetRecord,
): Promise<Hindrance | null> {
  if (plan === null || !isUnasked(task, plan.timeline)) return null;
  const isOthers = isLeftToReader(task, await begunUnits(library, task), library.serverNow());
  return isOthers ? ELSEWHERE : null;
}

async function obstacleToSound(
  { library }: Pick<Workshop, "library">,
  task: TaskRecord,
  { plan, source }: AssetRecord,
  signal: AbortSignal,
): Promise<Hindrance | null> {
  const sounds = plan?.audio ?? [];
  const isOfMaster = sounds.some(({ id, file }) => id === task.part && file === null);
  const againSeconds =
    isOfMaster && source !== null && leavesItsSound(source)
      ? await secondsToPictures(library, task, signal)
      : null;
  if (againSeconds !== null) return { obstacle: "pictures", againSeconds };
  if (ofSameSound(task.part, sounds).length === 0) return null;
  const isOthers = isLeftToOther(task, await besideSound(library, task), sounds, library.serverNow());
  return isOthers ? ELSEWHERE : null;
}

async function secondsToPictures(
  library: Workshop["library"],
  task: TaskRecord,
  signal: AbortSignal,
): Promise<number | null> {
  const { assetId, worker, epoch } = task;
  const look = async (claims: number, all: readonly BesideSound[]): Promise<number | null> => {
    const own = { epoch: claims, isShared: await isShared(library, assetId, worker ?? "") };
    return secondsToWait(own, all, library.serverNow());
  };
  const all = await besideSound(library, task);
  if (!isLookedAtTwice(task, all)) return look(epoch, all);
  await pause(LOOK_ROUND_SECONDS * 1000, undefined, { signal });
  return look(epoch + 1, await besideSound(library, task));
}
