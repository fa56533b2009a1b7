import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { EncodingChoice } from "../core/encoding.ts";
import { notFound, requestFailure } from "../core/errors.ts";
import { canBePublished, type GenerationRecord, stateOf } from "../core/generations.ts";
import { MAIN_PLAYLIST, packagePrefix } from "../core/keys.ts";
import type { AssetRecord } from "../core/records/asset.ts";
import { findGeneration, listGenerations } from "../stores/library/generations.ts";
import { restoreGeneration, reviseAsset } from "../stores/library/revisions.ts";
import { assetError, assetView } from "./asset-view.ts";
import { forRole } from "./auth.ts";
import type { ApiConfig } from "./config.ts";
import { IDEMPOTENT, idParams, instant, jsonAnswer, jsonBody, pageOf, pageQuery } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { encodingChoice, encodingOf, encodingView } from "./encoding-choice.ts";
import { foundAsset } from "./found.ts";
import { healthOf } from "./generation-health.ts";
import { once } from "./idempotency.ts";
import { decodeCursor, encodeCursor, listDigest } from "./list-cursor.ts";
import { presentNow } from "./present-now.ts";
import { renditionView } from "./rendition-view.ts";
import { presentTrack, trackView } from "./track-view.ts";

const generationView = z
  .object({
    generation: z.string(),
    state: z.enum(["making", "published", "superseded", "failed", "collecting", "collected"]),
    /** Whether `rollback` can show it (again). */
    restorable: z.boolean(),
    createdAt: instant,
    publishedAt: instant.nullable(),
    supersededAt: instant.nullable(),
    /** From when on its objects may be removed; null where they stay. */
    collectAt: instant.nullable(),
    source: z.object({ filename: z.string(), sizeBytes: z.number().int(), etag: z.string() }),
    encoding: encodingView,
    tracks: z.array(trackView),
    durationSeconds: z.number().nullable(),
    renditions: z.array(renditionView),
    error: assetError.nullable(),
    /** How its viewers fare beside those of the generation that was shown before it; null where it never was. */
    health: z
      .object({
        verdict: z.enum(["unknown", "fine", "worse"]),
        /** The generation that it is held against; null: there was none. */
        against: z.string().nullable(),
        sessions: z.number().int(),
        reasons: z.array(
          z.object({
            figure: z.enum(["errorRate", "rebufferRatio", "startupP95Seconds"]),
            before: z.number(),
            now: z.number(),
          }),
        ),
      })
      .nullable(),
  })
  .openapi("Generation");
export type GenerationView = z.infer<typeof generationView>;

const common = { tags: ["Assets"], ...forRole("editor") };
const listRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/assets/{id}/generations",
  summary: "What was made of the asset, newest first",
  request: { params: idParams, query: pageQuery },
  responses: { 200: jsonAnswer(pageOf(generationView), "One page") },
});
const rollbackBody = z.strictObject({ generation: z.string().min(1).max(100) }).openapi("Rollback");
const rollbackRoute = createRoute({
  ...common,
  ...IDEMPOTENT,
  method: "post",
  path: "/v1/assets/{id}/rollback",
  summary: "Show a generation again; also forward again",
  request: { params: idParams, body: jsonBody(rollbackBody) },
  responses: { 202: jsonAnswer(assetView, "The asset, showing that generation") },
});
const reprocessBody = z.strictObject({ encoding: encodingChoice.optional() }).openapi("Reprocess");
const reprocessRoute = createRoute({
  ...common,
  ...IDEMPOTENT,
  method: "post",
  path: "/v1/assets/{id}/reprocess",
  summary: "Make it again, with other settings or another encoder; what is published stays until then",
  request: { params: idParams, body: jsonBody(reprocessBody) },
  responses: { 202: jsonAnswer(assetView, "The asset, at work again") },
});

