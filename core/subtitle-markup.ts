import { LANGUAGE_TAG } from "./language-name.ts";
/**
 * What may stand inside a cue (WebVTT 6.4), written anew from what was read: whatever is not known here comes out as
 * plain text or not at all, so that no player finds markup of a stranger in it (RELIABILITY T10).
 */

/** The times of a cue and how far its track is moved: times inside its text move with it. */
export interface CueTimes {
  startMs: number;
  endMs: number;
  shiftMs: number;
}

const TOKEN = /<([^<>]*)>|&(#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,4});|[<>&]|[^<>&]+/gi;
const TAG = /^(\/?)(b|i|u|c|v|lang|ruby|rt)((?:\.[^\s.]+)*)(?:[ \t]+(.*))?$/;
/** WebVTT 5: the only classes that mean something without a style sheet. */
const CLASS = /^(bg_)?(white|lime|cyan|red|yellow|magenta|blue|black)$/;
const TIMESTAMP = /^(?:(\d{2,4}):)?([0-5]\d):([0-5]\d)\.(\d{3})$/;
const MOST_NAME_LETTERS = 100;

const CHARACTERS: Record<string, string> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
  lrm: "\u200e",
  rlm: "\u200f",
};

interface OpenTag {
  name: string;
  isWritten: boolean;
}

/** The payload of a cue as it may go out: known tags, balanced; everything else escaped; no blank line. */
export function safeMarkup(payload: string, times: CueTimes): string {
  const open: OpenTag[] = [];
  let out = "";
  for (const [token, tag, reference] of withoutControls(payload).matchAll(TOKEN)) {
    if (tag !== undefined) out += readTag(tag, open, times);
    else out += escaped(reference === undefined ? token : characterOf(reference));
  }
  while (open.length > 0) out += closing(open.pop()!);
  // A blank line would end the cue, and what follows it could be read as another (WebVTT 4.1).
  return out
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join("\n");
}

/** C0 and C1 but for the line break; a tab is a space. */
function withoutControls(text: string): string {
  return text.replaceAll("\t", " ").replace(/[^\P{Cc}\n]/gu, "");
}

function readTag(source: string, open: OpenTag[], times: CueTimes): string {
  if (TIMESTAMP.test(source)) return timestamp(source, times);
  const [, slash, name = "", classes = "", annotation = ""] = TAG.exec(source) ?? [];
  // "5 < 6 > 4" is no markup.
  if (!/^[/!?a-z]/i.test(source)) return escaped(`<${source}>`);
  if (name === "" || (name === "rt" && open.at(-1)?.name !== "ruby" && slash === "")) return "";
  if (slash !== "") return close(name, open);
  const written = openingTag(name, classes, annotation);
  open.push({ name, isWritten: written !== "" });
  return written;
}

/** The tag as it may stand, or nothing where it would say nothing. */
function openingTag(name: string, classes: string, annotation: string): string {
  const known = classes.split(".").filter((one) => CLASS.test(one));
  const suffix = known.map((one) => `.${one}`).join("");
  if (name === "c") return suffix === "" ? "" : `<c${suffix}>`;
  if (name === "lang") return LANGUAGE_TAG.test(annotation) ? `<lang ${annotation}>` : "";
  if (name !== "v") return `<${name}>`;
  const voice = [...decoded(annotation).trim()].slice(0, MOST_NAME_LETTERS).join("").trimEnd();
  // A page that makes an attribute of it must not find another one in it.
  return voice === "" ? "" : `<v ${escaped(voice).replaceAll('"', "&quot;")}>`;
}

/** Closes the innermost tag of that name and all that is open inside it; nothing where there is none. */
function close(name: string, open: OpenTag[]): string {
  if (!open.some((one) => one.name === name)) return "";
  let out = "";
  for (let top = open.pop(); top !== undefined; top = open.pop()) {
    out += closing(top);
    if (top.name === name) break;
  }
  return out;
}

function closing({ name, isWritten }: OpenTag): string {
  return isWritten ? `</${name}>` : "";
}

/** WebVTT 6.4: times inside a cue lie between its own. */
function timestamp(source: string, { startMs, endMs, shiftMs }: CueTimes): string {
  const at = readTime(source);
  return at !== null && at > startMs && at < endMs && at + shiftMs >= 0 ? `<${timeText(at + shiftMs)}>` : "";
}

/** A WebVTT time in milliseconds; null where it is none. */
export function readTime(text: string): number | null {
  const match = TIMESTAMP.exec(text);
  if (match === null) return null;
  const [, hours = "0", minutes, seconds, millis] = match;
  return (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000 + Number(millis);
}

/** WebVTT 4.1: at least two digits of hours, which may always be written. */
export function timeText(milliseconds: number): string {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  const seconds = milliseconds / 1000;
  const millis = String(milliseconds % 1000).padStart(3, "0");
  return `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}.${millis}`;
}

function decoded(text: string): string {
  return text.replace(/&(#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,4});/gi, (_, reference: string) =>
    characterOf(reference),
  );
}

/** The character that a reference names; the reference itself where it names none that may be shown. */
function characterOf(reference: string): string {
  if (!reference.startsWith("#")) return CHARACTERS[reference] ?? `&${reference};`;
  const isHex = /^#x/i.test(reference);
  const code = Number.parseInt(reference.slice(isHex ? 2 : 1), isHex ? 16 : 10);
  const isShown = code >= 0x20 && code <= 0x10ffff && !(code >= 0x7f && code < 0xa0) && code >> 11 !== 0x1b;
  return isShown ? String.fromCodePoint(code) : "";
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
