/** Longer than any key we make (keys are ≤200 bytes a segment), short enough to be no burden. */
const MAX_PATH_LENGTH = 600;

/**
 * The one spelling that a media path may have: `/` and names of lower-case letters, digits, `_` and `-`, with single
 * dots inside. There is nothing to decode and nothing to normalise, so no two parts of the way (signer, verifier,
 * cache, file look-up) can read one path differently (RELIABILITY T27).
 */
const CANONICAL = /^(?:\/[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)+$/;

/**
 * The path itself where it is canonical, else null: any `%`, `\`, `;`, `//`, `.` or `..` segment, capital, control or
 * non-ASCII character, trailing slash, or more than 600 characters. Takes the raw path as it stood in the request
 * line, without query. Plain enough for nginx njs and CloudFront functions.
 */
export function canonicalPath(rawPath: string): string | null {
  if (rawPath.length > MAX_PATH_LENGTH) return null;
  return CANONICAL.test(rawPath) ? rawPath : null;
}
