import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { notFound } from "../core/errors.ts";
import { PROOF_CHECKS } from "../core/proof.ts";
import { findConformance } from "../stores/library/conformance.ts";
import { readLedger } from "../stores/library/ledger.ts";
import { forRole } from "./auth.ts";
import { idParams, instant, jsonAnswer, pageOf, pageQuery } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { foundAsset } from "./found.ts";
import { decodeCursor, encodeCursor, listDigest } from "./list-cursor.ts";
import { presentScores, rungScore } from "./rendition-view.ts";

const ledgerEntry = z
  .object({
    taskId: z.string(),
    stage: z.string(),
    worker: z.string(),
    startedAt: instant,
    endedAt: instant,
    outcome: z.enum(["done", "reused", "failed", "lost"]),
    /** Of `reused`: the task of an earlier generation whose objects were copied. */
    reusedFrom: z.string().optional(),
    argv: z.array(z.array(z.string())),
    /** Of what it ran on, by name (`ffmpeg`, `node`); empty where nothing was noted. */
    versions: z.record(z.string(), z.string()),
    cpuSeconds: z.number(),
    bytesOut: z.number(),
    error: z.object({ class: z.string(), code: z.string(), message: z.string() }).nullable(),
  })
  .openapi("Attempt");
export type LedgerEntry = z.infer<typeof ledgerEntry>;

const conformanceView = z
  .object({
    generation: z.string(),
    checkedAt: instant,
    results: z.array(
      z.object({
        /** Apple's number, or `8216-…`, `dash-…`, `cmaf-…`. */
        rule: z.string(),
        level: z.enum(["MUST", "SHOULD"]),
        verdict: z.enum(["pass", "fail", "not_applicable"]),
        evidence: z.string(),
      }),
    ),
    /** What was seen when it was played and compared with the master; absent until it has been. */
    proof: z
      .array(
        z.object({
          /** `video/<rung>`, `audio/<track>`, `package`. */
          part: z.string(),
          check: z.enum(PROOF_CHECKS),
          verdict: z.enum(["pass", "fail", "not_applicable"]),
          evidence: z.string(),
        }),
      )
      .optional(),
    /** Pictures alone; none where another generation is shown than this report is of. */
    renditions: z.array(rungScore),
  })
  .openapi("Conformance");
export type ConformanceView = z.infer<typeof conformanceView>;

const common = { tags: ["Assets"], ...forRole("editor") };
const ledgerRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/assets/{id}/ledger",
  summary: "Every attempt at every piece of work, oldest first",
  request: { params: idParams, query: pageQuery },
  responses: { 200: jsonAnswer(pageOf(ledgerEntry), "One page") },
});
const conformanceRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/assets/{id}/conformance",
  summary: "What the conformance gate said of the package, rule by rule",
  request: { params: idParams },
  responses: { 200: jsonAnswer(conformanceView, "The report of the present generation") },
});

/** What was done to make an asset, and what was found of its package. */
export function assetReportRoutes({ library }: ApiDeps) {
  return new OpenAPIHono<ApiEnv>()
    .openapi(ledgerRoute, async (c) => {
      const { tenant } = c.get("caller");
      const { _id: id } = await foundAsset(library, tenant, c.req.valid("param").id);
      const query = c.req.valid("query");
      const list = listDigest(c, query);
      const after = decodeCursor(query.cursor, list);
      const page = await readLedger(library, tenant, id, { limit: query.limit, after });
      const data = page.records.map((attempt) => ({
        versions: {},
        ...attempt,
        startedAt: attempt.startedAt.toISOString(),
        endedAt: attempt.endedAt.toISOString(),
      }));
      return c.json({ data, nextCursor: encodeCursor(page.next, list) }, 200);
    })
    .openapi(conformanceRoute, async (c) => {
      const asset = await foundAsset(library, c.get("caller").tenant, c.req.valid("param").id);
      const generation = asset.generation ?? asset.published?.generation ?? null;
      const report = generation === null ? null : await findConformance(library, asset._id, generation);
      if (report === null) throw notFound("report");
      const { results, proof, checkedAt } = report;
      const isShown = asset.published?.generation === report.generation;
      const answer = {
        ...{ generation: report.generation, checkedAt: checkedAt.toISOString(), results },
        renditions: isShown ? presentScores(asset) : [],
      };
      return c.json(proof === undefined ? answer : { ...answer, proof }, 200);
    });
}
