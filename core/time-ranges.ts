import type { Rational } from "./rational.ts";

/** A stretch of the film, in seconds from its first picture. */
export interface TimeRange {
  startSeconds: number;
  endSeconds: number;
}

/** Frames of the film from `first` up to `end`, which is not one of them. */
export interface FrameSpan {
  first: number;
  end: number;
}

/** When frames are shown. */
export function shownFor({ first, end }: FrameSpan, { num, den }: Rational): TimeRange {
  return { startSeconds: (first * den) / num, endSeconds: (end * den) / num };
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
