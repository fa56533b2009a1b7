/** How a fetched master is cut into parts: by their number alone, since not every server says how long a file is. */

const MEBIBYTE = 2 ** 20;
/** S3 User Guide, "Amazon S3 multipart upload limits": at most 10,000 parts of at least 5 MiB, the last one aside. */
const MOST_PARTS = 10_000;
const SMALLEST_PART_BYTES = 8 * MEBIBYTE;
/** Parts are held in memory, as their digest is sent ahead of them: they grow, so that small files need little. */
const GROWS_EVERY = 1_000;
const MOST_DOUBLINGS = 3;

/** The length of part `partNumber` (from 1), unless the file ends in it. */
export function pullPartLength(partNumber: number): number {
  return SMALLEST_PART_BYTES * 2 ** Math.min(MOST_DOUBLINGS, Math.floor((partNumber - 1) / GROWS_EVERY));
}

/** What all parts hold together: 492 GiB. */
export const MAX_PULLED_BYTES = Array.from({ length: MOST_PARTS }, (_, index) =>
  pullPartLength(index + 1),
).reduce((sum, length) => sum + length, 0);

/**
 * How far a file is here: its leading parts that are whole, and their bytes. The last one is whole where the file is known
 * to end in it.
 */
export function heldParts<T extends { partNumber: number; sizeBytes: number }>(
  stored: readonly T[],
  fileBytes: number | null,
): { parts: T[]; bytes: number } {
  const byNumber = new Map(stored.map((part) => [part.partNumber, part]));
  const parts: T[] = [];
  for (let bytes = 0; ; ) {
    const part = byNumber.get(parts.length + 1);
    const left = fileBytes === null ? Number.POSITIVE_INFINITY : fileBytes - bytes;
    if (part === undefined || part.sizeBytes !== Math.min(left, pullPartLength(part.partNumber)))
      return { parts, bytes };
    parts.push(part);
    bytes += part.sizeBytes;
  }
}
