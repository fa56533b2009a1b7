import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { LANGUAGE_TAG } from "../core/language-name.ts";
import { setPreferences } from "../stores/library/accounts.ts";
import { forRole } from "./auth.ts";
import { jsonAnswer, jsonBody } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";

/** A tag without a region stands for all of them. */
const languages = z.array(z.string().regex(LANGUAGE_TAG)).max(20);

export const trackPreferences = z
  .strictObject({
    /** Most wanted first. */
    audio: languages.default([]),
    subtitles: languages.default([]),
    /** Only the lines that the film cannot be followed without. */
    forcedOnly: z.boolean().optional(),
  })
  .openapi("TrackPreferences");

const common = { tags: ["Playback"], ...forRole("viewer") };
const getRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/me/preferences",
  summary: "Which sound and text I want",
  responses: { 200: jsonAnswer(trackPreferences, "Empty lists where nothing was said") },
});
const putRoute = createRoute({
  ...common,
  method: "put",
  path: "/v1/me/preferences",
  summary: "Say which sound and text I want",
  request: { body: jsonBody(trackPreferences) },
  responses: { 200: jsonAnswer(trackPreferences, "What holds from the next playback on") },
});

/** What an account wants to hear and read, in all that it plays. */
export function preferenceRoutes({ library, desk }: ApiDeps) {
  return new OpenAPIHono<ApiEnv>()
    .openapi(getRoute, async (c) => {
      const account = await desk.account(c.get("caller"));
      return c.json(account?.preferences ?? { audio: [], subtitles: [] }, 200);
    })
    .openapi(putRoute, async (c) => {
      const { tenant, subject } = c.get("caller");
      const wanted = c.req.valid("json");
      const isNothing = wanted.audio.length + wanted.subtitles.length === 0 && wanted.forcedOnly !== true;
      await setPreferences(library, tenant, subject, isNothing ? null : wanted);
      return c.json(wanted, 200);
    });
}
