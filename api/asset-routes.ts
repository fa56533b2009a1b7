import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { notFound, requestFailure } from "../core/errors.ts";
import { PROOF_CHECKS } from "../core/proof.ts";
import type { AssetRecord } from "../core/records/asset.ts";
import {
  cancelAsset,
  findAsset,
  listAssets,
  markAssetDeleted,
  retryAsset,
} from "../stores/library/assets.ts";
import { findConformance } from "../stores/library/conformance.ts";
import { readLedger } from "../stores/library/progress.ts";
import { streamAssetEvents } from "./asset-events.ts";
import { assetStates, assetView, isPlayable } from "./asset-view.ts";
import { atLeast } from "./auth.ts";
import { countryOf } from "./caller-country.ts";
import {
  BEARER,
  cursorText,
  decodeCursor,
  encodeCursor,
  IDEMPOTENT,
  idParams,
  instant,
  jsonAnswer,
  jsonBody,
  pageOf,
  pageQuery,
} from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { once } from "./idempotency.ts";
import { openPlayback } from "./open-playback.ts";
import { problemAnswer } from "./openapi.ts";
import { playbackView } from "./playback-view.ts";
import { presentAllNow, presentNow } from "./present-now.ts";
import { emptyAsset } from "./reap-assets.ts";

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
  })
  .openapi("Conformance");

const common = { tags: ["Assets"], security: BEARER, middleware: atLeast("editor") };
const listQuery = z.strictObject({
  limit: pageQuery.shape.limit,
  cursor: cursorText,
  state: assetStates.optional(),
});
const listRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/assets",
  summary: "List assets, newest first",
  request: { query: listQuery },
  responses: { 200: jsonAnswer(pageOf(assetView), "One page") },
});
const pullRoute = createRoute({
  ...common,
  method: "post",
  path: "/v1/assets",
  summary: "Pull ingest from a URL: not built, so always 403 `pull_ingest_disabled`",
  request: {
    body: jsonBody(
      z.strictObject({ sourceUrl: z.url().max(2_000), titleId: z.string().max(100).optional() }),
    ),
  },
  responses: {
    202: jsonAnswer(
      z.object({ id: z.string() }),
      "Promised for when it is built: the asset is being fetched",
    ),
    403: problemAnswer("Always, so far (`pull_ingest_disabled`)"),
  },
});
const getRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/assets/{id}",
  summary: "One asset",
  request: { params: idParams },
  responses: { 200: jsonAnswer(assetView, "The asset") },
});
const eventsRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/assets/{id}/events",
  summary: "The asset at each change",
  request: { params: idParams },
  responses: {
    200: {
      description: "`event: asset` with the asset as data; resumes by Last-Event-ID",
      content: { "text/event-stream": { schema: z.string() } },
    },
  },
});
const previewRoute = createRoute({
  ...common,
  ...IDEMPOTENT,
  method: "post",
  path: "/v1/assets/{id}/preview",
  summary: "Watch an asset that is not published",
  request: { params: idParams },
  responses: { 201: jsonAnswer(playbackView, "A playback session") },
});
const retryRoute = createRoute({
  ...common,
  method: "post",
  path: "/v1/assets/{id}/retry",
  summary: "Redo what is missing",
  request: { params: idParams },
  responses: { 202: jsonAnswer(assetView, "The asset, at work again") },
});
const cancelRoute = createRoute({
  ...common,
  method: "post",
  path: "/v1/assets/{id}/cancel",
  summary: "Stop what runs",
  request: { params: idParams },
  responses: { 202: jsonAnswer(assetView, "The asset, cancelled") },
});
const ledgerRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/assets/{id}/ledger",
  summary: "Every attempt at every piece of work",
  request: { params: idParams },
  responses: { 200: jsonAnswer(pageOf(ledgerEntry), "All of it, oldest first") },
});
const conformanceRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/assets/{id}/conformance",
  summary: "What the conformance gate said of the package, rule by rule",
  request: { params: idParams },
  responses: { 200: jsonAnswer(conformanceView, "The report of the present generation") },
});
const deleteRoute = createRoute({
  ...common,
  method: "delete",
  path: "/v1/assets/{id}",
  summary: "Delete the asset and what was made of it",
  request: { params: idParams },
  responses: { 202: jsonAnswer(assetView, "The asset, deleted; its storage is being emptied") },
});