/** The generations of an asset: what there is, a new one, and back to an old one. */
export function generationRoutes(deps: ApiDeps) {
  const { library } = deps;
  return new OpenAPIHono<ApiEnv>()
    .openapi(listRoute, async (c) => {
      const asset = await foundAsset(library, c.get("caller").tenant, c.req.valid("param").id);
      const query = c.req.valid("query");
      const { limit, cursor } = query;
      const list = listDigest(c, query);
      const after = decodeCursor(cursor, list);
      const page = await listGenerations(library, asset.tenant, asset._id, { limit, after });
      const health = await healthOf(library, asset._id);
      const data = page.records.map((record) => ({
        ...presentGeneration(record, asset),
        health: health.get(record.generation) ?? null,
      }));
      return c.json({ data, nextCursor: encodeCursor(page.next, list) }, 200);
    })
    .openapi(rollbackRoute, async (c) => {
      const { tenant } = c.get("caller");
      const { _id } = await foundAsset(library, tenant, c.req.valid("param").id);
      const body = c.req.valid("json");
      const answer = await once(c, library, body, async () => {
        const asset = await rollBack(deps, tenant, _id, body.generation);
        return presentNow(deps, asset);
      });
      return c.json(answer, 202);
    })
    .openapi(reprocessRoute, async (c) => {
      const { tenant } = c.get("caller");
      const { _id, state } = await foundAsset(library, tenant, c.req.valid("param").id);
      if (state === "waiting") throw requestFailure(409, "asset_not_uploaded", "The upload is not finished.");
      const body = c.req.valid("json");
      const answer = await once(c, library, body, async () => {
        const asset = await reviseAsset(library, tenant, _id, ({ encoding }) => ({
          encoding: body.encoding === undefined ? encoding : anew(encoding, body.encoding, deps.config),
        }));
        await deps.hint.offer(_id);
        return presentNow(deps, asset);
      });
      return c.json(answer, 202);
    });
}

/** What is asked for; whether it is protected stays as it is unless something is said of it. */
function anew(
  { protection }: EncodingChoice,
  asked: z.infer<typeof encodingChoice>,
  config: ApiConfig,
): EncodingChoice {
  return encodingOf({ ...asked, protection: asked.protection ?? protection ?? "none" }, config);
}

async function rollBack(
  { library, blobs, catalog }: ApiDeps,
  tenant: string,
  assetId: string,
  generation: string,
): Promise<AssetRecord> {
  const record = await findGeneration(library, tenant, assetId, generation);
  if (record === null) throw notFound("generation");
  // The records say that its objects are there; the store has the last word.
  if ((await blobs.head("media", packagePrefix(assetId, generation) + MAIN_PLAYLIST)) === null) {
    throw requestFailure(409, "generation_gone", "The objects of this generation are not there (any more).");
  }
  const asset = await restoreGeneration(library, tenant, record);
  catalog.forget(tenant);
  return asset;
}

function presentGeneration(
  record: GenerationRecord,
  asset: AssetRecord,
): Omit<z.infer<typeof generationView>, "health"> {
  const { generation, filename, pinned, encoding, sidecars, durationSeconds, renditions, createdAt } = record;
  const state = stateOf(record, asset);
  const isShown = state === "published";
  const publishedAt = record.publishedAt ?? (isShown ? (asset.published?.at ?? null) : null);
  return {
    generation,
    state,
    restorable: canBePublished(record) && asset.state !== "deleted",
    createdAt: createdAt.toISOString(),
    publishedAt: publishedAt?.toISOString() ?? null,
    supersededAt: isShown ? null : (record.supersededAt?.toISOString() ?? null),
    collectAt: isShown ? null : (record.collectAt?.toISOString() ?? null),
    source: { filename, sizeBytes: pinned.sizeBytes, etag: pinned.etag },
    encoding,
    tracks: sidecars.map(presentTrack),
    durationSeconds,
    renditions,
    error: state === "failed" ? asset.error : null,
  };
}
