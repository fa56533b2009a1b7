import type { Cue } from "./subtitle-cues.ts";
import { readTime, safeMarkup } from "./subtitle-markup.ts";

/** What is looked at of a text, however long it is. */
const MOST_CHARACTERS = 4 * 2 ** 20;
const MOST_CUES = 20_000;
/** More is no line that anyone could read, but a cue that floods the screen. */
const MOST_CUE_CHARACTERS = 4_000;

const TIMING = /^([\d:.]{9,13})[ \t]*-->[ \t]*([\d:.]{9,13})(?:[ \t]+(.*))?$/;

/**
 * The cues of a WebVTT text, moved by `shiftMs`, in the order of the text. Never throws: notes, styles, regions and
 * what is malformed are passed over, markup and settings come out safe. Times may lie outside the film.
 */
export function parseWebVtt(text: string, shiftMs = 0): Cue[] {
  const lines = text
    .slice(0, MOST_CHARACTERS)
    .replace(/^\ufeff/, "")
    .split(/\r\n|\n|\r/);
  const cues: Cue[] = [];
  for (let at = 0; at < lines.length && cues.length < MOST_CUES; at++) {
    const timing = readTiming(lines[at]!);
    if (timing === null) continue;
    const payload: string[] = [];
    // WebVTT 6.1: a line with an arrow begins another cue even where the blank line before it was forgotten.
    while (at + 1 < lines.length && lines[at + 1] !== "" && !lines[at + 1]!.includes("-->"))
      payload.push(lines[++at]!);
    const cue = makeCue(timing, payload.join("\n"), shiftMs);
    if (cue !== null) cues.push(cue);
  }
  return cues;
}

interface Timing {
  startMs: number;
  endMs: number;
  settings: string;
}

function readTiming(line: string): Timing | null {
  const [, start = "", end = "", settings = ""] = TIMING.exec(line.trim()) ?? [];
  const startMs = readTime(start);
  const endMs = readTime(end);
  return startMs === null || endMs === null ? null : { startMs, endMs, settings: safeSettings(settings) };
}

function makeCue({ startMs, endMs, settings }: Timing, payload: string, shiftMs: number): Cue | null {
  const text = safeMarkup(payload.slice(0, MOST_CUE_CHARACTERS), { startMs, endMs, shiftMs });
  if (text === "" || endMs <= startMs) return null;
  return { startMs: startMs + shiftMs, endMs: endMs + shiftMs, settings, text };
}

const PERCENT = String.raw`(?:100(?:\.0+)?|\d{1,2}(?:\.\d{1,3})?)%`;
/** WebVTT 4.4, without regions: they would need a definition that is not kept. */
const SETTINGS: Record<string, RegExp> = {
  vertical: /^(rl|lr)$/,
  line: new RegExp(`^(-?\\d{1,3}|${PERCENT})(,(start|center|end))?$`),
  position: new RegExp(`^${PERCENT}(,(line-left|center|line-right))?$`),
  size: new RegExp(`^${PERCENT}$`),
  align: /^(start|center|end|left|right)$/,
};

/** The settings that are known, each once and in its grammar. */
function safeSettings(source: string): string {
  const known = new Map<string, string>();
  for (const word of source.split(/[ \t]+/)) {
    const colon = word.indexOf(":");
    const name = word.slice(0, Math.max(0, colon));
    const value = word.slice(colon + 1);
    if (Object.hasOwn(SETTINGS, name) && SETTINGS[name]?.test(value)) known.set(name, value);
  }
  return [...known].map(([name, value]) => `${name}:${value}`).join(" ");
}
