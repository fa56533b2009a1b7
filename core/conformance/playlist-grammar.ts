/**
 * A strict reader of HLS playlists (RFC 8216bis 4): unlike a player's parser it forgives nothing, every breach of the
 * grammar is a fault with its line.
 */

export type Attributes = ReadonlyMap<string, string>;

/** One tag line: `#EXT-X-MEDIA:…` is name `EXT-X-MEDIA`, value the text after the colon. */
export interface Tag {
  line: number;
  name: string;
  value: string;
}

interface Line {
  tag: Tag | null;
  uri: string | null;
  line: number;
}

/** 8216bis 4.1: UTF-8 lines; blank ones and comments say nothing; the first is `#EXTM3U`. */
export function linesOf(text: string, faults: string[]): Line[] {
  const rows = text.split(/\r?\n/);
  if (rows[0] !== "#EXTM3U") faults.push("line 1: not #EXTM3U");
  const seen = new Set<string>();
  return rows.slice(1).flatMap((row, index): Line[] => {
    const line = index + 2;
    if (row === "") return [];
    if (row !== row.trim()) faults.push(`line ${line}: white space around the line`);
    if (!row.startsWith("#")) return [{ tag: null, uri: row, line }];
    if (!row.startsWith("#EXT")) return [];
    const colon = row.indexOf(":");
    const name = row.slice(1, colon === -1 ? undefined : colon);
    if (ONCE.has(name) && seen.has(name)) faults.push(`line ${line}: ${name} twice`);
    seen.add(name);
    return [{ tag: { line, name, value: colon === -1 ? "" : row.slice(colon + 1) }, uri: null, line }];
  });
}

/** Tags that MUST NOT stand twice (8216bis 4.4.1.1, 4.4.3). */
const ONCE = new Set([
  "EXTM3U",
  "EXT-X-VERSION",
  "EXT-X-TARGETDURATION",
  "EXT-X-MEDIA-SEQUENCE",
  "EXT-X-PLAYLIST-TYPE",
  "EXT-X-ENDLIST",
  "EXT-X-I-FRAMES-ONLY",
]);

const ATTRIBUTE = /([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(,|$)/y;

/** 8216bis 4.2: `NAME=value` pairs between commas, no white space outside quotes, no name twice. */
export function parseAttributes(tag: Tag, faults: string[]): Attributes {
  const found = new Map<string, string>();
  let at = 0;
  while (at < tag.value.length) {
    ATTRIBUTE.lastIndex = at;
    const match = ATTRIBUTE.exec(tag.value);
    if (match === null) {
      faults.push(`line ${tag.line}: attribute list breaks at “${tag.value.slice(at, at + 20)}”`);
      break;
    }
    const [whole, name = "", value = ""] = match;
    if (found.has(name)) faults.push(`line ${tag.line}: ${name} twice`);
    found.set(name, value.startsWith('"') ? value.slice(1, -1) : value);
    at += whole.length;
  }
  if (tag.value.endsWith(",") || tag.value === "") faults.push(`line ${tag.line}: attribute list is cut off`);
  return found;
}

export function wholeNumber(tag: Tag, faults: string[]): number {
  if (!/^\d{1,20}$/.test(tag.value)) faults.push(`line ${tag.line}: ${tag.name} is not a whole number`);
  return /^\d{1,20}$/.test(tag.value) ? Number(tag.value) : Number.NaN;
}
