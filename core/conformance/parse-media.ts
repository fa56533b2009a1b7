import { type Attributes, linesOf, parseAttributes, type Tag, wholeNumber } from "./playlist-grammar.ts";

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
