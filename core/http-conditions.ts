/** Conditions and ranges of RFC 9110, decided from header texts alone. */

export interface ConditionHeaders {
  ifMatch?: string;
  ifNoneMatch?: string;
  ifModifiedSince?: string;
  ifUnmodifiedSince?: string;
  ifRange?: string;
  range?: string;
}

/** What the stored representation is known by. `etag` is quoted and strong. */
export interface Validators {
  etag: string;
  lastModified: Date | null;
}

/** Whether to go on (200), answer that nothing changed (304), or refuse (412), in the order of RFC 9110 §13.2.2. */
export function evaluateConditions(headers: ConditionHeaders, now: Validators): 200 | 304 | 412 {
  if (headers.ifMatch !== undefined) {
    // §13.1.1: If-Match uses the strong comparison.
    if (!listed(headers.ifMatch, now.etag, (tag) => tag)) return 412;
  } else if (
    headers.ifUnmodifiedSince !== undefined &&
    changedSince(headers.ifUnmodifiedSince, now) === true
  ) {
    return 412;
  }
  if (headers.ifNoneMatch !== undefined) {
    // §13.1.2: If-None-Match uses the weak comparison.
    return listed(headers.ifNoneMatch, now.etag, (tag) => tag.replace(/^W\//, "")) ? 304 : 200;
  }
  if (headers.ifModifiedSince !== undefined && changedSince(headers.ifModifiedSince, now) === false)
    return 304;
  return 200;
}

function listed(header: string, etag: string, normal: (tag: string) => string): boolean {
  if (header.trim() === "*") return true;
  const tags = header.match(/(?:W\/)?"[^"]*"/g) ?? [];
  return tags.some((tag) => normal(tag) === etag);
}

/** null where the date cannot be compared: such a condition is ignored (§13.1.3, §13.1.4). */
function changedSince(header: string, now: Validators): boolean | null {
  const since = Date.parse(header);
  if (Number.isNaN(since) || now.lastModified === null) return null;
  return Math.floor(now.lastModified.getTime() / 1_000) * 1_000 > since;
}

/** Whether a Range may be obeyed: If-Range names this very representation (§13.1.5), or is not there. */
export function rangeIsWanted(headers: ConditionHeaders, now: Validators): boolean {
  if (headers.range === undefined) return false;
  if (headers.ifRange === undefined) return true;
  const condition = headers.ifRange.trim();
  if (condition.startsWith('"') || condition.startsWith("W/")) return condition === now.etag;
  return now.lastModified !== null && condition === now.lastModified.toUTCString();
}

/** First and last byte, inclusive. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * A Range header for a body of `sizeBytes`. Anything but one valid byte range is "whole": RFC 9110 §14.2 lets a
 * server ignore it, and several ranges in one answer help no player. A range behind the end is "unsatisfiable".
 */
export function parseRange(header: string, sizeBytes: number): ByteRange | "whole" | "unsatisfiable" {
  const [, first, last] = /^bytes=([0-9]*)-([0-9]*)$/i.exec(header) ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return "whole";
  if (first === "") {
    const suffix = Number(last);
    if (suffix === 0 || sizeBytes === 0) return "unsatisfiable";
    return { start: Math.max(0, sizeBytes - suffix), end: sizeBytes - 1 };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return "whole";
  if (start >= sizeBytes) return "unsatisfiable";
  return { start, end: last === "" ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1) };
}

/** Whether gzip may be sent (RFC 9110 §12.5.3). No header: only plain bytes, as any client can read those. */
export function acceptsGzip(header: string | undefined): boolean {
  const weights = new Map<string, number>();
  for (const entry of (header ?? "").toLowerCase().split(",")) {
    const [coding = "", ...parameters] = entry.split(";").map((part) => part.trim());
    const q = parameters.find((parameter) => parameter.startsWith("q="));
    weights.set(coding === "x-gzip" ? "gzip" : coding, q === undefined ? 1 : Number(q.slice(2)));
  }
  return (weights.get("gzip") ?? weights.get("*") ?? 0) > 0;
}
