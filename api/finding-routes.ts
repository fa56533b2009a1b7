import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { notFound, requestFailure } from "../core/errors.ts";
import { waiveFinding } from "../stores/library/findings.ts";
import { assetView } from "./asset-view.ts";
import { forRole } from "./auth.ts";
import { idParams, jsonAnswer, jsonBody } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { foundAsset } from "./found.ts";
import { presentNow } from "./present-now.ts";

const waiveRoute = createRoute({
  tags: ["Assets"],
  ...forRole("editor"),
  method: "post",
  path: "/v1/assets/{id}/findings/{code}/waive",
  summary: "Accept a finding that stops publication, by name and with a reason",
  request: {
    params: idParams.extend({ code: z.string().min(1).max(100) }),
    body: jsonBody(z.strictObject({ reason: z.string().trim().min(1).max(1_000) })),
  },
  responses: { 200: jsonAnswer(assetView, "The asset, gone on where nothing else holds it back") },
});

/** What a person decides about findings. Whatever was waived before is answered the same again. */
export function findingRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { library, hint } = deps;
  return new OpenAPIHono<ApiEnv>().openapi(waiveRoute, async (c) => {
    const { tenant, subject } = c.get("caller");
    const { id, code } = c.req.valid("param");
    const asset = await foundAsset(library, tenant, id);
    const found = asset.findings.filter((finding) => finding.code === code);
    if (found.length === 0) throw notFound("finding");
    if (asset.state === "deleted" || !found.some(({ severity }) => severity === "error"))
      throw requestFailure(409, "nothing_to_waive", "This finding stops nothing: only errors are waived.");
    const { reason } = c.req.valid("json");
    const waived = await waiveFinding(library, tenant, id, { code, by: subject, reason });
    if (waived === null) throw notFound("asset");
    await hint.offer(id);
    return c.json(await presentNow(deps, waived), 200);
  });
}
