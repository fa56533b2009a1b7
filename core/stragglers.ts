/**
 * Which attempts at a task are so slow that somebody who has nothing else to do is to begin the same beside them. Pure:
 * from what the records say of the attempt and of its peers (docs/decisions/stragglers.md).
 */

/** An attempt under way, as its record tells it. */
export interface Underway {
  /** What the task was thought to cost, in seconds of one core. */
  workSeconds: number;
  ranSeconds: number;
  /** How far it is, 0..1, by its last sign of life. */
  ratio: number;
  /** Since that sign. */
  silentSeconds: number;
}

/** A task of the same kind that is done. */
export interface Peer {
  workSeconds: number;
  tookSeconds: number;
}

/** Longer than any attempt that lives is silent: a sign of life that was missed, and most of the next. */
const SILENT_SECONDS = 2.5;
/** What takes no longer than this is not worth doing twice, however quick its peers were. */
const SHORTEST_SECONDS = 5;
/** One peer may itself be the odd one. */
const PEERS_NEEDED = 2;
/** Below this many times what its peers would have taken, lateness is chance. */
const LATE = 1.5;
/** Beyond this many times, whatever it says of how far it is, it stands still. */
const STUCK = 4;

/**
 * Whether the same is to be begun beside an attempt: it gives no sign of life, or it is late and has longer to go than
 * a fresh one would take. Without peers to go by only the first is told.
 */
export function isStraggling(attempt: Underway, peers: readonly Peer[]): boolean {
  if (attempt.silentSeconds > SILENT_SECONDS) return true;
  if (peers.length < PEERS_NEEDED || attempt.ranSeconds < SHORTEST_SECONDS) return false;
  const freshSeconds = attempt.workSeconds * middle(peers.map(rateOf));
  if (attempt.ranSeconds <= LATE * freshSeconds) return false;
  return attempt.ranSeconds > STUCK * freshSeconds || toGoSeconds(attempt) > freshSeconds;
}

/** Seconds on the wall for each of work. */
function rateOf({ workSeconds, tookSeconds }: Peer): number {
  return tookSeconds / workSeconds;
}

/** As long as it took to come so far, for as far as it has to go. */
function toGoSeconds({ ranSeconds, ratio }: Underway): number {
  return ratio <= 0 ? Number.POSITIVE_INFINITY : (ranSeconds * (1 - ratio)) / ratio;
}

/** The lower one of two: what is to be late must be late by the quicker half. */
function middle(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[(figures.length - 1) >> 1]!;
}
