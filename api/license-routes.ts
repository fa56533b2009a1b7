import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { keyIdOf, licenseOf } from "../core/clear-key.ts";
import { notFound, notJson, requestFailure } from "../core/errors.ts";
import { findContentKey } from "../stores/library/content-keys.ts";
import { forRole } from "./auth.ts";
import { countryOf } from "./caller-country.ts";
import { jsonAnswer } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { invalidRequest } from "./problem.ts";
import { spendLicense } from "./rate-limit.ts";
import { refuseIfOver } from "./session-over.ts";

/** W3C EME 9.1.3: what a browser's ClearKey sends; base64url of 16 bytes each. */
const licenseRequest = z.strictObject({
  kids: z
    .array(z.string().regex(/^[A-Za-z0-9_-]{22}$/))
    .min(1)
    .max(16),
  type: z.enum(["temporary", "persistent-license"]).optional(),
});
const license = z
  .object({
    keys: z.array(z.object({ kty: z.literal("oct"), kid: z.string(), k: z.string() })),
    type: z.literal("temporary"),
  })
  .openapi("License");

const DESCRIBED = { $ref: "#/components/schemas/LicenseRequest" };
const licenseRoute = createRoute({
  tags: ["Playback"],
  ...forRole("viewer"),
  method: "post",
  path: "/v1/playback/{sessionId}/license",
  summary: "The ClearKey licence of a protected film; no cache may keep it",
  request: {
    params: z.object({ sessionId: z.string().min(1).max(200) }),
    // Only described here, and read below: players send it without saying that it is JSON.
    body: { required: true, content: { "application/json": { schema: DESCRIBED } } },
  },
  responses: { 200: jsonAnswer(license, "A JSON Web Key Set") },
});

/**
 * Gives a session the key of what it watches, and no other: to the session's own account, while the session lasts and the film may be
 * seen (RELIABILITY T33). A DRM system's licence server would answer here instead.
 */
export function licenseRoutes(deps: ApiDeps) {
  const { library, config, desk, limits, log } = deps;
  const routes = new OpenAPIHono<ApiEnv>();
  routes.openAPIRegistry.register("LicenseRequest", licenseRequest);
  return routes.openapi(licenseRoute, async (c) => {
    const { tenant, subject } = c.get("caller");
    // First, since a slow sender must not be judged by what was true before.
    const body = await c.req.text();
    const watched = await desk.watched({ tenant, subject, id: c.req.valid("param").sessionId });
    if (watched === null) throw notFound("playback session");
    const { playback } = watched;
    await spendLicense(limits, playback._id);
    const { kids } = readRequest(body);
    await refuseIfOver(deps, watched, countryOf(c, config));
    const { keyId, assetId } = playback;
    if (keyId === undefined) throw requestFailure(409, "not_protected", "This film needs no licence.");
    if (kids.some((kid) => keyIdOf(kid) !== keyId)) throw notFound("key");
    const contentKey = await findContentKey(library, config.masterKeys, assetId);
    if (contentKey?.keyId !== keyId) throw notFound("key");
    log.info({ sessionId: playback._id, assetId, keyId }, "licence given");
    return c.json(licenseOf([contentKey]), 200);
  });
}

function readRequest(body: string): z.infer<typeof licenseRequest> {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw notJson();
  }
  const parsed = licenseRequest.safeParse(json);
  if (!parsed.success) throw invalidRequest(parsed.error);
  return parsed.data;
}
