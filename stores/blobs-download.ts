import { type FileHandle, open as openFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import { Failure } from "../core/errors.ts";
import type { BlobFacts, BlobRange, OpenedBlob } from "./blobs.ts";
import { IDLE_DEADLINE_MS, retried, storeFailure } from "./blobs-client.ts";

type Opener = (range: BlobRange | undefined, ifMatch: string | undefined) => Promise<OpenedBlob | null>;

/**
 * Streams what `open` gives to `filePath`. A body that breaks off is opened again from the first missing byte of the
 * same version (RELIABILITY F15); the tries start anew whenever bytes have come.
 */
export async function downloadToFile(
  open: Opener,
  filePath: string,
  options: { ifMatch?: string; signal?: AbortSignal; onBytes?: (bytes: number) => void },
): Promise<BlobFacts | null> {
  let written = 0;
  let facts: BlobFacts | null = null;
  const goOn = async (): Promise<BlobFacts | null> => {
    const opened = await open(written > 0 ? { start: written } : undefined, facts?.etag ?? options.ifMatch);
    if (opened === null) return null;
    facts = opened.facts;
    await append(opened.body, filePath, written, options.signal, (bytes) => {
      written += bytes;
      options.onBytes?.(written);
    });
    if (written === facts.sizeBytes) return facts;
    throw new Failure("transient", "blob_store_unavailable", "The object arrived cut short.");
  };
  for (;;) {
    const before = written;
    try {
      return await retried(options.signal, goOn);
    } catch (thrown) {
      const moved = written > before && thrown instanceof Failure && thrown.failureClass === "transient";
      if (!moved || options.signal?.aborted) throw thrown;
    }
  }
}

/** Writes the body into the file from `start` on; `onPiece` hears of bytes only once they are written. */
async function append(
  body: Readable,
  filePath: string,
  start: number,
  signal: AbortSignal | undefined,
  onPiece: (bytes: number) => void,
): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await openFile(filePath, start === 0 ? "w" : "r+");
    let position = start;
    for await (const piece of watchIdle(body)) {
      await file.write(piece, 0, piece.byteLength, position);
      position += piece.byteLength;
      onPiece(piece.byteLength);
    }
  } catch (thrown) {
    if (signal?.aborted) throw signal.reason;
    throw fileFailure(thrown) ?? storeFailure(thrown, "finish a download");
  } finally {
    body.destroy();
    await file?.close();
  }
}

function fileFailure(thrown: unknown): Failure | null {
  const { code, syscall } = thrown as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG") {
    return new Failure("resource", "scratch_full", "The scratch disk is full.", { cause: thrown });
  }
  if (syscall !== "open" && syscall !== "write") return null;
  return new Failure("ours", "scratch_refused", "The scratch file cannot be written.", { cause: thrown });
}

/** The pieces of `body`; 10 s without one destroys it with a transient failure. */
export async function* watchIdle(body: Readable): AsyncGenerator<Buffer> {
  const stalled = () =>
    body.destroy(
      new Failure("transient", "blob_store_unavailable", "The blob store fell silent in mid-body."),
    );
  let timer = setTimeout(stalled, IDLE_DEADLINE_MS);
  try {
    for await (const piece of body) {
      clearTimeout(timer);
      yield piece as Buffer;
      timer = setTimeout(stalled, IDLE_DEADLINE_MS);
    }
  } finally {
    clearTimeout(timer);
  }
}
