import { isLookedAtTwice, LOOK_ROUND_SECONDS, secondsToWait } from "../../core/late-sound.ts";
import type { BesideSound } from "../../core/shared-sound.ts";
import type { Attempt, Task } from "./title.ts";

/** A sound that is not begun yet, for how long, and whether its worker keeps its place meanwhile. */
export interface Held {
  seconds: number;
  inPlace: boolean;
}

/**
 * As `obstacleToClaimed`: how long a sound that was taken up is held back, since its master's chunks leave it; null where it is begun now. Simulated masters list their samples.
 */
export function heldBack(task: Task, workers: number, now: number): Held | null {
  if (task.spec.kind !== "audio") return null;
  const { tasks } = task.title;
  const beside = tasks.filter(
    ({ kind, state }) => kind === "audio" || (kind === "video" && state !== "done"),
  );
  const own = { epoch: ++task.claims, weight: task.spec.weight, isShared: workers > 1 };
  // The one that is asked about has been claimed.
  const all = beside.map((one) => seen(one, one === task, now));
  if (isLookedAtTwice(own, all)) return { seconds: LOOK_ROUND_SECONDS, inPlace: true };
  const seconds = secondsToWait(own, all, atSeconds(now));
  return seconds === null ? null : { seconds, inPlace: false };
}

function seen({ spec, state, attempts }: Task, isClaimed: boolean, now: number): BesideSound {
  const live = attempts.filter(({ diedAt }) => diedAt === null);
  const isLive = isClaimed || live.length > 0;
  return {
    ...{ kind: spec.kind, part: spec.part, weight: spec.weight, worker: null, attempts: [] },
    state: isLive ? "claimed" : state,
    ratio: state === "done" ? 1 : Math.max(0, ...live.map((attempt) => ratioOf(attempt, now))),
    claimedAt: isLive ? atSeconds(live[0]?.begunAt ?? now) : null,
    leaseUntil: isLive ? atSeconds(now) : null,
  };
}

function ratioOf({ begunAt, lastsSeconds }: Attempt, now: number): number {
  return Math.min(1, (now - begunAt) / lastsSeconds);
}

function atSeconds(seconds: number): Date {
  return new Date(seconds * 1000);
}
