import { type Attributes, linesOf, parseAttributes, wholeNumber } from "./playlist-grammar.ts";

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
