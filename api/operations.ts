import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { jsonAnswer } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { openReadiness } from "./readiness.ts";

const readinessView = z
  .object({
    /** `degraded`: what is away is not needed for most answers. */
    status: z.enum(["ready", "degraded", "unavailable"]),
    dependencies: z.record(
      z.string(),
      z.object({
        ok: z.boolean(),
        needed: z.boolean(),
        ms: z.number().int(),
        problem: z.string().optional(),
      }),
    ),
  })
  .openapi("Readiness");

const common = { tags: ["Operations"], method: "get" as const };
const aliveRoute = createRoute({
  ...common,
  path: "/healthz",
  summary: "Whether the process runs",
  responses: { 200: jsonAnswer(z.object({ status: z.literal("ok") }), "It does") },
});
const readyRoute = createRoute({
  ...common,
  path: "/readyz",
  summary: "Whether its parts are there, each by name",
  responses: {
    200: jsonAnswer(readinessView, "All that is needed is there"),
    503: jsonAnswer(readinessView, "A needed part is away"),
  },
});
const metricsRoute = createRoute({
  ...common,
  path: "/metrics",
  summary: "Figures for Prometheus",
  responses: {
    200: { description: "In its text format", content: { "text/plain": { schema: z.string() } } },
  },
});

/** What those who run it ask: is the process alive, are its parts there, what are its figures. */
export function operationRoutes({ library, blobs, checkQueue, metrics }: ApiDeps) {
  const readiness = openReadiness([
    { name: "mongodb", needed: true, check: () => library.ping() },
    { name: "s3", needed: true, check: () => blobs.ping() },
    // A hint that is lost is made good by the reconciler: without Redis uploads and the catalog go on.
    { name: "redis", needed: false, check: checkQueue },
  ]);
  return new OpenAPIHono<ApiEnv>()
    .openapi(aliveRoute, (c) => c.json({ status: "ok" as const }, 200))
    .openapi(readyRoute, async (c) => {
      const answer = await readiness();
      return c.json(answer, answer.status === "unavailable" ? 503 : 200, { "Cache-Control": "no-store" });
    })
    .openapi(metricsRoute, async (c) => {
      const { registry } = metrics;
      return c.text(await registry.metrics(), 200, { "Content-Type": registry.contentType });
    });
}
