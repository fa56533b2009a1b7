import type { PlaylistView } from "./package-view.ts";

/** The few facts of WebVTT that rules ask about, read without the packager's own parser. */

export interface CueView {
  startSeconds: number;
  endSeconds: number;
  lines: string[];
  /** Tells cues apart: timing and text as written. */
  key: string;
}

const TIMING = /^((?:\d{2,}:)?\d\d:\d\d\.\d{3})[ \t]+-->[ \t]+((?:\d{2,}:)?\d\d:\d\d\.\d{3})/;

/** Every cue of a WebVTT text, on its own clock. */
export function cuesOf(text: string): CueView[] {
  return text.split(/\r?\n\r?\n/).flatMap((block) => {
    const rows = block.split(/\r?\n/);
    const at = rows.findIndex((row) => TIMING.test(row));
    const [, start = "", end = ""] = TIMING.exec(rows[at] ?? "") ?? [];
    if (at === -1) return [];
    const lines = rows.slice(at + 1).filter((line) => line.trim() !== "");
    const key = rows.slice(at).join("\n").trim();
    return [{ startSeconds: secondsOf(start), endSeconds: secondsOf(end), lines, key }];
  });
}

/** Every cue of a segment, on the clock of the media (RFC 8216bis 3.5: X-TIMESTAMP-MAP). */
export function mediaCues(text: string): CueView[] {
  const map = /^X-TIMESTAMP-MAP=(.*)$/m.exec(text)?.[1] ?? "";
  const ticks = Number(/MPEGTS:(\d+)/.exec(map)?.[1] ?? 0);
  const local = secondsOf(/LOCAL:([\d:.]+)/.exec(map)?.[1] ?? "00:00.000");
  const shift = ticks / 90_000 - local;
  return cuesOf(text).map((cue) => ({
    ...cue,
    startSeconds: cue.startSeconds + shift,
    endSeconds: cue.endSeconds + shift,
  }));
}

/** Every line that a text track shows. */
export function cueLines({ segments }: PlaylistView): string[] {
  return segments.flatMap(({ object }) => cuesOf(object?.text ?? "").flatMap(({ lines }) => lines));
}

function secondsOf(time: string): number {
  return time.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}
