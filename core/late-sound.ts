import type { TaskRecord } from "./records/task.ts";
import { type BesideSound, isLive } from "./shared-sound.ts";

/**
 * When a sound is made: once whoever reads the pictures has left what lies between them (core/left-sound.ts), or as late as it may be, so
 * that the film is ready no later.
 */

/** Such a claim has left its chunk's sound or has not been able to, whatever it says of how far it is. */
const READ_MS = 10_000;
/** Of what the sounds are thought to take, how many times it is kept for them: machines differ, and slots come free by the chunk. */
const ROOM = 1.5;
/** Less is not worth a claim and its release. */
const LEAST_SLACK_SECONDS = 3;
/** It is looked at again after this share of the time that is left, within these bounds. */
const SHARE = 1 / 4;
const SOONEST_SECONDS = 1;
const LATEST_SECONDS = 15;
/** After so many claims it is made, whatever stands still: the longest film with two slots has a third of them. */
const PATIENCE_CLAIMS = 900;

/**
 * In how many seconds a claimed sound of the master is to be looked at again; null where it is to be made now. `isShared`: another worker has
 * been at the film, too.
 */
export function secondsToWait(
  own: Pick<TaskRecord, "epoch"> & { isShared: boolean },
  all: readonly BesideSound[],
  now: Date,
): number | null {
  const unread = all.filter((task) => task.kind === "video" && !isRead(task, now));
  if (unread.length === 0 || own.epoch > PATIENCE_CLAIMS) return null;
  const slackSeconds = slackOf(all, now);
  if (slackSeconds < LEAST_SLACK_SECONDS) return null;
  // At its first claim others may just be coming, who leave it something, or with whom the pictures take less time.
  if (own.epoch === 1) return SOONEST_SECONDS;
  if (!own.isShared) return null;
  if (unread.every((task) => isLive(task, now))) return SOONEST_SECONDS;
  return Math.min(LATEST_SECONDS, Math.max(SOONEST_SECONDS, slackSeconds * SHARE));
}

/** How long a worker keeps its place with a sound that it has claimed first of all, to see who else comes. */
export const LOOK_ROUND_SECONDS = 1;

/**
 * Whether a sound that is claimed for the first time is so long that it may be what the film waits for in the end, if many are at it: given
 * back, it would find all of them busy with a chunk. Then it is better seen first who comes.
 */
export function isLookedAtTwice(
  own: Pick<TaskRecord, "epoch" | "weight">,
  all: readonly BesideSound[],
): boolean {
  const chunks = all.filter(({ kind }) => kind === "video").map(({ weight }) => weight);
  return own.epoch === 1 && chunks.length > 0 && ROOM * own.weight > Math.max(...chunks);
}

/** How long the pictures take yet, at least, beyond what the sounds need: by the claims that live, each of which is a slot. */
function slackOf(all: readonly BesideSound[], now: Date): number {
  const slots = Math.max(1, all.filter((task) => isLive(task, now)).length);
  const pictures = all.filter(({ kind }) => kind === "video").map(toDo);
  const sounds = all.filter(({ kind }) => kind === "audio").map(toDo);
  return sum(pictures) / slots - ROOM * Math.max(...sounds, sum(sounds) / slots);
}

function toDo({ weight, ratio }: BesideSound): number {
  return weight * (1 - ratio);
}

/** Whether what a chunk is made of has been read: then its sound has been left. */
function isRead(task: BesideSound, now: Date): boolean {
  if (task.state === "done") return true;
  const sinceMs = task.claimedAt == null ? 0 : now.getTime() - task.claimedAt.getTime();
  return isLive(task, now) && (task.ratio > 0 || sinceMs > READ_MS);
}

function sum(figures: readonly number[]): number {
  return figures.reduce((total, one) => total + one, 0);
}
