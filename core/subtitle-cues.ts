import { segmentCount, segmentFrames, type Timeline } from "./timeline.ts";

/** One line of a text track: shown from `startMs` until before `endMs`, in WebVTT's whole milliseconds. */
export interface Cue {
  startMs: number;
  endMs: number;
  /** WebVTT cue settings that are known to be harmless; empty where there are none. */
  settings: string;
  /** Safe WebVTT markup (`safeMarkup`); never empty. */
  text: string;
}

/** Where each segment begins, and where the last one ends, in milliseconds. */
export function segmentBordersMs(timeline: Timeline): number[] {
  const { frameRate, frameCount } = timeline;
  const atMs = (frame: number): number => (frame * frameRate.den * 1000) / frameRate.num;
  const starts = Array.from({ length: segmentCount(timeline) }, (_, segment) =>
    atMs(segmentFrames(timeline, segment).firstFrame),
  );
  return [...starts, atMs(frameCount)];
}

/** First and last segment that a cue is shown in. */
export function segmentsOf(cue: Cue, borders: readonly number[]): { first: number; last: number } {
  const last = borders.length - 2;
  const segmentAt = (ms: number): number => {
    let segment = Math.min(last, Math.max(0, Math.floor(ms / (borders[1] ?? 1))));
    while (segment < last && borders[segment + 1]! <= ms) segment++;
    while (segment > 0 && borders[segment]! > ms) segment--;
    return segment;
  };
  // The end is the first instant at which it is not shown any more.
  return { first: segmentAt(cue.startMs), last: segmentAt(cue.endMs - 1) };
}

/** Cues repeated in all segments together: a day of film has 15,000; more is an attack by cues that never end (T10). */
const MOST_COPIES = 60_000;

/**
 * The cues that can be shown between the film's first frame and its end, in order, each once: times clipped, what is
 * negative, empty or beyond the end left out.
 */
export function arrangeCues(cues: readonly Cue[], borders: readonly number[]): Cue[] {
  const durationMs = Math.floor(borders.at(-1) ?? 0);
  const clipped = cues
    .map((cue) => ({
      ...cue,
      startMs: Math.max(0, cue.startMs),
      endMs: Math.min(durationMs, cue.endMs),
    }))
    .filter(({ startMs, endMs, text }) => endMs > startMs && text !== "")
    .sort((a, b) => a.startMs - b.startMs || a.endMs - b.endMs);
  const seen = new Set<string>();
  let copies = 0;
  return clipped.filter((cue) => {
    // Typesetting lays the same text over itself for its shadow.
    const key = `${cue.startMs} ${cue.endMs} ${cue.settings} ${cue.text}`;
    const { first, last } = segmentsOf(cue, borders);
    if (seen.has(key) || copies + last - first + 1 > MOST_COPIES) return false;
    seen.add(key);
    copies += last - first + 1;
    return true;
  });
}

/**
 * Apple 5.8: a regular track with the lines of the forced one that it does not have itself. Two cues that say the same at
 * the same time are one.
 */
export function includeForced(regular: readonly Cue[], forced: readonly Cue[]): Cue[] {
  const byText = Map.groupBy(regular, (cue) => plainText(cue.text));
  const isThere = (cue: Cue): boolean =>
    (byText.get(plainText(cue.text)) ?? []).some(
      (other) => other.startMs < cue.endMs && cue.startMs < other.endMs,
    );
  return [...regular, ...forced.filter((cue) => !isThere(cue))];
}

function plainText(markup: string): string {
  return markup
    .replace(/<[^<>]*>/g, "")
    .replace(/\s+/g, " ")
    .trim();
}
