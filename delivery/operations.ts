import { Hono } from "hono";
import { notFound } from "../core/errors.ts";
import type { Blobs } from "../stores/blobs.ts";
import type { Log } from "../stores/log.ts";
import { STALE_AFTER_SECONDS } from "../stores/revocation-watch.ts";
import type { Metrics } from "./metrics.ts";
import { problemAnswer } from "./problem.ts";

/** How long one look at the store answers for: probes from everywhere cost it one request in this time. */
const READY_FOR_MS = 2_000;

/** What readiness asks of the edge itself. */
export interface EdgeState {
  /** null where there is no cache; false while its disk takes nothing. */
  cacheWorks(): boolean | null;
  revocationsAgeSeconds(): number;
}

/** `/healthz` (the process), `/readyz` (each dependency by name) and `/metrics`; anything else is a 404 problem. */
export function operationsApp(deps: {
  blobs: Blobs;
  state: EdgeState;
  metrics: Metrics;
  log: Log;
  /** What is taken of what this edge can take, 0 to 1. */
  load(): Promise<number>;
  isStopping(): boolean;
}): Hono {
  const { state } = deps;
  const app = new Hono();
  const blobStoreState = cachedFor(READY_FOR_MS, () => stateOf(deps.blobs));
  app.get("/healthz", (c) => c.json({ status: "ok" }));
  app.get("/readyz", async (c) => {
    const blobStore = await blobStoreState();
    const cacheWorks = state.cacheWorks();
    const dependencies = {
      blobStore,
      revocations: state.revocationsAgeSeconds() < STALE_AFTER_SECONDS ? "ok" : "stale",
      ...(cacheWorks === null ? {} : { cache: cacheWorks ? "ok" : "refuses" }),
    };
    // What is in the cache plays on without the store: an edge taken out then would stop films that need not stop.
    const serves = blobStore === "ok" || cacheWorks === true;
    const isWhole = Object.values(dependencies).every((one) => one === "ok");
    const able = !serves ? "not_ready" : isWhole ? "ready" : "degraded";
    const status = deps.isStopping() ? "stopping" : able;
    return c.json(
      { status, dependencies, load: await deps.load() },
      serves && !deps.isStopping() ? 200 : 503,
      {
        "Cache-Control": "no-store",
      },
    );
  });
  app.get("/metrics", async (c) =>
    c.body(await deps.metrics.registry.metrics(), 200, { "Content-Type": deps.metrics.registry.contentType }),
  );
  app.notFound(() => problem(notFound("page")));
  app.onError((thrown) => {
    deps.log.error({ err: thrown }, "operations request failed");
    return problem(thrown);
  });
  return app;
}

function problem(thrown: unknown): Response {
  const { status, headers, body } = problemAnswer(thrown);
  return new Response(body, { status, headers });
}

/** A look for an object that is not there costs the store least, and needs the right to read. */
async function stateOf(blobs: Blobs): Promise<"ok" | "unavailable"> {
  try {
    await blobs.head("media", "readiness-probe");
    return "ok";
  } catch {
    return "unavailable";
  }
}

function cachedFor<T>(milliseconds: number, look: () => Promise<T>): () => Promise<T> {
  let last: { at: number; answer: Promise<T> } | undefined;
  return () => {
    const now = performance.now();
    if (last === undefined || now - last.at > milliseconds) last = { at: now, answer: look() };
    return last.answer;
  };
}
