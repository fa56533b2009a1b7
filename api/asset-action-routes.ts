import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { type RequestFailureCode, requestFailure } from "../core/errors.ts";
import { cancelAsset, retryAsset } from "../stores/library/asset-changes.ts";
import { assetView } from "./asset-view.ts";
import { forRole } from "./auth.ts";
import { callingOffUploads } from "./call-off-uploads.ts";
import { countryOf } from "./caller-country.ts";
import { IDEMPOTENT, idParams, jsonAnswer } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { foundAsset } from "./found.ts";
import { once } from "./idempotency.ts";
import { openPlayback } from "./open-playback.ts";
import { isPlayable } from "./playable.ts";
import { playbackView } from "./playback-view.ts";
import { presentNow } from "./present-now.ts";

const common = { tags: ["Assets"], ...forRole("editor") };
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
  summary: "Stop what runs, or call off the upload that it waits for",
  request: { params: idParams },
  responses: { 202: jsonAnswer(assetView, "The asset, cancelled") },
});

/** What an editor does with an asset that is being made: look at it, try again, stop it. */
export function assetActionRoutes(deps: ApiDeps) {
  const { library } = deps;
  return new OpenAPIHono<ApiEnv>()
    .openapi(previewRoute, async (c) => {
      const caller = c.get("caller");
      const asset = await foundAsset(library, caller.tenant, c.req.valid("param").id);
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
      const { _id: id } = await foundAsset(library, tenant, c.req.valid("param").id);
      const asset = await retryAsset(library, tenant, id);
      if (asset === null)
        throw refused("not_retryable", "Only a failed or cancelled asset with a source can be retried.");
      await deps.hint.offer(id);
      return c.json(await presentNow(deps, asset), 202);
    })
    .openapi(cancelRoute, async (c) => {
      const { tenant } = c.get("caller");
      const before = await foundAsset(library, tenant, c.req.valid("param").id);
      const cancel = () => cancelAsset(library, tenant, before._id);
      // What is uploaded for a film that has a master is for a later one of it, and nothing of what runs.
      const waits = before.state === "waiting";
      const asset = await (waits ? callingOffUploads(deps, before, cancel) : cancel());
      const after = asset ?? (await foundAsset(library, tenant, before._id));
      if (after.state === "cancelled") return c.json(await presentNow(deps, after), 202);
      throw refused("not_cancellable", "The asset's work is over.");
    });
}

function refused(code: RequestFailureCode, message: string) {
  return requestFailure(409, code, message);
}
