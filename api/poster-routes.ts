import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { notFound } from "../core/errors.ts";
import { postersOf } from "../core/posters.ts";
import { choosePoster } from "../stores/library/asset-changes.ts";
import { assetView } from "./asset-view.ts";
import { forRole } from "./auth.ts";
import { idParams, jsonAnswer, jsonBody } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { foundAsset } from "./found.ts";
import { isPlayable } from "./playable.ts";
import { presentNow } from "./present-now.ts";

const choice = z.strictObject({ id: z.string().min(1).max(100) }).openapi("PosterChoice");
const posterRoute = createRoute({
  tags: ["Assets"],
  ...forRole("editor"),
  method: "post",
  path: "/v1/assets/{id}/poster",
  summary: "Choose the poster that viewers see",
  request: { params: idParams, body: jsonBody(choice) },
  responses: { 200: jsonAnswer(assetView, "The asset with its choice") },
});

/** Which of the offered posters viewers see. Choosing the same one again changes nothing. */
export function posterRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { library, catalog } = deps;
  return new OpenAPIHono<ApiEnv>().openapi(posterRoute, async (c) => {
    const { tenant } = c.get("caller");
    const { id: assetId } = c.req.valid("param");
    const { id } = c.req.valid("json");
    const asset = await foundAsset(library, tenant, assetId);
    const poster = isPlayable(asset) ? postersOf(asset).find((one) => one.id === id) : undefined;
    if (poster === undefined) throw notFound("poster");
    const chosen = await choosePoster(library, tenant, assetId, poster.atSeconds);
    if (chosen === null) throw notFound("asset");
    catalog.forget(tenant);
    return c.json(await presentNow(deps, chosen), 200);
  });
}
