import { createHash } from "node:crypto";
import { Failure } from "../core/errors.ts";
import type { ByteRange } from "../core/http-conditions.ts";
import type { BlobFacts } from "../stores/blobs.ts";

/**
 * Bytes `start`..`end` of the object whose whole body comes as `pieces`, at the reader's pace and without a copy. The last of
 * them is held back until the whole has been compared with what the store knows of it (RELIABILITY F16), so that nobody
 * takes a short or a wrong one for sound. Throws the transient failure `object_damaged` in its place.
 */
export async function* comparedBody(
  pieces: AsyncIterable<Buffer>,
  facts: BlobFacts,
  expected: Promise<BlobFacts | null>,
  { start, end }: ByteRange,
): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  let at = 0;
  let last: Buffer | null = null;
  for await (const piece of pieces) {
    hash.update(piece);
    const wanted = piece.subarray(Math.max(0, start - at), Math.max(0, end - at));
    if (wanted.byteLength > 0) yield wanted;
    // Copied: the piece itself would stay in memory for it.
    if (end >= at && end < at + piece.byteLength) last = Buffer.from(piece.subarray(end - at, end - at + 1));
    at += piece.byteLength;
  }
  if (at !== facts.sizeBytes) throw damaged();
  refuseDamaged(hash.digest(), facts, await expected);
  if (last !== null) yield last;
}

/** Throws where the bytes are not those of the store's digest; where it tells none of this version, the length must do. */
export function refuseDamaged(digest: Buffer, facts: BlobFacts, expected: BlobFacts | null): void {
  const isSame = expected?.etag === facts.etag && expected.sha256 !== undefined;
  if (isSame && digest.toString("base64") !== expected.sha256) throw damaged();
}

export function isDamaged(thrown: unknown): thrown is Failure {
  return thrown instanceof Failure && thrown.code === "object_damaged";
}

function damaged(): Failure {
  return new Failure("transient", "object_damaged", "The object arrived damaged.", { retryAfterSeconds: 1 });
}
