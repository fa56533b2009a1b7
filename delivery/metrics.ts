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
  };
}
