import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { notFound } from "../core/errors.ts";
import { atLeast, ofInstallation } from "./auth.ts";
import { bearerOf, jsonAnswer } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";

const keyParams = z.object({ kid: z.string().min(1).max(16) });
const revokedKey = z
  .object({
    kid: z.string(),
    /** What still signs and verifies, the signing one first. */
    liveKids: z.array(z.string()),
  })
  .openapi("RevokedGrantKey");

const revokeRoute = createRoute({
  tags: ["Operations"],
  security: bearerOf("admin"),
  middleware: [atLeast("admin"), ofInstallation("grant key")] as const,
  method: "post",
  path: "/v1/grant-keys/{kid}/revoke",
  summary: "Give up a key that may be in other hands; every grant it signed is refused within a minute",
  request: { params: keyParams },
  responses: { 200: jsonAnswer(revokedKey, "The key is revoked for good") },
});

/** The keys that sign grants, as far as an administrator deals with them while we run. */
export function grantKeyRoutes({ revoker, config, log }: ApiDeps) {
  return new OpenAPIHono<ApiEnv>().openapi(revokeRoute, async (c) => {
    const { kid } = c.req.valid("param");
    if (!(await revoker.revokeKey(kid))) throw notFound("grant key");
    log.warn({ kid, by: c.get("caller").subject }, "grant key revoked");
    return c.json({ kid, liveKids: config.grantKeys.map((key) => key.kid) }, 200);
  });
}
