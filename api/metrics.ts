import { createMiddleware } from "hono/factory";
import { routePath } from "hono/route";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { countAssetsByState } from "../stores/library/assets.ts";
import type { Library } from "../stores/library/connect.ts";
import { countGenerationsByState } from "../stores/library/generations.ts";
import type { Log } from "../stores/log.ts";
import type { ApiEnv } from "./deps.ts";

export interface Metrics {
  registry: Registry;
  requests: Histogram<"method" | "route" | "status">;
  /** Objects of generations that were removed for good. */
  collected: Counter;
  /** As last heard, by hostname: 1 or 0, and what is taken of what it can take. */
  edgeUp: Gauge<"edge">;
  edgeLoad: Gauge<"edge">;
}

/** This process's own figures and, at each scrape, how many assets are in each state. */
export function openMetrics(library: Library): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: "matinee_http_request_duration_seconds",
    help: "Time from a request's arrival to the head of its answer.",
    labelNames: ["method", "route", "status"] as const,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 0.8, 2, 5, 20],
    registers: [registry],
  });
  new Gauge({
    name: "matinee_assets",
    help: "Assets by state, over all tenants.",
    labelNames: ["state"] as const,
    registers: [registry],
    async collect() {
      // While the library is away the other figures are what is needed most.
      const counts = await countAssetsByState(library).catch(() => null);
      if (counts === null) return;
      this.reset();
      for (const [state, count] of counts) this.set({ state }, count);
    },
  });
  new Gauge({
    name: "matinee_generations",
    help: "Generations of assets by state, over all tenants.",
    labelNames: ["state"] as const,
    registers: [registry],
    async collect() {
      const counts = await countGenerationsByState(library).catch(() => null);
      if (counts === null) return;
      this.reset();
      for (const [state, count] of counts) this.set({ state }, count);
    },
  });
  const collected = new Counter({
    name: "matinee_collected_objects_total",
    help: "Objects of superseded generations that were removed.",
    registers: [registry],
  });
  const edgeUp = new Gauge({
    name: "matinee_edge_up",
    help: "Whether an edge answers, where there are several.",
    labelNames: ["edge"] as const,
    registers: [registry],
  });
  const edgeLoad = new Gauge({
    name: "matinee_edge_load",
    help: "What an edge says is taken of what it can take, 0 to 1.",
    labelNames: ["edge"] as const,
    registers: [registry],
  });
  return { registry, requests, collected, edgeUp, edgeLoad };
}

/** One line of log and one observation per request. Neither holds a header, a query or a body (RELIABILITY T29). */
export function observed(metrics: Metrics, log: Log) {
  return createMiddleware<ApiEnv>(async (c, next) => {
    const began = performance.now();
    await next();
    const seconds = (performance.now() - began) / 1000;
    // The pattern, not the path: ids in labels would make a series for each.
    const route = c.res.status === 404 && routePath(c, -1).endsWith("*") ? "unknown" : routePath(c, -1);
    const { method, path } = c.req;
    const { status } = c.res;
    metrics.requests.observe({ method, route, status: String(status) }, seconds);
    const line = { requestId: c.get("requestId"), method, path, status, ms: Math.round(seconds * 1000) };
    if (status >= 500) log.error({ ...line, err: c.error }, "request failed");
    else log.debug(line, "request");
  });
}
