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

export interface SegmentEntry {
  uri: string;
  /** As written, for its precision; `NaN` seconds where it is no decimal. */
  extinfSeconds: number;
  byteRange: { length: number; offset: number } | null;
  map: { uri: string; byteRange: { length: number; offset: number } | null } | null;
  discontinuity: boolean;
  key: Attributes | null;
}

export interface MediaPlaylist {
  version: number;
  targetDurationSeconds: number;
  playlistType: string | null;
  iFramesOnly: boolean;
  independentSegments: boolean;
  endList: boolean;
  segments: SegmentEntry[];
  faults: string[];
}

export interface StreamEntry {
  uri: string;
  attributes: Attributes;
}

export interface MultivariantPlaylist {
  version: number;
  independentSegments: boolean;
  variants: StreamEntry[];
  iFrames: StreamEntry[];
  media: Attributes[];
  steering: Attributes | null;
  sessionKeys: Attributes[];
  faults: string[];
}

interface Line {
  tag: Tag | null;
  uri: string | null;
  line: number;
}

/** A multivariant playlist; what breaks the grammar stands in `faults`. Never throws. */
export function parseMultivariant(text: string): MultivariantPlaylist {
  const faults: string[] = [];
  const main: MultivariantPlaylist = {
    version: 1,
    independentSegments: false,
    variants: [],
    iFrames: [],
    media: [],
    steering: null,
    sessionKeys: [],
    faults,
  };
  let waiting: Attributes | null = null;
  for (const { tag, uri, line } of linesOf(text, faults)) {
    if (waiting !== null && uri === null) faults.push(`line ${line}: EXT-X-STREAM-INF without its URI`);
    if (uri !== null) {
      if (waiting === null) faults.push(`line ${line}: a URI without EXT-X-STREAM-INF`);
      else main.variants.push({ uri, attributes: waiting });
    }
    waiting = null;
    if (tag === null) continue;
    const attributes = (): Attributes => parseAttributes(tag, faults);
    if (tag.name === "EXT-X-VERSION") main.version = wholeNumber(tag, faults);
    else if (tag.name === "EXT-X-INDEPENDENT-SEGMENTS") main.independentSegments = true;
    else if (tag.name === "EXT-X-STREAM-INF") waiting = attributes();
    else if (tag.name === "EXT-X-I-FRAME-STREAM-INF") {
      const found = attributes();
      if (!found.has("URI")) faults.push(`line ${line}: EXT-X-I-FRAME-STREAM-INF without URI`);
      main.iFrames.push({ uri: found.get("URI") ?? "", attributes: found });
    } else if (tag.name === "EXT-X-MEDIA") main.media.push(attributes());
    else if (tag.name === "EXT-X-CONTENT-STEERING") main.steering = attributes();
    else if (tag.name === "EXT-X-SESSION-KEY") main.sessionKeys.push(attributes());
    else if (MEDIA_ONLY.has(tag.name)) faults.push(`line ${line}: ${tag.name} belongs into a media playlist`);
  }
  if (waiting !== null) faults.push("EXT-X-STREAM-INF without its URI at the end");
  return main;
}

const MEDIA_ONLY = new Set([
  "EXTINF",
  "EXT-X-TARGETDURATION",
  "EXT-X-ENDLIST",
  "EXT-X-MEDIA-SEQUENCE",
  "EXT-X-MAP",
]);

/** A media playlist; what breaks the grammar stands in `faults`. Never throws. */
export function parseMedia(text: string): MediaPlaylist {
  const faults: string[] = [];
  const playlist: MediaPlaylist = {
    version: 1,
    targetDurationSeconds: Number.NaN,
    playlistType: null,
    iFramesOnly: false,
    independentSegments: false,
    endList: false,
    segments: [],
    faults,
  };
  let next: Partial<SegmentEntry> = {};
  let map: SegmentEntry["map"] = null;
  let key: Attributes | null = null;
  let rangeEnd = 0;
  for (const { tag, uri, line } of linesOf(text, faults)) {
    if (uri !== null) {
      if (next.extinfSeconds === undefined) faults.push(`line ${line}: a URI without EXTINF`);
      playlist.segments.push({
        uri,
        extinfSeconds: next.extinfSeconds ?? Number.NaN,
        byteRange: next.byteRange ?? null,
        map,
        key,
        discontinuity: next.discontinuity ?? false,
      });
      next = {};
    }
    if (tag === null) continue;
    if (tag.name === "EXT-X-VERSION") playlist.version = wholeNumber(tag, faults);
    else if (tag.name === "EXT-X-TARGETDURATION") playlist.targetDurationSeconds = wholeNumber(tag, faults);
    else if (tag.name === "EXT-X-PLAYLIST-TYPE") playlist.playlistType = tag.value;
    else if (tag.name === "EXT-X-I-FRAMES-ONLY") playlist.iFramesOnly = true;
    else if (tag.name === "EXT-X-INDEPENDENT-SEGMENTS") playlist.independentSegments = true;
    else if (tag.name === "EXT-X-ENDLIST") playlist.endList = true;
    else if (tag.name === "EXT-X-DISCONTINUITY") next.discontinuity = true;
    else if (tag.name === "EXTINF") next.extinfSeconds = extinf(tag, faults);
    else if (tag.name === "EXT-X-BYTERANGE") {
      next.byteRange = parseRange(tag.value, rangeEnd, tag.line, faults);
      rangeEnd = next.byteRange.offset + next.byteRange.length;
    } else if (tag.name === "EXT-X-MAP") {
      const attributes = parseAttributes(tag, faults);
      const range = attributes.get("BYTERANGE");
      if (!attributes.has("URI")) faults.push(`line ${line}: EXT-X-MAP without URI`);
      map = {
        uri: attributes.get("URI") ?? "",
        byteRange: range === undefined ? null : parseRange(range, 0, tag.line, faults),
      };
    } else if (tag.name === "EXT-X-KEY") {
      const attributes = parseAttributes(tag, faults);
      key = attributes.get("METHOD") === "NONE" ? null : attributes;
    }
  }
  if (Number.isNaN(playlist.targetDurationSeconds)) faults.push("no EXT-X-TARGETDURATION");
  if (next.extinfSeconds !== undefined) faults.push("EXTINF without its URI at the end");
  return playlist;
}

/** 8216bis 4.1: UTF-8 lines; blank ones and comments say nothing; the first is `#EXTM3U`. */
function linesOf(text: string, faults: string[]): Line[] {
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
function parseAttributes(tag: Tag, faults: string[]): Attributes {
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

function wholeNumber(tag: Tag, faults: string[]): number {
  if (!/^\d{1,20}$/.test(tag.value)) faults.push(`line ${tag.line}: ${tag.name} is not a whole number`);
  return /^\d{1,20}$/.test(tag.value) ? Number(tag.value) : Number.NaN;
}

function extinf(tag: Tag, faults: string[]): number {
  const match = /^(\d+(?:\.\d+)?),/.exec(tag.value);
  if (match === null) faults.push(`line ${tag.line}: EXTINF has no decimal duration and comma`);
  return match === null ? Number.NaN : Number(match[1]);
}

function parseRange(
  value: string,
  previousEnd: number,
  line: number,
  faults: string[],
): { length: number; offset: number } {
  const match = /^(\d+)(?:@(\d+))?$/.exec(value);
  if (match === null) faults.push(`line ${line}: a byte range is not length@offset`);
  return { length: Number(match?.[1] ?? 0), offset: Number(match?.[2] ?? previousEnd) };
}
