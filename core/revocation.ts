import { IMAGES_SESSION, type SignedGrant } from "./grant.ts";

/**
 * What no longer counts although its signature is good and its time has not come. The API keeps it as one small
 * object in the media bucket, which every edge reads again and again; its key has too few segments to be a media path, so
 * that no grant reaches it. Entries leave the list once no grant that they could refuse is still good.
 */
export interface Revocations {
  /** Playback sessions that were ended. */
  sessions: ReadonlySet<string>;
  /** Assets whose title was taken down: viewers' sessions stop, editors' previews and pictures do not. */
  withdrawn: ReadonlySet<string>;
  /** Deleted assets: nothing of them is given out, whatever caches still hold. */
  assets: ReadonlySet<string>;
  /** Key ids that may be in other hands. */
  keys: ReadonlySet<string>;
}

export type RevocationKind = keyof Revocations;
export const REVOCATION_KINDS: readonly RevocationKind[] = ["sessions", "withdrawn", "assets", "keys"];

export const REVOCATIONS_KEY = "revocations.json";
export const NO_REVOCATIONS: Revocations = {
  sessions: new Set(),
  withdrawn: new Set(),
  assets: new Set(),
  keys: new Set(),
};
/** Sessions in which an editor looks at what viewers may not see. */
export const PREVIEW_SESSION = "pv_";
const VERSION = 1;
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** Whether a grant whose signature is good was called back. */
export function isRevoked(list: Revocations, { kid, claims }: SignedGrant): boolean {
  const { session, prefix } = claims;
  const asset = prefix.slice(1, prefix.indexOf("/", 1));
  if (list.keys.has(kid) || list.sessions.has(session) || list.assets.has(asset)) return true;
  return list.withdrawn.has(asset) && session !== IMAGES_SESSION && !session.startsWith(PREVIEW_SESSION);
}

/** The object's text: the same list gives the same text, so that an unchanged one need not be written. */
export function revocationsText(list: Revocations): string {
  const kinds = REVOCATION_KINDS.map((kind) => [kind, [...list[kind]].sort()]);
  return `${JSON.stringify({ version: VERSION, ...Object.fromEntries(kinds) })}\n`;
}

/** Reads the object's text. Throws on anything else: half a list must not replace a whole one. */
export function parseRevocations(text: string): Revocations {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== "object" || parsed === null) throw new Error("the list of revocations is no object");
  const { version, ...kinds } = parsed as Record<string, unknown>;
  if (version !== VERSION) throw new Error("the list of revocations has another version");
  const named = (kind: RevocationKind): ReadonlySet<string> => {
    const names = kinds[kind];
    if (!Array.isArray(names) || !names.every((name) => typeof name === "string" && NAME.test(name)))
      throw new Error(`the list of revocations has no good ${kind}`);
    return new Set(names as string[]);
  };
  return {
    sessions: named("sessions"),
    withdrawn: named("withdrawn"),
    assets: named("assets"),
    keys: named("keys"),
  };
}
