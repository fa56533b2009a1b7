/**
 * Common Media Client Data (CTA-5004): what a player says of itself with each request, in the query or in headers. Only
 * what is counted here is read; anything else is passed over, and nothing is read behind what is malformed.
 */
export interface ClientData {
  /** The player's own name for its session. */
  sessionId: string | null;
  encodedKbps: number | null;
  bufferMs: number | null;
  throughputKbps: number | null;
  /** The buffer ran dry since the request before. */
  hasStarved: boolean;
}

/** Nobody has so much to say; `nor` and `cid` may be long. */
const MAX_LENGTH = 2_000;
/** More than any picture has, any line brings or any film lasts: one such word would drown what all others say. */
const MOST_ENCODED_KBPS = 1_000_000;
const MOST_THROUGHPUT_KBPS = 10_000_000;
const MOST_BUFFER_MS = 6 * 3_600_000;
/** CTA-5004 §3: `key=value` by commas, strings in quotes with `\"` and `\\` escaped, a true boolean by its key alone. */
const PAIR = /([A-Za-z][A-Za-z0-9.-]*)(?:=("(?:[^"\\]|\\["\\])*"|[^,"]*))?(?:,|$)/gy;
/** The four headers, by how often their keys change (CTA-5004 §2.1). */
const HEADERS = ["cmcd-object", "cmcd-request", "cmcd-session", "cmcd-status"] as const;

/** What a request says by its target (`…?CMCD=`) or its headers (names in lower case); null where it says nothing. */
export function readClientData(
  target: string,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): ClientData | null {
  const said = inQuery(target) ?? HEADERS.flatMap((name) => headers[name] ?? []).join(",");
  if (said === "" || said.length > MAX_LENGTH) return null;
  const pairs = new Map<string, string>();
  for (const [, key = "", value] of said.matchAll(PAIR)) pairs.set(key, value ?? "true");
  if (pairs.size === 0) return null;
  return {
    sessionId: textOf(pairs.get("sid")),
    encodedKbps: believable(pairs.get("br"), MOST_ENCODED_KBPS),
    bufferMs: believable(pairs.get("bl"), MOST_BUFFER_MS),
    throughputKbps: believable(pairs.get("mtp"), MOST_THROUGHPUT_KBPS),
    hasStarved: pairs.get("bs") === "true",
  };
}

function inQuery(target: string): string | null {
  const query = target.indexOf("?");
  if (query === -1) return null;
  const [, encoded] = /[?&]CMCD=([^&]*)/.exec(target.slice(query)) ?? [];
  if (encoded === undefined) return null;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return null;
  }
}

function believable(text: string | undefined, most: number): number | null {
  const value = text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : null;
  return value !== null && value <= most ? value : null;
}

/** A session's name goes into logs: plain characters only, as a UUID has them. */
function textOf(text: string | undefined): string | null {
  const [, inner] = /^"([A-Za-z0-9._-]{1,64})"$/.exec(text ?? "") ?? [];
  return inner ?? null;
}
