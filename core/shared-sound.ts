import type { AudioTrack } from "./plan-sounds.ts";
import type { TaskRecord } from "./records/task.ts";

/**
 * Who makes the second of two tracks of one sound, stereo and 5.1. Sound lies in little pieces between the pictures, so that
 * whoever reads it reads all of the master: better the worker that has it already, where nobody waits longer for it.
 */

/** A sound, or a chunk that is not done, as the choice sees it. */
export type BesideSound = Pick<
  TaskRecord,
  "kind" | "part" | "state" | "worker" | "weight" | "ratio" | "leaseUntil" | "claimedAt"
> & { attempts: readonly Pick<TaskRecord["attempts"][number], "endedAt">[] };

/** A worker that has made the other track has a place free for so long, or others have filled it. */
const AFTERWARDS_MS = 3_000;
/** A claim that is older is one of a worker that is slow at it: nobody waits for that. */
const LONGEST_MS = 60_000;

/** The tracks that are made of the same sound as this one. */
export function ofSameSound(part: string, tracks: readonly AudioTrack[]): string[] {
  const own = tracks.find(({ id }) => id === part);
  return tracks
    .filter(
      ({ id, file, streamIndex }) =>
        own !== undefined && id !== part && file?.key === own.file?.key && streamIndex === own.streamIndex,
    )
    .map(({ id }) => id);
}

/**
 * Whether a claimed track is better left to the worker that is at another one of the same sound, or has just made it: where some
 * chunk of the film has more to do yet than both take, so that the film is ready no later. Of two that were claimed at once the later one is left.
 */
export function isLeftToOther(
  own: Pick<TaskRecord, "part" | "weight" | "worker" | "claimedAt">,
  all: readonly BesideSound[],
  tracks: readonly AudioTrack[],
  now: Date,
): boolean {
  const same = ofSameSound(own.part, tracks);
  const pictureSeconds = Math.max(
    0,
    ...all.filter(({ kind }) => kind === "video").map(({ weight, ratio }) => weight * (1 - ratio)),
  );
  return all
    .filter(({ kind, part, worker }) => kind === "audio" && same.includes(part) && worker !== own.worker)
    .some((other) => own.weight + other.weight <= pictureSeconds && isAtHand(other, own, now));
}

function isAtHand(other: BesideSound, own: Pick<TaskRecord, "part" | "claimedAt">, now: Date): boolean {
  if (!hasItAtHand(other, now)) return false;
  const laterMs = sinceMs(other.claimedAt, now) - sinceMs(own.claimedAt, now);
  return other.state === "done" || laterMs > 0 || (laterMs === 0 && other.part < own.part);
}

/** A task as the question sees whether its worker has what was read for it, and will have a place free before long. */
export type BesideReader = Pick<BesideSound, "state" | "leaseUntil" | "claimedAt" | "attempts">;

/** Whether a worker is at a task and not slow at it, or has just done it. */
export function hasItAtHand({ state, leaseUntil, claimedAt, attempts }: BesideReader, now: Date): boolean {
  if (state === "done") return sinceMs(attempts.at(-1)?.endedAt, now) < AFTERWARDS_MS;
  return isLive({ state, leaseUntil }, now) && sinceMs(claimedAt, now) <= LONGEST_MS;
}

function sinceMs(time: Date | null | undefined, now: Date): number {
  return time == null ? Number.POSITIVE_INFINITY : now.getTime() - time.getTime();
}

/** Whether somebody is at a task, as far as is known. */
export function isLive({ state, leaseUntil }: Pick<BesideSound, "state" | "leaseUntil">, now: Date): boolean {
  return state === "claimed" && leaseUntil !== null && leaseUntil >= now;
}
