import type { Chapter } from "./records/title.ts";

/** From when on a film is as good as seen: what follows keeps nobody, and nobody wants to come back to it. */

/** Of a short film the last twentieth. */
const LAST_SHARE = 0.05;
/** Of a long one no more than this: its end is worth more to whoever has left it than the credits, which they can skip. */
const MOST_SECONDS = 180;

/** What of a title's chapters is looked at. */
export type SeenChapter = Pick<Chapter, "startSeconds" | "kind">;

/**
 * Seconds from the film's beginning: where its credits begin, if its last chapter is said to be these, else the last twentieth and at
 * most three minutes. `chapters` by their start; those behind the end count for nothing. A scene behind the credits is still the film,
 * and so is what follows credits in its first half: those are its opening ones, behind which nobody has marked anything.
 */
export function seenFromSeconds(durationSeconds: number, chapters: readonly SeenChapter[] = []): number {
  const last = chapters.findLast(({ startSeconds }) => startSeconds < durationSeconds);
  if (last?.kind === "credits" && last.startSeconds >= durationSeconds / 2) return last.startSeconds;
  return durationSeconds - Math.min(durationSeconds * LAST_SHARE, MOST_SECONDS);
}

/** Where to go on, in seconds: at the beginning where the film is as good as seen. */
export function resumeAt(
  positionSeconds: number,
  durationSeconds: number,
  chapters?: readonly SeenChapter[],
): number {
  return positionSeconds < seenFromSeconds(durationSeconds, chapters) ? positionSeconds : 0;
}
