import type { Blobs } from "../../stores/blobs.ts";
import type { Log } from "../../stores/log.ts";
import type { Metrics } from "../metrics.ts";
import { type FoundObject, type ObjectSource, storeSource, type Wish } from "../object-source.ts";
import { openDiskShelf } from "./disk-shelf.ts";
import { fetchedObject, hotObject, shelvedObject } from "./found-object.ts";
import { openMemoryShelf } from "./memory-shelf.ts";
import { runFetches } from "./running-fetches.ts";

/** A larger one would push too many others out of memory. */
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
  const fetches = runFetches({ blobs, disk, metrics, log });
  metrics.watchCache({ disk: disk.bytes, memory: memory.bytes, objects: disk.objects });

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
    return fetchedObject(running ?? fetches.begin(key), signal);
  };
  return {
    async find(key, wish) {
      const object = await found(key, wish);
      if (object !== null && wish.wanted !== "head") fetches.fetchNext(key);
      return object === "pass" ? store.find(key, wish) : object;
    },
    isResting: disk.isResting,
    async forget(isGone) {
      memory.forget(isGone);
      await disk.forget(isGone);
    },
  };
}
