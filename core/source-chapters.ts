import type { ProbeReport } from "./probe-report.ts";
import { roundToMicros } from "./probed-picture.ts";

/** A part of the film that its file names. In which language, files do not say. */
export interface SourceChapter {
  startSeconds: number;
  name: string;
}

/** More is no division of a film that people could use. */
const MOST = 500;
const LONGEST_NAME = 200;

/**
 * The chapters that a file brings along, by their start from the film's first picture on. Those without a name, or at a
 * place that another one has, say nothing and are left out.
 */
export function describeChapters(
  { chapters = [] }: ProbeReport,
  firstPictureSeconds: number,
  durationSeconds: number,
): SourceChapter[] {
  const named = chapters.map(({ start_time: start, tags }) => ({
    startSeconds: Math.max(0, roundToMicros(Number(start ?? Number.NaN) - firstPictureSeconds)),
    name: oneLine(tags?.title ?? ""),
  }));
  return named
    .filter(({ startSeconds, name }) => startSeconds < durationSeconds && name !== "")
    .sort((a, b) => a.startSeconds - b.startSeconds)
    .filter(({ startSeconds }, index, all) => index === 0 || startSeconds > all[index - 1]!.startSeconds)
    .slice(0, MOST);
}

/** Of a stranger's text: no control characters, no line breaks, not too long. */
function oneLine(text: string): string {
  const clean = text
    .replace(/\p{C}+/gu, " ")
    .trim()
    .replace(/\s+/g, " ");
  return [...clean].slice(0, LONGEST_NAME).join("");
}
