import type { Chapter } from "./api-client.ts";

/** Without a word of where the credits begin, the next film is announced this long before the end. */
const ANNOUNCED_SECONDS = 12;

/** The chapter that plays at a moment; null before the first. */
export function chapterAt(chapters: readonly Chapter[], seconds: number): Chapter | null {
  return chapters.findLast(({ startSeconds }) => startSeconds <= seconds) ?? null;
}

/** Where a chapter ends: at the next one, or with the film. */
export function chapterEnd(chapters: readonly Chapter[], chapter: Chapter, durationSeconds: number): number {
  return chapters[chapters.indexOf(chapter) + 1]?.startSeconds ?? durationSeconds;
}

/** From when on the next film is announced: with credits that last to the end, else shortly before it. In the first half they are opening ones. */
export function announcedFrom(chapters: readonly Chapter[], durationSeconds: number): number {
  const last = chapters.at(-1);
  const halfSeconds = durationSeconds / 2;
  if (last?.kind === "credits" && last.startSeconds >= halfSeconds) return last.startSeconds;
  // In a film of seconds, not before its half.
  return Math.max(durationSeconds - ANNOUNCED_SECONDS, halfSeconds);
}
