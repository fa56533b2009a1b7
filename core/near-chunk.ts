/**
 * Which of a film's chunks a worker takes up. Two that follow each other both need what lies from the keyframe before their border to
 * a little behind it: one worker reads that once, two workers read it twice (docs/decisions/read-in-parts.md).
 */

/** Read for another ladder, next behind what was read, next before it: in this order. */
const NEAR = [0, -1, 1];

/** Whether no other chunk is better for a worker that has been at the chunks `own`: it has read this one, or the one before. */
export function isNext(chunk: number, own: ReadonlySet<number>): boolean {
  return own.has(chunk) || own.has(chunk - 1);
}

/**
 * The one to take up of those that are free, in order; null where none is. One that is near, or else one to which others will come latest: in
 * the middle of the longest run of them, or at the film's beginning.
 */
export function nearestChunk(free: readonly number[], own: ReadonlySet<number>): number | null {
  for (const step of NEAR) {
    const near = free.find((chunk) => own.has(chunk + step));
    if (near !== undefined) return near;
  }
  const runs = runsOf(free);
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), runs[0] ?? []);
  const isAtBeginning = longest[0] === 0;
  return (isAtBeginning ? longest[0] : longest[Math.floor(longest.length / 2)]) ?? null;
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
