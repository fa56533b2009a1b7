import type { Chapter } from "./answers.ts";

/** `1:02:03 Name [intro]`: where it begins, what it is called, and what it is, where that matters to players. */
const LINE = /^(?:(\d{1,2}):)?(\d{1,3}):(\d{2}(?:\.\d+)?)\s+(.+?)(?:\s+\[(intro|recap|credits)\])?$/;

/** Chapters as a person writes them, one a line. */
export function writeChapters(chapters: readonly Chapter[], language: string): string {
  const lines = chapters.map(({ startSeconds, name, kind }) => {
    return `${placeOf(startSeconds)} ${shownName(name, language)}${kind === null ? "" : ` [${kind}]`}`;
  });
  return lines.join("\n");
}

/** The name in that language, or in another one where it has none. */
function shownName(name: Chapter["name"], language: string): string {
  return name[language] ?? name.en ?? Object.values(name)[0] ?? "";
}

/**
 * What the lines say; null where one is no chapter. Names in other languages are those of `before` that begin at the
 * same place; one of those that was shown for want of another and left as it was stays what it is.
 */
export function readChapters(lines: string, language: string, before: readonly Chapter[]): Chapter[] | null {
  const read = lines
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => {
      const [, hours = "0", minutes, seconds, name, kind] = LINE.exec(line) ?? [];
      if (minutes === undefined || seconds === undefined || name === undefined) return null;
      // In milliseconds, since a sum of fractions is another number than the one that was written.
      const startMs = Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1000;
      const startSeconds = Math.round(startMs) / 1000;
      const others = before.find((one) => placeOf(one.startSeconds) === placeOf(startSeconds))?.name ?? {};
      const isOther = others[language] === undefined && name === shownName(others, language);
      return {
        startSeconds,
        name: isOther ? others : { ...others, [language]: name },
        kind: (kind ?? null) as Chapter["kind"],
      };
    });
  if (read.some((chapter) => chapter === null)) return null;
  return read.filter((chapter) => chapter !== null).sort((a, b) => a.startSeconds - b.startSeconds);
}

/** To the millisecond, without what says nothing. */
function placeOf(seconds: number): string {
  const ms = Math.round(seconds * 1000);
  const [hours, minutes] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60];
  const rest = ((ms % 60_000) / 1000).toFixed(3).replace(/\.?0+$/, "");
  const [whole = "0", part] = (rest === "" ? "0" : rest).split(".");
  const place = `${String(minutes).padStart(hours > 0 ? 2 : 1, "0")}:${whole.padStart(2, "0")}`;
  return `${hours > 0 ? `${hours}:` : ""}${place}${part === undefined ? "" : `.${part}`}`;
}
