import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import type { ObjectFacts } from "../../core/delivery-rules.ts";

/**
 * One cached object is one file: a head of fixed length that says what it is, then its bytes. So one rename makes
 * both appear, and after a restart a file speaks for itself.
 */
export const HEAD_BYTES = 2_048;
/** Large enough that a disk and a socket are kept busy, small enough for thousands of slow readers. */
const PIECE_BYTES = 256 * 1_024;

export interface CachedFacts extends ObjectFacts {
  key: string;
  /** Of the bytes as they came, hex. */
  sha256: string;
}

export function headOf(facts: CachedFacts): Buffer {
  const text = JSON.stringify({ ...facts, lastModified: facts.lastModified?.getTime() ?? null });
  const head = Buffer.alloc(HEAD_BYTES, " ");
  if (Buffer.byteLength(text) >= HEAD_BYTES) throw new Error("the facts of an object are too long");
  head.write(text);
  return head;
}

/** What a file says of itself; null where it is not one of ours, or not whole. */
export function readHead(head: Buffer, fileBytes: number): CachedFacts | null {
  try {
    const { key, sizeBytes, etag, contentEncoding, lastModified, sha256 } = JSON.parse(head.toString());
    if (typeof key !== "string" || typeof etag !== "string" || typeof sha256 !== "string") return null;
    if (fileBytes !== HEAD_BYTES + sizeBytes) return null;
    const changed = typeof lastModified === "number" ? new Date(lastModified) : null;
    return { key, sizeBytes, etag, contentEncoding, lastModified: changed, sha256 };
  } catch {
    return null;
  }
}

/** Bytes `start`..`end`, both included, piece by piece. Throws where the file has fewer. */
export async function* readPieces(file: FileHandle, start: number, end: number): AsyncGenerator<Buffer> {
  for (let at = start; at <= end; ) {
    const piece = await readPiece(file, at, Math.min(PIECE_BYTES, end - at + 1));
    at += piece.byteLength;
    yield piece;
  }
}

/** Up to `sizeBytes` bytes of the object from `start` on; never none. */
export async function readPiece(file: FileHandle, start: number, sizeBytes: number): Promise<Buffer> {
  const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, sizeBytes));
  const { bytesRead } = await file.read(piece, 0, piece.byteLength, HEAD_BYTES + start);
  if (bytesRead === 0) throw new Error("a cached file is shorter than its object");
  return bytesRead === piece.byteLength ? piece : piece.subarray(0, bytesRead);
}

/** The whole object in memory; null where its bytes are not those that came. */
export async function readWhole(file: FileHandle, facts: CachedFacts): Promise<Buffer | null> {
  const bytes = Buffer.allocUnsafeSlow(facts.sizeBytes);
  const { bytesRead } = await file.read(bytes, 0, bytes.byteLength, HEAD_BYTES);
  const isWhole = bytesRead === facts.sizeBytes;
  return isWhole && createHash("sha256").update(bytes).digest("hex") === facts.sha256 ? bytes : null;
}

/** Whether the file still holds the bytes that came. */
export async function isSound(file: FileHandle, facts: CachedFacts): Promise<boolean> {
  const hash = createHash("sha256");
  for await (const piece of readPieces(file, 0, facts.sizeBytes - 1)) hash.update(piece);
  return hash.digest("hex") === facts.sha256;
}
