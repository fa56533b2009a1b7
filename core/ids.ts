import { createHash, randomBytes } from "node:crypto";

/** Crockford base32 in lower case: safe in URLs, keys and file names, no look-alike letters. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** Five bits of each count: 130. */
const ID_BYTES = 26;

/** Prefixes say what an id names when it stands alone in a log line. */
export type IdPrefix =
  | "up"
  | "as"
  | "sc"
  | "ti"
  | "ps"
  | "pv"
  | "wk"
  | "rq"
  | "er"
  | "key"
  | "wh"
  | "ev"
  | "dl"
  | "ln"
  | "lb";

/** A new id with 130 random bits (`as_8fz…`): not guessable, so it may stand in a URL (RELIABILITY T34). */
export function newId(prefix: IdPrefix): string {
  return spell(prefix, takeRandom());
}

/** Asked of the system for many at once: asking costs more than the bytes. Each is handed out once. */
const IDS_AT_ONCE = 128;
let random = new Uint8Array(0);
let taken = 0;

function takeRandom(): Uint8Array {
  if (taken === random.length) {
    random = randomBytes(ID_BYTES * IDS_AT_ONCE);
    taken = 0;
  }
  taken += ID_BYTES;
  return random.subarray(taken - ID_BYTES, taken);
}

/** The id that this seed always gives: what is done again after a crash gets the id it had before. */
export function idFromSeed(prefix: IdPrefix, seed: string): string {
  return spell(prefix, createHash("sha256").update(`${prefix}:${seed}`).digest().subarray(0, ID_BYTES));
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
