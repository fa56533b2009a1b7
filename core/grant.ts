import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { canonicalPath } from "./canonical-path.ts";
import { type Asker, areLimits, type GrantLimits, isWithin, limitsText, NOBODY } from "./grant-limits.ts";
import { type NamedKey, parseNamedKeys } from "./named-keys.ts";

/**
 * A grant lets its bearer read everything below one prefix until it expires. It is one path segment,
 * `1.<kid>.<expires>.<session>.<mac>`, where `mac` is base64url without padding of
 * HMAC-SHA256(key of kid, "matinee-grant-1\n<kid>\n<prefix>\n<expires>\n<session>"). One with limits is
 * `2.<kid>.<expires>.<session>.<limits>.<mac>` over "matinee-grant-2\n<kid>\n<prefix>\n<expires>\n<session>\n<limits>".
 * The prefix itself is not carried: the verifier takes it from the path that is asked for, so a grant for one prefix
 * is simply a wrong signature under any other; one whose session is `images` covers `<prefix>images/` alone. Text only
 * and one hash, so that nginx njs and CloudFront functions can do the same; test/grant-vectors.json binds all of them.
 */
const GRANT = /^1\.([A-Za-z0-9_-]{1,16})\.([1-9][0-9]{9})\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{43})$/;
const LIMITED =
  /^2\.([A-Za-z0-9_-]{1,16})\.([1-9][0-9]{9})\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_~-]{1,200})\.([A-Za-z0-9_-]{43})$/;
const REQUEST = /^\/v\/([^/]+)(\/.*)$/;
const MEDIA_PREFIX = /^(\/[^/]+\/[^/]+\/)[^/]/;

/** Clocks of signer and verifier may differ by this much (RELIABILITY T30). */
export const GRANT_LEEWAY_SECONDS = 60;
/** No grant is good for longer, whatever it says: a leaked one dies within the day, a long film renews. */
export const GRANT_MAX_SECONDS = 12 * 3_600;
/** A grant of this session covers the pictures of its package only: browsing must not open the film. */
export const IMAGES_SESSION = "images";

export type GrantKey = NamedKey;

export interface GrantClaims {
  /** `/<assetId>/<generation>/`. */
  prefix: string;
  /** Whole seconds since 1970. */
  expiresAtSeconds: number;
  /** The playback session it was minted for. */
  session: string;
}

export type GrantRefusal =
  | "malformed"
  | "path"
  | "unknown_key"
  | "signature"
  | "expired"
  | "too_long"
  | "limits";
/** What a good grant says, and the key that says it. */
export interface SignedGrant {
  kid: string;
  claims: GrantClaims;
}
export type GrantVerdict = ({ ok: true } & SignedGrant) | { ok: false; reason: GrantRefusal };

/**
 * `kid:hex[,kid:hex…]` as keys; the first signs, all verify, so keys can be rotated. Throws where there is none, a
 * secret has fewer than 32 bytes, or a kid or secret stands twice. The message never contains a secret.
 */
export function parseGrantKeys(text: string): GrantKey[] {
  return parseNamedKeys(text, "grant key");
}

/** The grant (one path segment) for these claims. Throws on claims that no verifier would accept. */
export function signGrant(key: GrantKey, claims: GrantClaims, limits: GrantLimits = {}): string {
  const { prefix, session } = claims;
  const expires = String(claims.expiresAtSeconds);
  const prefixIsWhole = MEDIA_PREFIX.exec(`${prefix}x`)?.[1] === prefix;
  if (!prefixIsWhole || canonicalPath(`${prefix}x`) === null) throw new Error("a grant needs a media prefix");
  const text = limitsText(limits);
  const fields = { kid: key.kid, expires, session, limits: text };
  const said =
    text === "" ? `1.${key.kid}.${expires}.${session}` : `2.${key.kid}.${expires}.${session}.${text}`;
  const grant = `${said}.${macOf(key, prefix, fields)}`;
  if (fieldsOf(grant) === null)
    throw new Error("a grant needs whole seconds and a session of plain characters");
  return grant;
}

