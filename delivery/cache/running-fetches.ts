import { followingSegment } from "../../core/delivery-rules.ts";
import type { Blobs } from "../../stores/blobs.ts";
import type { Log } from "../../stores/log.ts";
import type { Metrics } from "../metrics.ts";
import type { DiskShelf } from "./disk-shelf.ts";
import { type FetchResult, fetchObject, type ObjectFetch } from "./fetch-object.ts";

/** Segments fetched ahead at once: they must never crowd out what somebody waits for. */
const PREFETCHES = 4;

/** What is on its way from the store: each object once, however many ask for it. */
export interface RunningFetches {
  get(key: string): ObjectFetch | undefined;
  /** Only where none runs under `key`. */
  begin(key: string): ObjectFetch;
  /** Fetches the segment after this one, unless it is here or too many are fetched ahead already. */
  fetchNext(key: string): void;
}

export function runFetches(parts: {
  blobs: Blobs;
  disk: DiskShelf;
  metrics: Metrics;
  log: Log;
}): RunningFetches {
  const { blobs, disk, metrics, log } = parts;
  const fetches = new Map<string, ObjectFetch>();
  let prefetching = 0;

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
  return {
    get: (key) => fetches.get(key),
    begin: (key) => begin(key, false),
    fetchNext(key) {
      const next = followingSegment(key);
      if (next === null || prefetching >= PREFETCHES || disk.has(next) || fetches.has(next)) return;
      begin(next, true);
    },
  };
}
