import { rm } from "node:fs/promises";
import type { ObjectFacts } from "../../core/delivery-rules.ts";
import { Failure } from "../../core/errors.ts";
import type { BlobFacts, Blobs } from "../../stores/blobs.ts";
import { refuseDamaged } from "../compared-body.ts";
import {
  type ArrivingObject,
  isOfDisk,
  nothingArrived,
  openUnfinished,
  readArriving,
  receive,
} from "./arriving-object.ts";
import { type CachedFacts, HEAD_BYTES, headOf } from "./cached-file.ts";
import type { DiskShelf } from "./disk-shelf.ts";

/** With so much of it here an object is fetched to its end, though nobody waits for it any more. */
const WORTH_FINISHING = 0.5;

export type FetchResult = "kept" | "missing" | "passed" | "failed" | "damaged" | "abandoned" | "unwritten";

/** Known with the first byte; null where there is no such object, "pass" where it is not to be kept here. */
export type FetchedFacts = ObjectFacts | null | "pass";

/** One object on its way from the store to the disk, and to everybody who asked for it meanwhile. */
export interface ObjectFetch {
  facts: Promise<FetchedFacts>;
  /** Bytes `start`..`end` as they arrive. Fails as the fetch does: no range of it ends short, or before the whole is known to be sound. */
  read(start: number, end: number): AsyncGenerator<Buffer>;
  /** Who waits for it says so, and says when they do no more. */
  join(): void;
  leave(): void;
}

interface FetchParts {
  blobs: Blobs;
  disk: DiskShelf;
  key: string;
  isPrefetch: boolean;
  onGivenUp: () => void;
  onEnd: (result: FetchResult) => void;
}

/**
 * Begins to fetch; a prefetch goes on without readers. `onEnd` hears of the end before anybody can come too late for it, and
 * `onGivenUp`, some time before that, of a fetch that nobody waits for: whoever comes then must begin another.
 */
export function fetchObject(parts: FetchParts): ObjectFetch {
  const object = nothingArrived();
  const ending = new AbortController();
  const known = Promise.withResolvers<FetchedFacts>();
  known.promise.catch(() => {});
  let isOver = false;
  const closeWhenUnused = (): void => {
    if (isOver && object.readers === 0) void object.file?.close().catch(() => {});
  };
  const end = (result: FetchResult): void => {
    isOver = true;
    parts.onEnd(result);
    object.changes.emit("progress");
    closeWhenUnused();
  };
  void bring(parts, object, known.resolve, ending.signal).then(
    (result) => {
      object.isCompared = true;
      end(result);
    },
    (thrown: unknown) => {
      object.failure = thrown;
      known.reject(thrown);
      const result = resultOf(thrown);
      end(ending.signal.aborted && result !== "unwritten" ? "abandoned" : result);
    },
  );
  return {
    facts: known.promise,
    read: (start, end) => readArriving(object, start, end),
    join: () => {
      object.readers += 1;
    },
    leave: () => {
      object.readers -= 1;
      if (object.readers === 0 && !parts.isPrefetch && !isOver && !isWorthFinishing(object)) {
        parts.onGivenUp();
        ending.abort(new Error("nobody waits for the object"));
      }
      closeWhenUnused();
    },
  };
}

/** From the store to the shelf. `tell` hears what is known of the object before its bytes are here. */
async function bring(
  { blobs, disk, key }: FetchParts,
  object: ArrivingObject,
  tell: (facts: FetchedFacts) => void,
  signal: AbortSignal,
): Promise<FetchResult> {
  const [opened, expected] = await Promise.all([
    blobs.open("media", key, { signal }),
    // The store keeps each object's SHA-256 but tells it with the head alone. Without it the length must do.
    blobs.head("media", key).catch(() => null),
  ]);
  if (opened === null) {
    tell(null);
    return "missing";
  }
  const { facts } = opened;
  if (!(await disk.reserve(facts.sizeBytes))) {
    opened.body.destroy();
    tell("pass");
    return "passed";
  }
  const path = disk.unfinishedPath();
  try {
    object.file = await openUnfinished(path, opened, () => tell("pass"));
    object.facts = facts;
    tell(facts);
    const digest = await receive(blobs, key, opened, object, signal);
    const kept = keptFacts(key, facts, digest, expected);
    await object.file.write(headOf(kept), 0, HEAD_BYTES, 0);
    await disk.keep(path, kept);
    return "kept";
  } catch (thrown) {
    disk.giveBack(facts.sizeBytes);
    await rm(path, { force: true }).catch(() => {});
    throw thrown;
  }
}

/** What the cache's file says of itself. Throws where the bytes are not those of the store. */
function keptFacts(key: string, facts: BlobFacts, digest: Buffer, expected: BlobFacts | null): CachedFacts {
  refuseDamaged(digest, facts, expected);
  const { sizeBytes, etag, contentEncoding, lastModified } = facts;
  return { key, sizeBytes, etag, contentEncoding, lastModified, sha256: digest.toString("hex") };
}

function isWorthFinishing({ facts, written }: ArrivingObject): boolean {
  return facts !== null && written >= facts.sizeBytes * WORTH_FINISHING;
}

function resultOf(thrown: unknown): FetchResult {
  if (thrown instanceof Failure) return thrown.code === "object_damaged" ? "damaged" : "failed";
  return isOfDisk(thrown) ? "unwritten" : "failed";
}
