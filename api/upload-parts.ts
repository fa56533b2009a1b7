/** S3 User Guide, "Amazon S3 multipart upload limits": at most 10,000 parts, an object of at most 5 TiB. */
export const MAX_PARTS = 10_000;
export const MAX_SOURCE_BYTES = 5 * 1024 ** 4;

/** Above S3's 5 MiB minimum; small enough for a browser to hash in memory and to send again on a bad line. */
const SMALLEST_PART_BYTES = 8 * 1024 ** 2;
const PART_STEP_BYTES = 1024 ** 2;

export interface PartLayout {
  partSizeBytes: number;
  partCount: number;
}

/** How a file is cut: equal parts (the last may be shorter), whole MiB, never more than 10,000. */
export function layOutParts(sizeBytes: number): PartLayout {
  const needed = Math.ceil(sizeBytes / MAX_PARTS / PART_STEP_BYTES) * PART_STEP_BYTES;
  const partSizeBytes = Math.max(SMALLEST_PART_BYTES, needed);
  return { partSizeBytes, partCount: Math.ceil(sizeBytes / partSizeBytes) };
}

/** The exact length of part `partNumber` (from 1). */
export function partLength(file: PartLayout & { sizeBytes: number }, partNumber: number): number {
  return Math.min(file.partSizeBytes, file.sizeBytes - (partNumber - 1) * file.partSizeBytes);
}

export interface PartFault {
  partNumber: number;
  fault: "missing" | "wrong_size" | "unknown";
}

/** What is wrong with the parts that storage holds; empty where they are exactly the declared file. */
export function partFaults(
  file: PartLayout & { sizeBytes: number },
  stored: readonly { partNumber: number; sizeBytes: number }[],
): PartFault[] {
  const sizes = new Map(stored.map(({ partNumber, sizeBytes }) => [partNumber, sizeBytes]));
  const faults: PartFault[] = [];
  for (let partNumber = 1; partNumber <= file.partCount; partNumber++) {
    const sizeBytes = sizes.get(partNumber);
    if (sizeBytes === undefined) faults.push({ partNumber, fault: "missing" });
    else if (sizeBytes !== partLength(file, partNumber)) faults.push({ partNumber, fault: "wrong_size" });
  }
  for (const partNumber of sizes.keys()) {
    if (partNumber < 1 || partNumber > file.partCount) faults.push({ partNumber, fault: "unknown" });
  }
  return faults;
}
