import { type FileHandle, open } from "node:fs/promises";
import { type ByteRange, coveredBytes } from "../core/byte-ranges.ts";
import { asDiskFailure } from "./disk-failure.ts";

/** Bytes of local files by their places: written as they arrive, read span by span. */

/** Writes bytes, those of `spans` one after the other, in their places of a local file. */
export async function writeSpans(
  path: string,
  spans: readonly ByteRange[],
  bytes: Uint8Array,
): Promise<void> {
  const file = await open(path, "r+");
  try {
    let at = 0;
    for (const { start, end } of spans) {
      await writeAt(file, [bytes.subarray(at, at + end - start)], start);
      at += end - start;
    }
  } finally {
    await file.close();
  }
}

/** Hands the pieces to the system as they are, since joining them first would copy the whole master once more. */
export async function writeAt(
  file: FileHandle,
  pieces: readonly Uint8Array[],
  position: number,
): Promise<void> {
  try {
    let at = position;
    for (let left = pieces; left.length > 0; ) {
      const { bytesWritten } = await file.writev(left, at);
      at += bytesWritten;
      left = behind(left, bytesWritten);
    }
  } catch (thrown) {
    throw asDiskFailure(thrown);
  }
}

/**
 * Frees the memory of pieces at once. What is left to the garbage collector counts as if it were still in use, and every 64 MiB
 * of it makes V8 look through its whole heap: two dozen times for a master of 600 MB.
 */
export function giveBack(pieces: readonly Uint8Array[]): void {
  for (const { buffer, byteLength } of pieces) {
    // A part of something larger is not ours to free.
    if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
  }
}

/** What is left of pieces once so many bytes of them are gone: a write may take fewer than it was given. */
export function behind(pieces: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let gone = bytes;
  return pieces.flatMap((piece) => {
    const rest = piece.subarray(Math.min(gone, piece.length));
    gone -= piece.length - rest.length;
    return rest.length === 0 ? [] : [rest];
  });
}

/** The bytes of several spans of a local file, one after the other. */
export async function readSpans(path: string, spans: readonly ByteRange[]): Promise<Uint8Array> {
  const bytes = new Uint8Array(coveredBytes(spans));
  const file = await open(path, "r");
  try {
    let at = 0;
    for (const { start, end } of spans) {
      await file.read(bytes, at, end - start, start);
      at += end - start;
    }
  } finally {
    await file.close();
  }
  return bytes;
}

/** The bytes of one span of a local file. */
export function readSpan(path: string, span: ByteRange): Promise<Uint8Array> {
  return readSpans(path, [span]);
}
