import type { TaskRecord } from "./records/task.ts";

/**
 * How slowly a master may come (RELIABILITY T24): while it does it keeps one of the few places for fetches, which others
 * wait for. Pure.
 */

export interface PaceLimits {
  /** Less than this on the mean of `graceSeconds` is too slow. */
  leastBps: number;
  graceSeconds: number;
  /** What a fetch may take in all its attempts. */
  mostSeconds: number;
}

/** So long was waited for pieces of the file, and so much came. What they then wait for here is not its server's. */
export interface Stretch {
  waitedSeconds: number;
  bytes: number;
}

export const NEW_STRETCH: Stretch = { waitedSeconds: 0, bytes: 0 };

/**
 * The stretch with one more piece in it, or a new one where it was long enough and quick enough; null: too slow. A mean over
 * the whole file would let one that came quickly at first crawl for days after that.
 */
export function nextStretch(
  { waitedSeconds, bytes }: Stretch,
  piece: Stretch,
  { leastBps, graceSeconds }: PaceLimits,
): Stretch | null {
  const stretch = { waitedSeconds: waitedSeconds + piece.waitedSeconds, bytes: bytes + piece.bytes };
  if (stretch.waitedSeconds < graceSeconds) return stretch;
  return stretch.bytes * 8 < leastBps * stretch.waitedSeconds ? null : NEW_STRETCH;
}

/** What the attempts before this one took, in seconds, since the task was new or somebody retried it. */
export function secondsSpent({
  attempts,
  failures,
  deaths,
}: Pick<TaskRecord, "attempts" | "failures" | "deaths">): number {
  // Each failure and each death has one line in the ledger; lines before them are of an earlier order.
  const own = attempts.slice(attempts.length - Math.min(attempts.length, failures + deaths));
  return (
    own.reduce((sum, { startedAt, endedAt }) => sum + (endedAt.getTime() - startedAt.getTime()), 0) / 1000
  );
}
