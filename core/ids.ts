import { createHash, randomBytes } from "node:crypto";

/** Crockford base32 in lower case: safe in URLs, keys and file names, no look-alike letters. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** Prefixes say what an id names when it stands alone in a log line. */
export type IdPrefix = "up" | "as" | "sc" | "ti" | "ps" | "pv" | "wk" | "rq" | "er" | "key";

/** A new id with 130 random bits (`as_8fz…`): not guessable, so it may stand in a URL (RELIABILITY T34). */
export function newId(prefix: IdPrefix): string {
  return spell(prefix, randomBytes(26));
}

/** The id that this seed always gives: what is done again after a crash gets the id it had before. */
export function idFromSeed(prefix: IdPrefix, seed: string): string {
  return spell(prefix, createHash("sha256").update(`${prefix}:${seed}`).digest().subarray(0, 26));
}

function spell(prefix: IdPrefix, bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += ALPHABET[byte & 31];
  return `${prefix}_${text}`;
}

/** Whether `text` has the form of an id with this prefix. */
export function isId(prefix: IdPrefix, text: string): boolean {
  return text.startsWith(`${prefix}_`) && /^[0-9a-hjkmnp-tv-z]{26}$/.test(text.slice(prefix.length + 1));
}
