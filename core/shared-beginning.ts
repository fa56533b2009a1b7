import { eagerUnits } from "./preview.ts";
import type { TaskRecord } from "./records/task.ts";
import { type BesideReader, hasItAtHand } from "./shared-sound.ts";
import type { Timeline } from "./timeline.ts";

/**
 * Who makes the units of a preview that nobody has asked for yet. They lie side by side at the film's beginning, of which each reads some
 * megabytes: one worker reads those once, two read them twice.
 */

/** A unit of the same preview. */
export type BesideUnit = BesideReader & Pick<TaskRecord, "chunk" | "worker">;

/** Whether a unit may be put off for that: made of every film, and waited for by nobody. The first is what the film is first seen by. */
export function isUnasked(
  { chunk, isAwaited }: Pick<TaskRecord, "chunk" | "isAwaited">,
  timeline: Timeline,
): boolean {
  return chunk > 0 && isAwaited !== true && eagerUnits(timeline).includes(chunk);
}

/** Whether a claimed unit is better left to a worker that is at one before it, or has just made one; not by a worker that has the beginning, too. */
export function isLeftToReader(
  own: Pick<TaskRecord, "chunk" | "worker">,
  units: readonly BesideUnit[],
  now: Date,
): boolean {
  const before = units.filter(({ chunk }) => chunk < own.chunk);
  return before.every(({ worker }) => worker !== own.worker) && before.some((unit) => hasItAtHand(unit, now));
}
