import { followingSegment, type ObjectFacts } from "../../core/delivery-rules.ts";
import type { Blobs } from "../../stores/blobs.ts";
import type { Log } from "../../stores/log.ts";
import type { Metrics } from "../metrics.ts";
import { type FoundObject, type ObjectSource, storeSource, type Wish } from "../object-source.ts";
import { readPieces, readWhole } from "./cached-file.ts";
import { type OpenedEntry, openDiskShelf } from "./disk-shelf.ts";
import { type FetchResult, fetchObject, type ObjectFetch } from "./fetch-object.ts";
import { type HotObject, type MemoryShelf, openMemoryShelf } from "./memory-shelf.ts";

/** Segments fetched ahead at once: they must never crowd out what somebody waits for. */
const PREFETCHES = 4;
/** Asked for so often since the start, an object moves from disk to memory. */
const HOT_AFTER_USES = 2;
/** A larger one would push out too many others. */
const HOT_SHARE = 1 / 8;

export interface CacheSettings {
  folder: string;
  diskBytes: number;
  memoryBytes: number;
}

/** A cache before the store: everything in it is immutable, so it is good for as long as it is here. */
export interface CachedSource extends ObjectSource {
  /** Gives up what may not be served any more. */
  forget(isGone: (key: string) => boolean): Promise<void>;
  /** Whether its disk takes nothing at the moment. */
  isResting(): boolean;
}

export async function openCachedSource(parts: {
  blobs: Blobs;
  settings: CacheSettings;
  metrics: Metrics;
  log: Log;
}): Promise<CachedSource> {
  const { blobs, settings, metrics, log } = parts;
  const disk = await openDiskShelf({
    folder: settings.folder,
    limitBytes: settings.diskBytes,
    onEvicted: () => metrics.cacheEvictions.inc(),
  });
  const memory = openMemoryShelf(settings.memoryBytes);
  const store = storeSource(blobs);
  const fetches = new Map<string, ObjectFetch>();
  let prefetching = 0;
  metrics.watchCache({ disk: disk.bytes, memory: memory.bytes, objects: disk.objects });

  const begin = (key: string, isPrefetch: boolean): ObjectFetch => {
    if (isPrefetch) prefetching += 1;
    const forget = (): void => {
      if (fetches.get(key) === fetch) fetches.delete(key);
    };
    const onEnd = (result: FetchResult): void => {
      forget();
      if (isPrefetch) prefetching -= 1;
      metrics.storeFetches.inc({ result });
      if (result === "damaged") log.warn({ key }, "an object arrived damaged and was thrown away");
      if (result !== "unwritten") return;
      disk.rest();
      log.error({ key }, "the cache's disk refused a write; objects pass by it for a while");
    };
    const fetch = fetchObject({ blobs, disk, key, isPrefetch, onGivenUp: forget, onEnd });
    fetches.set(key, fetch);
    return fetch;
  };
  const prefetch = (key: string): void => {
    const next = followingSegment(key);
    if (next === null || prefetching >= PREFETCHES || disk.has(next) || fetches.has(next)) return;
    begin(next, true);
  };
  const found = async (key: string, { wanted, signal }: Wish): Promise<FoundObject | null | "pass"> => {
    const hot = memory.take(key);
    if (hot !== null) {
      metrics.cacheRequests.inc({ outcome: "memory" });
      return hotObject(memory, key, hot);
    }
    const entry = await disk.open(key);
    if (entry !== null) {
      metrics.cacheRequests.inc({ outcome: "disk" });
      return shelvedObject(memory, settings.memoryBytes * HOT_SHARE, entry);
    }
    const running = fetches.get(key);
    // It may have come to its end while we looked.
    if (running === undefined && disk.has(key)) return found(key, { wanted, signal });
    if (running === undefined && wanted === "head") return "pass";
    metrics.cacheRequests.inc({ outcome: running === undefined ? "fetched" : "joined" });
    return fetchedObject(running ?? begin(key, false), signal);
  };
  return {
    async find(key, wish) {
      const object = await found(key, wish);
      if (object !== null && wish.wanted !== "head") prefetch(key);
      return object === "pass" ? store.find(key, wish) : object;
    },
    isResting: disk.isResting,
    async forget(isGone) {
      memory.forget(isGone);
      await disk.forget(isGone);
    },
  };
}

function hotObject(memory: MemoryShelf, key: string, { facts, bytes }: HotObject): FoundObject {
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
async function shelvedObject(
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
async function fetchedObject(fetch: ObjectFetch, signal: AbortSignal): Promise<FoundObject | null | "pass"> {
  fetch.join();
  let left = false;
  const leave = () => {
    if (!left) fetch.leave();
    left = true;
  };
  try {
    const facts: ObjectFacts | null | "pass" = await orGone(fetch.facts, signal);
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