/** Assets: one source file each and what was made of it. */
export function assetRoutes(deps: ApiDeps) {
  const { library } = deps;
  const found = async (tenant: string, id: string): Promise<AssetRecord> => {
    const asset = await findAsset(library, tenant, id);
    if (asset === null) throw notFound("asset");
    return asset;
  };
  const present = (asset: AssetRecord) => presentNow(deps, asset);
  return new OpenAPIHono<ApiEnv>()
    .openapi(listRoute, async (c) => {
      const { limit, cursor, state } = c.req.valid("query");
      const page = await listAssets(library, c.get("caller").tenant, {
        state,
        limit,
        after: decodeCursor(cursor),
      });
      const data = await presentAllNow(deps, page.records);
      return c.json({ data, nextCursor: encodeCursor(page.next) }, 200);
    })
    .openapi(pullRoute, () => {
      throw requestFailure(
        403,
        "pull_ingest_disabled",
        "Pulling from a URL is not enabled here; upload the file.",
      );
    })
    .openapi(getRoute, async (c) => {
      const asset = await found(c.get("caller").tenant, c.req.valid("param").id);
      return c.json(await present(asset), 200);
    })
    .openapi(eventsRoute, async (c) => {
      const { tenant } = c.get("caller");
      const asset = await found(tenant, c.req.valid("param").id);
      return streamAssetEvents(c, deps.watch, tenant, asset._id);
    })
    .openapi(previewRoute, async (c) => {
      const caller = c.get("caller");
      const asset = await found(caller.tenant, c.req.valid("param").id);
      if (!isPlayable(asset)) throw requestFailure(409, "not_playable", "There is nothing to play yet.");
      const answer = await once(c, library, null, (makeId) =>
        openPlayback(deps, caller, {
          asset,
          titleId: null,
          sessionId: makeId("pv"),
          country: countryOf(c, deps.config),
        }),
      );
      return c.json(answer, 201);
    })
    .openapi(retryRoute, async (c) => {
      const { tenant } = c.get("caller");
      const { _id: id } = await found(tenant, c.req.valid("param").id);
      const asset = await retryAsset(library, tenant, id);
      if (asset === null)
        throw refused("not_retryable", "Only a failed or cancelled asset with a source can be retried.");
      await deps.hint.offer(id);
      return c.json(await present(asset), 202);
    })
    .openapi(cancelRoute, async (c) => {
      const { tenant } = c.get("caller");
      const { _id: id, state } = await found(tenant, c.req.valid("param").id);
      const asset = await cancelAsset(library, tenant, id);
      if (asset !== null) return c.json(await present(asset), 202);
      if (state === "cancelled") return c.json(await present(await found(tenant, id)), 202);
      throw refused("not_cancellable", "The asset's work is over.");
    })
    .openapi(ledgerRoute, async (c) => {
      const { tenant } = c.get("caller");
      const { _id: id } = await found(tenant, c.req.valid("param").id);
      const attempts = await readLedger(library, tenant, id);
      const data = attempts.map((attempt) => ({
        versions: {},
        ...attempt,
        startedAt: attempt.startedAt.toISOString(),
        endedAt: attempt.endedAt.toISOString(),
      }));
      return c.json({ data, nextCursor: null }, 200);
    })
    .openapi(conformanceRoute, async (c) => {
      const asset = await found(c.get("caller").tenant, c.req.valid("param").id);
      const generation = asset.generation ?? asset.published?.generation ?? null;
      const report = generation === null ? null : await findConformance(library, asset._id, generation);
      if (report === null) throw notFound("report");
      const { results, proof, checkedAt } = report;
      const answer = { generation: report.generation, checkedAt: checkedAt.toISOString(), results };
      return c.json(proof === undefined ? answer : { ...answer, proof }, 200);
    })
    .openapi(deleteRoute, async (c) => {
      const { tenant } = c.get("caller");
      const { _id: id } = await found(tenant, c.req.valid("param").id);
      // Before anything is gone: caches hold copies that only this takes back.
      await deps.revoker.deleteAsset((await found(tenant, id))._id);
      await markAssetDeleted(library, tenant, id);
      deps.catalog.forget(tenant);
      const asset = await found(tenant, id);
      // At once, so that playback ends now; the reaper looks again for what a worker still wrote.
      void emptyAsset(deps, asset).catch((thrown) =>
        deps.log.warn({ assetId: id, err: thrown }, "not emptied yet"),
      );
      return c.json(await present(asset), 202);
    });
}

function refused(code: string, message: string) {
  return requestFailure(409, code, message);
}
