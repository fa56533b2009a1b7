/** Players read Range answers and timings across origins, and may send CMCD (CTA-5004) in headers. */
const REQUEST_HEADERS =
  "Range, If-Range, If-Match, If-None-Match, If-Modified-Since, CMCD-Object, CMCD-Request, CMCD-Session, CMCD-Status";
const EXPOSED_HEADERS = "Content-Length, Content-Range, Accept-Ranges, ETag, Date, Retry-After, X-Request-Id";

/** The CORS headers for a request of `origin`: exact origins only (RELIABILITY T41), never with credentials. */
export function corsHeaders(allowed: readonly string[], origin: string | undefined): Record<string, string> {
  const who = allowed.includes("*") ? "*" : origin;
  if (who === undefined || !allowed.includes(who)) return {};
  return {
    "access-control-allow-origin": who,
    "access-control-expose-headers": EXPOSED_HEADERS,
    "timing-allow-origin": who,
  };
}

/** What a preflight of an allowed origin is told besides. */
export const PREFLIGHT_HEADERS: Record<string, string> = {
  "access-control-allow-methods": "GET, HEAD, OPTIONS",
  "access-control-allow-headers": REQUEST_HEADERS,
  "access-control-max-age": "86400",
};
