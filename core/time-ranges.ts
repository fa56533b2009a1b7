/** A stretch of the film, in seconds from its first picture. */
export interface TimeRange {
  startSeconds: number;
  endSeconds: number;
}

/** The ranges in order, those that touch or stand at most `gapSeconds` apart made one. */
export function joinRanges(ranges: readonly TimeRange[], gapSeconds = 0): TimeRange[] {
  const joined: TimeRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.startSeconds - b.startSeconds)) {
    const last = joined.at(-1);
    if (last === undefined || range.startSeconds > last.endSeconds + gapSeconds) joined.push({ ...range });
    else last.endSeconds = Math.max(last.endSeconds, range.endSeconds);
  }
  return joined;
}

/** The part of a range that lies within another; null where they do not meet. */
export function clipRange(range: TimeRange, within: TimeRange): TimeRange | null {
  const startSeconds = Math.max(range.startSeconds, within.startSeconds);
  const endSeconds = Math.min(range.endSeconds, within.endSeconds);
  return endSeconds > startSeconds ? { startSeconds, endSeconds } : null;
}

export function secondsOf({ startSeconds, endSeconds }: TimeRange): number {
  return endSeconds - startSeconds;
}
