import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { markAssetDeleted } from "../stores/library/asset-changes.ts";
import { listAssets } from "../stores/library/assets.ts";
import { streamAssetEvents } from "./asset-events.ts";
import { assetStates, assetView } from "./asset-view.ts";
import { forRole } from "./auth.ts";
import { callingOffUploads } from "./call-off-uploads.ts";
import { cursorText, idParams, jsonAnswer, pageOf, pageQuery } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { foundAsset } from "./found.ts";
import { decodeCursor, encodeCursor, listDigest } from "./list-cursor.ts";
import { presentAllNow, presentNow } from "./present-now.ts";
import { emptyAsset } from "./reap-assets.ts";

const common = { tags: ["Assets"], ...forRole("editor") };
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
const getRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/assets/{id}",
  summary: "One asset",
  request: { params: idParams },
  responses: { 200: jsonAnswer(assetView, "The asset") },
});
const deleteRoute = createRoute({
  ...common,
  method: "delete",
  path: "/v1/assets/{id}",
  summary: "Delete the asset and what was made of it",
  request: { params: idParams },
  responses: { 202: jsonAnswer(assetView, "The asset, deleted; its storage is being emptied") },
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

/** Assets: one source file each and what was made of it. */
export function assetRoutes(deps: ApiDeps) {
  const { library } = deps;
  return new OpenAPIHono<ApiEnv>()
    .openapi(listRoute, async (c) => {
      const query = c.req.valid("query");
      const { limit, cursor, state } = query;
      const list = listDigest(c, query);
      const page = await listAssets(library, c.get("caller").tenant, {
        state,
        limit,
        after: decodeCursor(cursor, list),
      });
      const data = await presentAllNow(deps, page.records);
      return c.json({ data, nextCursor: encodeCursor(page.next, list) }, 200);
    })
    .openapi(getRoute, async (c) => {
      const asset = await foundAsset(library, c.get("caller").tenant, c.req.valid("param").id);
      return c.json(await presentNow(deps, asset), 200);
    })
    .openapi(deleteRoute, async (c) => {
      const { tenant } = c.get("caller");
      const found = await foundAsset(library, tenant, c.req.valid("param").id);
      const { _id: id } = found;
      // Before anything is gone: caches hold copies that only this takes back.
      await deps.revoker.deleteAsset(id);
      await callingOffUploads(deps, found, () => markAssetDeleted(library, tenant, id));
      deps.catalog.forget(tenant);
      const asset = await foundAsset(library, tenant, id);
      // At once, so that playback ends now; the reaper looks again for what a worker still wrote.
      void emptyAsset(deps, asset).catch((thrown) =>
        deps.log.warn({ assetId: id, err: thrown }, "not emptied yet"),
      );
      return c.json(await presentNow(deps, asset), 202);
    })
    .openapi(eventsRoute, async (c) => {
      const { tenant } = c.get("caller");
      const asset = await foundAsset(library, tenant, c.req.valid("param").id);
      return streamAssetEvents(c, deps.watch, tenant, asset._id);
    });
}
