/** How a file is cut and sent: pure decisions, used by the command line and by the page alike. */

export interface PartLayout {
  sizeBytes: number;
  partSizeBytes: number;
  partCount: number;
}

/** The contract ("Uploads"): at most 100 parts are presigned in one call. */
export const MAX_SIGNED_A_CALL = 100;
export const MAX_ATTEMPTS_A_PART = 8;

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 20_000;

/** Bytes `[start, end)` of part `partNumber` (from 1). Throws RangeError outside the layout. */
export function partRange(layout: PartLayout, partNumber: number): { start: number; end: number } {
  if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > layout.partCount) {
    throw new RangeError(`part ${partNumber} of ${layout.partCount}`);
  }
  const start = (partNumber - 1) * layout.partSizeBytes;
  return { start, end: Math.min(start + layout.partSizeBytes, layout.sizeBytes) };
}

/** Whether a file of `sizeBytes` can be the one that was cut this way. */
export function fitsLayout(layout: PartLayout): boolean {
  return Math.max(1, Math.ceil(layout.sizeBytes / layout.partSizeBytes)) === layout.partCount;
}

/** Numbers of the parts that storage does not hold at their full length, in order. */
export function missingParts(
  layout: PartLayout,
  held: readonly { partNumber: number; sizeBytes: number }[],
): number[] {
  const sizes = new Map(held.map(({ partNumber, sizeBytes }) => [partNumber, sizeBytes]));
  const missing: number[] = [];
  for (let partNumber = 1; partNumber <= layout.partCount; partNumber++) {
    const { start, end } = partRange(layout, partNumber);
    if (sizes.get(partNumber) !== end - start) missing.push(partNumber);
  }
  return missing;
}

/** Cuts a list into runs of at most `size`. */
export function inRuns<T>(entries: readonly T[], size: number): T[][] {
  const runs: T[][] = [];
  for (let index = 0; index < entries.length; index += size) runs.push(entries.slice(index, index + size));
  return runs;
}

/**
 * Wait before attempt `attempt` (1 = the first retry), in ms: full jitter, so that clients that failed together
 * do not come back together. `random` is in [0, 1).
 */
export function retryDelayMs(attempt: number, random: number): number {
  return Math.floor(random * Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt));
}

/**
 * What a storage answer means for a part: `stored`; `sign` again (URL run out); try it `again` (400 is a body
 * that changed on its way: storage compares it with the signed checksum); or `refused` for good.
 */
export function partVerdict(status: number): "stored" | "sign" | "again" | "refused" {
  if (status >= 200 && status < 300) return "stored";
  if (status === 401 || status === 403) return "sign";
  if (status === 400 || status === 408 || status === 429 || status >= 500) return "again";
  return "refused";
}

/** Base64 of a digest, as presigning wants it. */
export function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
