import { createMiddleware } from "hono/factory";
import { routePath } from "hono/route";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { type Figures, startupMsOf } from "../core/figures.ts";
import { LANES } from "../core/work-order.ts";
import { countAssetsByState } from "../stores/library/assets.ts";
import type { Library } from "../stores/library/connect.ts";
import { pendingDeliveries } from "../stores/library/deliveries.ts";
import { listWorse } from "../stores/library/figures.ts";
import { countGenerationsByState } from "../stores/library/generations.ts";
import { oldestUntold } from "../stores/library/outbox.ts";
import { countTasks } from "../stores/library/work-overview.ts";
import type { Log } from "../stores/log.ts";
import type { LaneCounts } from "../stores/queue.ts";
import type { ApiEnv } from "./deps.ts";
import { unheardTasks } from "./unheard-tasks.ts";

export interface Metrics {
  registry: Registry;
  requests: Histogram<"method" | "route" | "status">;
  /** Objects of generations that were removed for good. */
  collected: Counter;
  /** What sessions that are over come to. */
  watched(figures: Figures): void;
  /** As last heard, by hostname: 1 or 0, and what is taken of what it can take. */
  edgeUp: Gauge<"edge">;
  edgeLoad: Gauge<"edge">;
  /** By what came of them: `delivered`, `failed`, `gone`. */
  webhookAttempts: Counter<"outcome">;
}

/** So many flagged generations are counted, and no more: the alarm is at one. */
const WORSE_COUNTED = 1_000;
/** So many deliveries: a scrape is not to read through a backlog, and more than this says nothing more. */
const PENDING_COUNTED = 10_000;

/** This process's own figures and, at each scrape, how many assets are in each state and whether anybody is there for the work. */
export function openMetrics(library: Library, countJobs: () => Promise<LaneCounts>): Metrics {
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
  new Gauge({
    name: "matinee_generations_worse",
    help: "Generations on show whose viewers fare worse than those of the one before, over all tenants.",
    registers: [registry],
    async collect() {
      const worse = await listWorse(library, WORSE_COUNTED).catch(() => null);
      if (worse !== null) this.set(worse.length);
    },
  });
  queueFigures(library, registry, countJobs);
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
  const webhookAttempts = webhookFigures(library, registry);
  const watched = watchedCounters(registry);
  return { registry, requests, collected, edgeUp, edgeLoad, webhookAttempts, watched };
}

/** Told by the API, since workers that are not there tell nothing. */
function queueFigures(library: Library, registry: Registry, countJobs: () => Promise<LaneCounts>): void {
  new Gauge({
    name: "matinee_queue_unheard_tasks",
    help: "Tasks that wait in a lane to which no worker listens, over all tenants.",
    labelNames: ["lane"] as const,
    registers: [registry],
    async collect() {
      const hints = await countJobs().catch(() => null);
      const isUnheard = hints !== null && LANES.some((lane) => hints[lane].consumers === 0);
      const tasks = isUnheard ? await countTasks(library, library.serverNow()).catch(() => null) : [];
      if (tasks === null) return;
      for (const lane of LANES) {
        const count = unheardTasks(lane, tasks, hints);
        if (count !== null) this.set({ lane }, count);
      }
    },
  });
}

/** What is still to be delivered, over all tenants, and what came of this process's attempts. */
function webhookFigures(library: Library, registry: Registry): Counter<"outcome"> {
  const registers = [registry];
  const ageOf = (at: Date | null): number =>
    at === null ? 0 : Math.max(0, (library.serverNow().getTime() - at.getTime()) / 1_000);
  let asked: ReturnType<typeof pendingDeliveries> | null = null;
  // Two figures of one answer.
  const pending = () => {
    asked ??= pendingDeliveries(library, PENDING_COUNTED).finally(() => {
      asked = null;
    });
    return asked;
  };
  const gauge = (name: string, help: string, read: () => Promise<number>): void => {
    new Gauge({
      ...{ name, help, registers },
      async collect() {
        const value = await read().catch(() => null);
        if (value !== null) this.set(value);
      },
    });
  };
  gauge(
    "matinee_webhook_pending",
    `Deliveries of webhooks that are neither made nor given up; ${PENDING_COUNTED} stands for as many or more.`,
    async () => (await pending()).count,
  );
  gauge(
    "matinee_webhook_oldest_due_seconds",
    "Since when the one of them that is due longest waits to be taken up; 0: none is due.",
    async () => ageOf((await pending()).longestDue),
  );
  gauge(
    "matinee_webhook_oldest_untold_seconds",
    "Since when the oldest event waits to be put on record for those who want it; 0: there is none.",
    async () => ageOf(await oldestUntold(library)),
  );
  return new Counter({
    name: "matinee_webhook_attempts_total",
    help: "Attempts to deliver webhooks, by what came of them.",
    labelNames: ["outcome"] as const,
    registers,
  });
}

/** Figures of watching, over all titles: which title it is, is asked of `/v1/analytics`. */
function watchedCounters(registry: Registry): Metrics["watched"] {
  const registers = [registry];
  const counter = (name: string, help: string) => new Counter({ name, help, registers });
  const sessions = counter(
    "matinee_playback_sessions_total",
    "Sessions that are over and told of themselves.",
  );
  const failures = counter("matinee_playback_failures_total", "Of those, that an error ended.");
  const stalls = counter("matinee_playback_stalls_total", "Times that a film stood still.");
  const stalled = counter("matinee_playback_stall_seconds_total", "How long films stood still.");
  const played = counter("matinee_playback_watch_seconds_total", "How long films were watched.");
  const startup = new Histogram({
    name: "matinee_playback_startup_seconds",
    help: "From the wish to watch to the first picture.",
    buckets: [0.25, 0.5, 1, 2, 3, 5, 10, 30],
    registers,
  });
  return (figures) => {
    sessions.inc(figures.sessions);
    failures.inc(figures.failures);
    stalls.inc(figures.stalls);
    stalled.inc(figures.stallMs / 1000);
    played.inc(figures.playedMs / 1000);
    for (const [step, count] of Object.entries(figures.startups)) {
      for (let one = 0; one < count; one++) startup.observe(startupMsOf(Number(step)) / 1000);
    }
  };
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
