import { type ByteRange, coveredBytes, joined } from "./byte-ranges.ts";

/**
 * The last of a sound, which nobody has left yet: whoever encodes it may ask for its pieces one by one, and leave the pictures between
 * them to the workers that encode these. A request costs some 1 ms of a core, and what lies between two pieces costs its bytes.
 */

/** Pieces this near are one. */
const NEAR_BYTES = 4 * 2 ** 10;
/** What a request must spare on average. */
const LEAST_SPARED_BYTES = 8 * 2 ** 10;
/** What lies between pieces is read with them up to so much. */
const GAP_BYTES = 2 ** 20;
/** Of all of the sound's pieces: more of them would take longer than is kept in hand for a sound (core/late-sound.ts). */
const LARGEST_SHARE = 1 / 3;

/** What is asked for at once where nobody knows where the next piece lies: some sound, and the head of the picture behind it. */
export const LOOK_BYTES = 4 * 2 ** 10;

/**
 * Whether the sound of `lacking` is to be looked for from picture to picture, by a request each, in a file that does not list where its pieces lie:
 * of so little of it, and where a picture, with what sound there is for it, is as large on average as what lies between pieces that are known.
 */
export function isLookedFor(
  lacking: readonly ByteRange[],
  { sizeBytes, pictures }: { sizeBytes: number; pictures: number },
): boolean {
  const bytes = coveredBytes(lacking);
  const pictureBytes = sizeBytes / pictures;
  return bytes > 0 && bytes <= LARGEST_SHARE * sizeBytes && pictureBytes - LOOK_BYTES >= LEAST_SPARED_BYTES;
}

/** What of the sound `all` to ask for by itself, of what is `lacking` of it; null where it is better read with what lies between. */
export function piecesApart(all: readonly ByteRange[], lacking: readonly ByteRange[]): ByteRange[] | null {
  const pieces = joined(lacking, NEAR_BYTES);
  if (pieces.length === 0 || pieces.length > LARGEST_SHARE * joined(all, NEAR_BYTES).length) return null;
  const spared = coveredBytes(joined(pieces, GAP_BYTES)) - coveredBytes(pieces);
  return spared < LEAST_SPARED_BYTES * pieces.length ? null : pieces;
}
