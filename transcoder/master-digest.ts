import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { type ByteRange, inPieces } from "../core/byte-ranges.ts";
import { sourceFailure } from "../core/errors.ts";
import type { PinnedSource } from "../core/source.ts";
import { readSpan } from "./file-spans.ts";
import { isForRoom, type KeptMaster } from "./kept-masters.ts";

const HASHED_AT_ONCE_BYTES = 8 * 2 ** 20;

/** Hex SHA-256 of the whole master, read once in order; what fits stays on disk. */
export async function digestInOrder(master: KeptMaster, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  const whole = { start: 0, end: master.file.sizeBytes };
  for (const piece of inPieces([whole], HASHED_AT_ONCE_BYTES)) {
    // Kept where there is room: whoever encodes here reads it next.
    const isHere = await isKept(master, piece, signal);
    const bytes = isHere ? [await readSpan(master.file.path, piece)] : await master.fetch(piece, signal);
    for (const one of bytes) hash.update(one);
  }
  return hash.digest("hex");
}

async function isKept(master: KeptMaster, piece: ByteRange, signal: AbortSignal): Promise<boolean> {
  try {
    await master.fill([piece], signal);
    return true;
  } catch (thrown) {
    if (isForRoom(thrown)) return false;
    throw thrown;
  }
}

/** Compares a master that is here as a whole with the digest that its owner stated, once. */
export async function checkWhole({ sha256 }: PinnedSource, master: KeptMaster): Promise<void> {
  if (sha256 === null || master.isDigestChecked) return;
  const hash = createHash("sha256");
  await pipeline(createReadStream(master.file.path), hash);
  requireDigest({ sha256 }, hash.digest("hex"));
  master.isDigestChecked = true;
}

/** Throws `checksum_mismatch` where a master's digest is not the one that its owner stated. */
export function requireDigest({ sha256 }: Pick<PinnedSource, "sha256">, found: string): void {
  if (sha256 === null || sha256 === found) return;
  throw sourceFailure("checksum_mismatch", "The file does not have the SHA-256 that its uploader stated.");
}
