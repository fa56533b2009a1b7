import { Hono } from "hono";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { openReadiness } from "./readiness.ts";

/** What those who run it ask: is the process alive, are its parts there, what are its figures. */
export function operationRoutes({ library, blobs, checkQueue, metrics }: ApiDeps) {
  const readiness = openReadiness([
    { name: "mongodb", needed: true, check: () => library.ping() },
    { name: "s3", needed: true, check: () => blobs.ping() },
    // A hint that is lost is made good by the reconciler: without Redis uploads and the catalog go on.
    { name: "redis", needed: false, check: checkQueue },
  ]);
  return new Hono<ApiEnv>()
    .get("/healthz", (c) => c.json({ status: "ok" }))
    .get("/readyz", async (c) => {
      const answer = await readiness();
      return c.json(answer, answer.status === "unavailable" ? 503 : 200, { "Cache-Control": "no-store" });
    })
    .get("/metrics", async (c) => {
      const { registry } = metrics;
      return c.body(await registry.metrics(), 200, { "Content-Type": registry.contentType });
    });
}
