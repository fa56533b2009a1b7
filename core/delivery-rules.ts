import {
  acceptsGzip,
  type ByteRange,
  type ConditionHeaders,
  evaluateConditions,
  parseRange,
  rangeIsWanted,
} from "./http-conditions.ts";

/** By extension alone (HLS authoring specification 10.4): what an object claims to be decides nothing. */
const TYPES = new Map([
  ["m3u8", "application/vnd.apple.mpegurl"],
  ["mpd", "application/dash+xml"],
  ["mp4", "video/mp4"],
  ["m4s", "video/iso.segment"],
  ["vtt", "text/vtt; charset=utf-8"],
  ["jpg", "image/jpeg"],
  ["png", "image/png"],
  ["webp", "image/webp"],
]);
/** Small texts, stored gzipped: sent whole, in the coding that the client reads. */
const TEXTS = new Set(["m3u8", "mpd", "vtt"]);

/**
 * `public`: the caches of ours and of a CDN may keep what they have verified a grant for, without its grant in their
 * key; any other cache on the way sees a URL that only this viewer has. A year and `immutable`: playlists too, since
 * every key carries the generation and another generation is another URL.
 */
const KEEP_FOR_EVER = "public, max-age=31536000, immutable";

/** The type that an object is served as. */
export function contentTypeOf(path: string): string {
  const extension = extensionOf(path);
  const isSound = /\/audio\/[^/]+\/[^/]+$/.test(path);
  if (isSound && (extension === "mp4" || extension === "m4s")) return "audio/mp4";
  return TYPES.get(extension) ?? "application/octet-stream";
}

function extensionOf(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

/** The segment that plays after this one; null where the path is no segment's. Whether it exists is another question. */
export function followingSegment(path: string): string | null {
  const [, folder, number = "", extension] = /^(.+\/)([0-9]{5})\.(m4s|vtt)$/.exec(path) ?? [];
  if (folder === undefined || number === "99999") return null;
  return `${folder}${String(Number(number) + 1).padStart(5, "0")}.${extension}`;
}

export interface ObjectRequest {
  method: "GET" | "HEAD";
  /** Canonical media path. */
  path: string;
  conditions: ConditionHeaders;
  acceptEncoding?: string;
}

export interface ObjectFacts {
  sizeBytes: number;
  etag: string;
  contentEncoding: string | null;
  lastModified: Date | null;
}

/** `stored` bytes go out as they lie there; `gunzipped` ones are unpacked, and their length is known only then. */
export type AnswerBody = { kind: "none" } | { kind: "stored"; range?: ByteRange } | { kind: "gunzipped" };

export interface ObjectAnswer {
  status: 200 | 206 | 304 | 412 | 416;
  headers: Record<string, string>;
  body: AnswerBody;
}

/** Whether the answer can differ from "200, whole", so that the facts must be known before the object is opened. */
export function needsFactsFirst(request: ObjectRequest): boolean {
  return (
    request.method === "HEAD" || Object.values(request.conditions).some((header) => header !== undefined)
  );
}

/** Status, headers and body for an object that is there, for a caller whose grant is good. */
export function answerFor(request: ObjectRequest, facts: ObjectFacts): ObjectAnswer {
  const isText = TEXTS.has(extensionOf(request.path));
  const unpack = facts.contentEncoding === "gzip" && !acceptsGzip(request.acceptEncoding);
  // Two codings are two representations, and a strong ETag names one (RFC 9110 §8.8.3.3).
  const etag = unpack ? facts.etag.replace(/"$/, '-plain"') : facts.etag;
  const validators = { etag, lastModified: facts.lastModified };
  const shared: Record<string, string> = {
    "cache-control": KEEP_FOR_EVER,
    etag,
    ...(facts.lastModified ? { "last-modified": facts.lastModified.toUTCString() } : {}),
    ...(isText || facts.contentEncoding ? { vary: "Accept-Encoding" } : {}),
  };
  const outcome = evaluateConditions(request.conditions, validators);
  if (outcome === 304) return { status: 304, headers: shared, body: { kind: "none" } };
  if (outcome === 412) return { status: 412, headers: {}, body: { kind: "none" } };
  const ranged = !isText && facts.contentEncoding === null;
  const whole = {
    ...shared,
    "content-type": contentTypeOf(request.path),
    "accept-ranges": ranged ? "bytes" : "none",
    ...(facts.contentEncoding && !unpack ? { "content-encoding": facts.contentEncoding } : {}),
    ...(unpack ? {} : { "content-length": String(facts.sizeBytes) }),
  };
  // §14.2: a Range counts for GET only.
  const wanted = ranged && request.method === "GET" && rangeIsWanted(request.conditions, validators);
  const range = wanted ? parseRange(request.conditions.range ?? "", facts.sizeBytes) : "whole";
  if (range === "whole")
    return { status: 200, headers: whole, body: { kind: unpack ? "gunzipped" : "stored" } };
  if (range === "unsatisfiable") {
    return {
      status: 416,
      headers: { "content-range": `bytes */${facts.sizeBytes}` },
      body: { kind: "none" },
    };
  }
  return {
    status: 206,
    headers: {
      ...whole,
      "content-length": String(range.end - range.start + 1),
      "content-range": `bytes ${range.start}-${range.end}/${facts.sizeBytes}`,
    },
    body: { kind: "stored", range },
  };
}
