import { Hono } from "hono";
import { z } from "zod";
import { EDGE_REPORTS_PATH, MAX_EDGE_ROWS } from "../core/edge-report.ts";
import { isId } from "../core/ids.ts";
import { keepEdgeReport } from "../stores/library/reports.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { EDGE_BODY_LIMIT, saidByEdge } from "./said-by-edge.ts";

/** Edges add up for as long as the API is away: a bound below what a number holds exactly would lose what all others said. */
const sum = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const name = z.string().regex(/^[a-z0-9_-]{1,100}$/);
const edgeReport = z.strictObject({
  id: z.string().refine((id) => isId("er", id)),
  rows: z
    .array(
      z.strictObject({
        assetId: name,
        generation: name,
        renditionId: name,
        country: z.string().regex(/^[A-Z]{2}$/),
        requests: sum,
        starved: sum,
        encodedKbps: sum,
        encodedSamples: sum,
        bufferMs: sum,
        bufferSamples: sum,
        throughputKbps: sum,
        throughputSamples: sum,
      }),
    )
    .min(1)
    .max(MAX_EDGE_ROWS),
});

/**
 * `POST /edge-reports`: an edge says what players told it, signed with a grant key. 204 once it is kept; the same report
 * again changes nothing, so that an edge sends it until it has that answer.
 */
export function edgeReportRoutes({ library, config }: ApiDeps) {
  return new Hono<ApiEnv>().post(EDGE_REPORTS_PATH, EDGE_BODY_LIMIT, async (c) => {
    const report = await saidByEdge(c, config, edgeReport);
    await keepEdgeReport(library, report);
    return c.body(null, 204);
  });
}
