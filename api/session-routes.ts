import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { notFound } from "../core/errors.ts";
import { findTenantPlayback } from "../stores/library/playbacks.ts";
import { forRole } from "./auth.ts";
import { endSession } from "./claim-stream.ts";
import { idParams } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";

const endRoute = createRoute({
  tags: ["Operations"],
  ...forRole("admin"),
  method: "delete",
  path: "/v1/admin/sessions/{id}",
  summary: "End anybody's session, whose link has leaked; its grants are refused within a minute",
  request: { params: idParams },
  responses: { 204: { description: "The session is over for good" } },
});

/** Playback sessions as far as an administrator deals with those of others. */
export function sessionRoutes(deps: ApiDeps) {
  return new OpenAPIHono<ApiEnv>().openapi(endRoute, async (c) => {
    const { tenant, subject } = c.get("caller");
    const playback = await findTenantPlayback(deps.library, tenant, c.req.valid("param").id);
    if (playback === null) throw notFound("playback session");
    // One that is over too: who ended it may have died before its grants were called back.
    await endSession(deps, playback);
    const { _id: sessionId, subject: of } = playback;
    deps.log.warn({ tenant, sessionId, of, by: subject }, "session ended by an administrator");
    return c.body(null, 204);
  });
}