/**
 * Whether `grant` lets `asker` read `path` (below `/v/<grant>`, as it stood in the request) at `nowSeconds`. Whether it
 * was called back is another question (`isRevoked`).
 */
export function verifyGrant(
  keys: readonly GrantKey[],
  grant: string,
  path: string,
  nowSeconds: number,
  asker: Asker = NOBODY,
): GrantVerdict {
  const canonical = canonicalPath(path) ?? "";
  const prefix = MEDIA_PREFIX.exec(canonical)?.[1];
  if (prefix === undefined) return { ok: false, reason: "path" };
  const fields = fieldsOf(grant);
  if (fields === null) return { ok: false, reason: "malformed" };
  const { kid, session, limits } = fields;
  if (session === IMAGES_SESSION && !canonical.startsWith(`${prefix}images/`))
    return { ok: false, reason: "path" };
  const key = keys.find((candidate) => candidate.kid === kid);
  if (key === undefined) return { ok: false, reason: "unknown_key" };
  if (!equalInConstantTime(fields.mac, macOf(key, prefix, fields))) return { ok: false, reason: "signature" };
  const expiresAtSeconds = Number(fields.expires);
  // Written so that a clock that is not a number refuses.
  if (!(nowSeconds <= expiresAtSeconds + GRANT_LEEWAY_SECONDS)) return { ok: false, reason: "expired" };
  if (expiresAtSeconds - nowSeconds > GRANT_MAX_SECONDS + GRANT_LEEWAY_SECONDS) {
    return { ok: false, reason: "too_long" };
  }
  if (limits !== "" && !isWithin(limits, asker)) return { ok: false, reason: "limits" };
  return { ok: true, kid, claims: { prefix, expiresAtSeconds, session } };
}

/** The grant and the media path of a raw request path `/v/<grant>/<path>`; null where it has not that form. */
export function splitGrantedPath(rawPath: string): { grant: string; path: string } | null {
  const [, grant, path] = REQUEST.exec(rawPath) ?? [];
  return grant !== undefined && path !== undefined ? { grant, path } : null;
}

interface GrantFields {
  kid: string;
  expires: string;
  session: string;
  /** "" where there are none. */
  limits: string;
}

function fieldsOf(grant: string): (GrantFields & { mac: string }) | null {
  const [, kid, expires, session, mac] = GRANT.exec(grant) ?? [];
  if (kid && expires && session && mac) return { kid, expires, session, limits: "", mac };
  const limited = LIMITED.exec(grant);
  if (limited === null) return null;
  const [, id = "", until = "", whose = "", limits = "", code = ""] = limited;
  return areLimits(limits) ? { kid: id, expires: until, session: whose, limits, mac: code } : null;
}

function macOf(key: GrantKey, prefix: string, { kid, expires, session, limits }: GrantFields): string {
  const claims = `${kid}\n${prefix}\n${expires}\n${session}`;
  const text = limits === "" ? `matinee-grant-1\n${claims}` : `matinee-grant-2\n${claims}\n${limits}`;
  return createHmac("sha256", keyObjectOf(key)).update(text).digest("base64url");
}

/** Made ready once: Node takes seven times as long for a code with a key that it has to make ready each time (14 µs, 2 µs). */
const KEY_OBJECTS = new WeakMap<GrantKey, KeyObject>();

function keyObjectOf(key: GrantKey): KeyObject {
  const known = KEY_OBJECTS.get(key);
  if (known !== undefined) return known;
  const made = createSecretKey(key.secret);
  KEY_OBJECTS.set(key, made);
  return made;
}

/** Compares all of two texts of equal length (njs and CloudFront have no timingSafeEqual). */
function equalInConstantTime(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let at = 0; at < a.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at);
  return difference === 0;
}
