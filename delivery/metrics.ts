import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** What delivery counts; `registry.metrics()` is the Prometheus text. */
export interface Metrics {
  registry: Registry;
  requests: Counter<"status">;
  /** Requests refused for want of a good grant, by reason. */
  refusals: Counter<"reason">;
  bytes: Counter;
  firstByteSeconds: Histogram;
  activeStreams: Gauge;
  /** Requests for pictures whose player said how it fares (CMCD). */
  clientRequests: Counter<"outcome">;
  clientThroughput: Histogram;
  /** Where found objects came from: memory, disk, a fetch that was under way, or one begun for them. */
  cacheRequests: Counter<"outcome">;
  cacheEvictions: Counter;
  storeFetches: Counter<"result">;
  /** Shows the figures of a cache, asked for at each scrape. */
  watchCache(cache: { disk(): number; memory(): number; objects(): number }): void;
  watchRevocations(list: { ageSeconds(): number; entries(): number }): void;
}

export function openMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: "matinee_delivery_" });
  return {
    registry,
    requests: new Counter({
      name: "matinee_delivery_requests_total",
      help: "Media requests answered, by status.",
      labelNames: ["status"],
      registers,
    }),
    refusals: new Counter({
      name: "matinee_delivery_refusals_total",
      help: "Media requests refused for want of a good grant, by reason.",
      labelNames: ["reason"],
      registers,
    }),
    bytes: new Counter({
      name: "matinee_delivery_body_bytes_total",
      help: "Bytes of media bodies handed to connections.",
      registers,
    }),
    firstByteSeconds: new Histogram({
      name: "matinee_delivery_first_byte_seconds",
      help: "From the arrival of a media request to the first byte of its body.",
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
      registers,
    }),
    activeStreams: new Gauge({
      name: "matinee_delivery_active_streams",
      help: "Media requests being answered right now.",
      registers,
    }),
    clientRequests: new Counter({
      name: "matinee_delivery_client_requests_total",
      help: "Requests whose player said how it fares: fed or starved; and how many of them no report has (dropped).",
      labelNames: ["outcome"],
      registers,
    }),
    clientThroughput: new Histogram({
      name: "matinee_delivery_client_throughput_bps",
      help: "Throughput as players measured it, in bits per second.",
      buckets: [250_000, 500_000, 1e6, 2e6, 4e6, 8e6, 16e6, 32e6, 64e6],
      registers,
    }),
    cacheRequests: new Counter({
      name: "matinee_delivery_cache_requests_total",
      help: "Objects asked of the cache: in memory, on disk, joined to a fetch under way, or fetched for this request.",
      labelNames: ["outcome"],
      registers,
    }),
    cacheEvictions: new Counter({
      name: "matinee_delivery_cache_evictions_total",
      help: "Objects given up for others.",
      registers,
    }),
    storeFetches: new Counter({
      name: "matinee_delivery_store_fetches_total",
      help: "Fetches from the store for the cache, by how they ended.",
      labelNames: ["result"],
      registers,
    }),
    watchCache({ disk, memory, objects }) {
      scraped(registry, "matinee_delivery_cache_disk_bytes", "Bytes in the cache on disk.", disk);
      scraped(registry, "matinee_delivery_cache_memory_bytes", "Bytes in the cache in memory.", memory);
      scraped(registry, "matinee_delivery_cache_objects", "Objects in the cache on disk.", objects);
    },
    watchRevocations({ ageSeconds, entries }) {
      const age = "Since the list of revocations was last asked for with success.";
      scraped(registry, "matinee_delivery_revocations_age_seconds", age, ageSeconds);
      scraped(registry, "matinee_delivery_revocations", "Entries in the list of revocations.", entries);
    },
  };
}

function scraped(registry: Registry, name: string, help: string, value: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(value());
    },
  });
}
