import type { FoundObject } from "../object-source.ts";
import { readPieces, readWhole } from "./cached-file.ts";
import type { OpenedEntry } from "./disk-shelf.ts";
import type { ObjectFetch } from "./fetch-object.ts";
import type { HotObject, MemoryShelf } from "./memory-shelf.ts";

/** Asked for so often since the start, an object moves from disk to memory. */
const HOT_AFTER_USES = 2;

/** From memory, which holds it until it is closed. */
export function hotObject(memory: MemoryShelf, key: string, { facts, bytes }: HotObject): FoundObject {
  let isClosed = false;
  return {
    facts,
    read: async (range) => (range === undefined ? bytes : bytes.subarray(range.start, range.end + 1)),
    close() {
      if (!isClosed) memory.release(key);
      isClosed = true;
    },
  };
}

/** From disk; moved into memory on the way where it is asked for often. */
export async function shelvedObject(
  memory: MemoryShelf,
  largestHot: number,
  { facts, file, uses }: OpenedEntry,
): Promise<FoundObject> {
  const { key, sizeBytes } = facts;
  if (uses >= HOT_AFTER_USES && sizeBytes <= largestHot && memory.hasRoomFor(sizeBytes)) {
    const bytes = await readWhole(file, facts).catch(() => null);
    if (bytes !== null) {
      memory.keep(key, { facts, bytes });
      const hot = memory.take(key);
      if (hot !== null) {
        await file.close();
        return hotObject(memory, key, hot);
      }
    }
  }
  return {
    facts,
    read: async (range) => readPieces(file, range?.start ?? 0, range?.end ?? sizeBytes - 1),
    close: () => void file.close().catch(() => {}),
  };
}

/** As it arrives, together with everybody else who asked for it. */
export async function fetchedObject(
  fetch: ObjectFetch,
  signal: AbortSignal,
): Promise<FoundObject | null | "pass"> {
  fetch.join();
  let left = false;
  const leave = () => {
    if (!left) fetch.leave();
    left = true;
  };
  try {
    const facts = await orGone(fetch.facts, signal);
    if (facts === null || facts === "pass") {
      leave();
      return facts;
    }
    return {
      facts,
      read: async (range) => fetch.read(range?.start ?? 0, range?.end ?? facts.sizeBytes - 1),
      close: leave,
    };
  } catch (thrown) {
    leave();
    throw thrown;
  }
}

/** The answer, unless who asked goes away first. */
function orGone<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(signal.reason);
    if (signal.aborted) gone();
    signal.addEventListener("abort", gone, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener("abort", gone));
  });
}
