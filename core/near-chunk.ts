/**
 * Which of a film's chunks a worker takes up. Two that follow each other both need what lies from the keyframe before their border to
 * a little behind it: one worker reads that once, two workers read it twice (docs/decisions/read-in-parts.md).
 */

/** A chunk of one ladder that is not done. */
export interface OpenChunk {
  chunk: number;
  /** Seconds of one core. */
  weight: number;
  /** Nobody is at it. */
  isFree: boolean;
}

/** Read for another ladder, next behind what was read, next before it: in this order. */
const NEAR = [0, -1, 1];
/** Of the longest: what takes so long is as good to begin with. */
const AS_LONG = 0.9;

/** Whether no other chunk is better for a worker that has been at the chunks `own`: it has read this one, or the one before. */
export function isNext(chunk: number, own: ReadonlySet<number>): boolean {
  return own.has(chunk) || own.has(chunk - 1);
}

/**
 * The one to take up of those that are free, given in order; null where none is. One that is near, or else one to which others will come
 * latest: in the middle of the longest run of them, or at the film's beginning. In the last round only of those that take longest, since what
 * begins last is what all wait for.
 */
export function nearestChunk(open: readonly OpenChunk[], own: ReadonlySet<number>): number | null {
  const all = open.filter(({ isFree }) => isFree);
  const isLastRound = 2 * all.length <= open.length;
  const least = isLastRound ? AS_LONG * Math.max(...all.map(({ weight }) => weight)) : 0;
  const free = all.filter(({ weight }) => weight >= least).map(({ chunk }) => chunk);
  for (const step of NEAR) {
    const near = free.find((chunk) => own.has(chunk + step));
    if (near !== undefined) return near;
  }
  const longest = runsOf(free).reduce<number[]>((best, run) => (run.length > best.length ? run : best), []);
  return longest[longest[0] === 0 ? 0 : Math.floor(longest.length / 2)] ?? null;
}

/** Those that follow each other, together. */
function runsOf(chunks: readonly number[]): number[][] {
  const runs: number[][] = [];
  for (const chunk of chunks) {
    const last = runs.at(-1);
    if (last?.at(-1) === chunk - 1) last.push(chunk);
    else runs.push([chunk]);
  }
  return runs;
}
