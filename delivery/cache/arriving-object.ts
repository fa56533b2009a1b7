import { createHash } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { type FileHandle, open } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { Failure } from "../../core/errors.ts";
import type { BlobFacts, Blobs, OpenedBlob } from "../../stores/blobs.ts";
import { watchIdle } from "../../stores/blobs-download.ts";
import { HEAD_BYTES, readPiece } from "./cached-file.ts";

/** A body that breaks off is taken up again; so often without a byte of progress, and it is given up. */
const TRIES = 3;

/** An object of which more and more lies in a file of its own, and who reads it meanwhile. */
export interface ArrivingObject {
  file: FileHandle | null;
  facts: BlobFacts | null;
  written: number;
  /** Whether the whole has been compared with its digest. Until then nobody gets the last byte of what they asked for. */
  isCompared: boolean;
  failure: unknown;
  readers: number;
  /** Says "progress" whenever one of the above has changed for readers. */
  changes: EventEmitter;
}

export function nothingArrived(): ArrivingObject {
  const changes = new EventEmitter().setMaxListeners(0);
  return { file: null, facts: null, written: 0, isCompared: false, failure: null, readers: 0, changes };
}

/** A disk that takes no file must not keep a film from its viewers: they get it straight from the store. */
export async function openUnfinished(
  path: string,
  opened: OpenedBlob,
  onRefused: () => void,
): Promise<FileHandle> {
  let file: FileHandle | null = null;
  try {
    file = await open(path, "wx+", 0o600);
    await file.write(Buffer.alloc(HEAD_BYTES, " "), 0, HEAD_BYTES, 0);
    return file;
  } catch (thrown) {
    // A full disk takes the name and refuses the first byte.
    await file?.close().catch(() => {});
    opened.body.destroy();
    onRefused();
    throw thrown;
  }
}

/**
 * Writes the body to the file, taking it up again from the first missing byte where it breaks off (RELIABILITY F15).
 * The SHA-256 of what came.
 */
export async function receive(
  blobs: Blobs,
  key: string,
  first: OpenedBlob,
  object: ArrivingObject,
  signal: AbortSignal,
): Promise<Buffer> {
  const { sizeBytes, etag } = first.facts;
  const file = object.file as FileHandle;
  const hash = createHash("sha256");
  let opened: OpenedBlob | null = first;
  for (let tries = 1; object.written < sizeBytes; tries++) {
    const before = object.written;
    try {
      opened ??= await blobs.open("media", key, { range: { start: before }, ifMatch: etag, signal });
      if (opened === null) throw cutShort();
      for await (const piece of watchIdle(opened.body)) {
        hash.update(piece);
        await file.write(piece, 0, piece.byteLength, HEAD_BYTES + object.written);
        object.written += piece.byteLength;
        object.changes.emit("progress");
      }
      if (object.written < sizeBytes) throw cutShort();
    } catch (thrown) {
      if (object.written > before) tries = 0;
      if (signal.aborted || tries >= TRIES || isOfDisk(thrown)) throw thrown;
      await pause(Math.random() * 100 * 2 ** tries, undefined, { signal });
    } finally {
      opened?.body.destroy();
      opened = null;
    }
  }
  if (object.written !== sizeBytes) throw cutShort();
  return hash.digest();
}

/**
 * Bytes `start`..`end`, both included, as they arrive. Throws the object's failure where it fails: a range, too, ends only once
 * the whole is known to be what was stored (RELIABILITY F16), since nobody could tell a wrong byte in the middle of it.
 */
export async function* readArriving(
  object: ArrivingObject,
  start: number,
  end: number,
): AsyncGenerator<Buffer> {
  for (let at = start; at <= end; ) {
    if (object.failure !== null) throw object.failure;
    const here = Math.min(object.written, object.isCompared ? end + 1 : end) - at;
    if (here <= 0 || object.file === null) {
      await once(object.changes, "progress");
      continue;
    }
    const piece = await readPiece(object.file, at, here);
    at += piece.byteLength;
    yield piece;
  }
}

/** Full, read-only, worn out: what only calls on files can say. */
export function isOfDisk(thrown: unknown): boolean {
  const { code, syscall } = thrown as NodeJS.ErrnoException;
  return (
    ["ENOSPC", "EDQUOT", "EROFS", "EIO", "EACCES", "ENOENT", "EMFILE"].includes(code ?? "") &&
    syscall !== "connect"
  );
}

function cutShort(): Failure {
  return new Failure("transient", "blob_store_unavailable", "The object arrived cut short.");
}
