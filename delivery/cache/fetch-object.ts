import { createHash, type Hash } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { type FileHandle, open, rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { ObjectFacts } from "../../core/delivery-rules.ts";
import { Failure } from "../../core/errors.ts";
import type { BlobFacts, Blobs, OpenedBlob } from "../../stores/blobs.ts";
import { watchIdle } from "../../stores/blobs-download.ts";
import { HEAD_BYTES, headOf, readPiece } from "./cached-file.ts";
import type { DiskShelf } from "./disk-shelf.ts";

/** A body that breaks off is taken up again; so often without a byte of progress, and it is given up. */
const TRIES = 3;
/** With so much of it here an object is fetched to its end, though nobody waits for it any more. */
const WORTH_FINISHING = 0.5;

export type FetchResult = "kept" | "missing" | "passed" | "failed" | "damaged" | "abandoned" | "unwritten";

/** One object on its way from the store to the disk, and to everybody who asked for it meanwhile. */
export interface ObjectFetch {
  /** Known with the first byte; null where there is no such object, "pass" where it is not to be kept here. */
  facts: Promise<ObjectFacts | null | "pass">;
  /** Bytes `start`..`end` as they arrive. Ends in the fetch's own failure where it fails: never short, never damaged. */
  read(start: number, end: number): AsyncGenerator<Buffer>;
  /** Who waits for it says so, and says when they do no more. */
  join(): void;
  leave(): void;
}

interface Progress {
  file: FileHandle | null;
  facts: BlobFacts | null;
  written: number;
  /** What may be read: all but the last byte until the whole has been compared with its hash. */
  readable: number;
  failure: unknown;
  readers: number;
}

/**
 * Begins to fetch; a prefetch goes on without readers. `onEnd` hears of the end before anybody can come too late for it, and
 * `onGivenUp`, some time before that, of a fetch that nobody waits for: whoever comes then must begin another.
 */
export function fetchObject(parts: {
  blobs: Blobs;
  disk: DiskShelf;
  key: string;
  isPrefetch: boolean;
  onGivenUp: () => void;
  onEnd: (result: FetchResult) => void;
}): ObjectFetch {
  const { blobs, disk, key, isPrefetch, onGivenUp, onEnd } = parts;
  const progress: Progress = {
    file: null,
    facts: null,
    written: 0,
    readable: 0,
    failure: null,
    readers: 0,
  };
  const changes = new EventEmitter().setMaxListeners(0);
  const ending = new AbortController();
  const known = Promise.withResolvers<ObjectFacts | null | "pass">();
  known.promise.catch(() => {});
  let isOver = false;
  const closeWhenUnused = () => {
    if (isOver && progress.readers === 0) void progress.file?.close().catch(() => {});
  };
  const run = async (): Promise<FetchResult> => {
    const { signal } = ending;
    const [opened, expected] = await Promise.all([
      blobs.open("media", key, { signal }),
      // The store keeps each object's SHA-256 but tells it with the head alone. Without it the length must do.
      blobs.head("media", key).catch(() => null),
    ]);
    if (opened === null) {
      known.resolve(null);
      return "missing";
    }
    const { facts } = opened;
    if (!(await disk.reserve(facts.sizeBytes))) {
      opened.body.destroy();
      known.resolve("pass");
      return "passed";
    }
    const path = disk.unfinishedPath();
    try {
      progress.file = await openUnfinished(path, opened, () => known.resolve("pass"));
      progress.facts = facts;
      known.resolve(facts);
      const hash = createHash("sha256");
      await receive(blobs, key, opened, progress, hash, changes, signal);
      const digest = hash.digest();
      const isSame = expected?.etag === facts.etag && expected.sha256 !== undefined;
      if (isSame && digest.toString("base64") !== expected.sha256) throw damaged();
      const { sizeBytes, etag, contentEncoding, lastModified } = facts;
      const sha256 = digest.toString("hex");
      const kept = { key, sizeBytes, etag, contentEncoding, lastModified, sha256 };
      await progress.file.write(headOf(kept), 0, HEAD_BYTES, 0);
      await disk.keep(path, kept);
      return "kept";
    } catch (thrown) {
      disk.giveBack(facts.sizeBytes);
      await rm(path, { force: true }).catch(() => {});
      throw thrown;
    }
  };
  const end = (result: FetchResult): void => {
    isOver = true;
    onEnd(result);
    changes.emit("progress");
    closeWhenUnused();
  };
  void run().then(
    (result) => {
      progress.readable = progress.written;
      end(result);
    },
    (thrown: unknown) => {
      progress.failure = thrown;
      known.reject(thrown);
      const result = resultOf(thrown);
      end(ending.signal.aborted && result !== "unwritten" ? "abandoned" : result);
    },
  );
  return {
    facts: known.promise,
    join: () => {
      progress.readers += 1;
    },
    leave: () => {
      progress.readers -= 1;
      const isFar = progress.facts !== null && progress.written >= progress.facts.sizeBytes * WORTH_FINISHING;
      if (progress.readers === 0 && !isPrefetch && !isOver && !isFar) {
        onGivenUp();
        ending.abort(new Error("nobody waits for the object"));
      }
      closeWhenUnused();
    },
    async *read(start, end) {
      for (let at = start; at <= end; ) {
        if (progress.failure !== null) throw progress.failure;
        const here = Math.min(progress.readable, end + 1) - at;
        if (here <= 0 || progress.file === null) {
          await once(changes, "progress");
          continue;
        }
        const piece = await readPiece(progress.file, at, here);
        at += piece.byteLength;
        yield piece;
      }
    },
  };
}

function resultOf(thrown: unknown): FetchResult {
  if (thrown instanceof Failure) return thrown.code === "object_damaged" ? "damaged" : "failed";
  return isOfDisk(thrown) ? "unwritten" : "failed";
}

/** A disk that takes no file must not keep a film from its viewers: they get it straight from the store. */
async function openUnfinished(path: string, opened: OpenedBlob, onRefused: () => void): Promise<FileHandle> {
  try {
    const file = await open(path, "wx+", 0o600);
    await file.write(Buffer.alloc(HEAD_BYTES, " "), 0, HEAD_BYTES, 0);
    return file;
  } catch (thrown) {
    opened.body.destroy();
    onRefused();
    throw thrown;
  }
}

/** Writes the body to the file, taking it up again from the first missing byte where it breaks off (RELIABILITY F15). */
async function receive(
  blobs: Blobs,
  key: string,
  first: OpenedBlob,
  progress: Progress,
  hash: Hash,
  changes: EventEmitter,
  signal: AbortSignal,
): Promise<void> {
  const { sizeBytes, etag } = first.facts;
  const file = progress.file as FileHandle;
  let opened: OpenedBlob | null = first;
  for (let tries = 1; progress.written < sizeBytes; tries++) {
    const before = progress.written;
    try {
      opened ??= await blobs.open("media", key, { range: { start: before }, ifMatch: etag, signal });
      if (opened === null) throw cutShort();
      for await (const piece of watchIdle(opened.body)) {
        hash.update(piece);
        await file.write(piece, 0, piece.byteLength, HEAD_BYTES + progress.written);
        progress.written += piece.byteLength;
        progress.readable = Math.min(progress.written, sizeBytes - 1);
        changes.emit("progress");
      }
      if (progress.written < sizeBytes) throw cutShort();
    } catch (thrown) {
      if (progress.written > before) tries = 0;
      if (signal.aborted || tries >= TRIES || isOfDisk(thrown)) throw thrown;
      await pause(Math.random() * 100 * 2 ** tries, undefined, { signal });
    } finally {
      opened?.body.destroy();
      opened = null;
    }
  }
  if (progress.written !== sizeBytes) throw cutShort();
}

/** Full, read-only, worn out: what only calls on files can say. */
function isOfDisk(thrown: unknown): boolean {
  const { code, syscall } = thrown as NodeJS.ErrnoException;
  return (
    ["ENOSPC", "EDQUOT", "EROFS", "EIO", "EACCES", "ENOENT", "EMFILE"].includes(code ?? "") &&
    syscall !== "connect"
  );
}

function cutShort(): Failure {
  return new Failure("transient", "blob_store_unavailable", "The object arrived cut short.");
}

function damaged(): Failure {
  return new Failure("transient", "object_damaged", "The object arrived damaged.", { retryAfterSeconds: 1 });
}
