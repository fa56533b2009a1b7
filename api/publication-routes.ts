import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { invalidFields, notFound, requestFailure } from "../core/errors.ts";
import type { TitleRecord } from "../core/records/title.ts";
import { forRole } from "./auth.ts";
import { idParams, instant, jsonAnswer } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { foundTitle } from "./found.ts";
import { moveTitle } from "./move-title.ts";
import { takeDownWhole } from "./take-down.ts";
import { presentTagged } from "./title-version.ts";
import { titleView } from "./title-view.ts";

const publication = z
  .strictObject({
    availableFrom: instant.nullable().optional(),
    availableUntil: instant.nullable().optional(),
    regions: z
      .array(z.string().regex(/^[A-Z]{2}$/))
      .max(300)
      .nullable()
      .optional()
      .openapi({ description: "ISO 3166-1 alpha-2; null and an empty list: everywhere" }),
  })
  .openapi("Publication");

const common = { tags: ["Titles"], ...forRole("editor") };
const publishRoute = createRoute({
  ...common,
  method: "post",
  path: "/v1/titles/{id}/publish",
  summary: "Show it to viewers, now or in a span of time",
  description:
    "Itself alone: the seasons and episodes that went with a series or season that was taken down are published one by one.",
  request: { params: idParams, body: { content: { "application/json": { schema: publication } } } },
  responses: {
    200: jsonAnswer(titleView, "published, or scheduled where availableFrom is yet to come", ["ETag"]),
  },
});
const unpublishRoute = createRoute({
  ...common,
  method: "post",
  path: "/v1/titles/{id}/unpublish",
  summary: "Take it down; a series or season with all that is a part of it",
  description:
    "Each season and episode that was published or scheduled is taken down as if by itself, with a version and an event of its own; drafts stay drafts. The same call again does what an earlier one did not come to.",
  request: { params: idParams },
  responses: { 200: jsonAnswer(titleView, "unpublished", ["ETag"]) },
});

/** When and where viewers see a title: shown, in a span of time, or taken down. */
export function publicationRoutes(deps: ApiDeps) {
  const { library } = deps;
  return new OpenAPIHono<ApiEnv>()
    .openapi(publishRoute, async (c) => {
      const { tenant } = c.get("caller");
      const { availableFrom, availableUntil, regions } = c.req.valid("json") ?? {};
      const now = library.serverNow();
      const from = availableFrom ? new Date(availableFrom) : null;
      const until = availableUntil ? new Date(availableUntil) : null;
      if (until !== null && until <= (from ?? now)) {
        throw invalidFields([
          { path: "availableUntil", message: "must lie in the future and behind availableFrom" },
        ]);
      }
      const found = await foundTitle(library, tenant, c.req.valid("param").id);
      const changed = await moveTitle(deps, found, (title) => {
        if (title.assetId === null && (title.type === "movie" || title.type === "episode")) {
          throw requestFailure(409, "title_incomplete", "There is no asset to show: set assetId first.");
        }
        const state = from !== null && from > now ? "scheduled" : "published";
        const publishedAt = title.publishedAt ?? now;
        return { state, publishedAt, availableFrom: from, availableUntil: until, regions: regions ?? null };
      });
      if (changed === null) throw notFound("title");
      await showTo(deps, changed);
      return c.json(presentTagged(c, changed, library.serverNow()), 200);
    })
    .openapi(unpublishRoute, async (c) => {
      const title = await foundTitle(library, c.get("caller").tenant, c.req.valid("param").id);
      const down = await takeDownWhole(deps, title);
      return c.json(presentTagged(c, down, library.serverNow()), 200);
    });
}

/** Lets viewers go on watching, those who may, and stops the others until they may. */
async function showTo({ library, revoker }: ApiDeps, title: TitleRecord): Promise<void> {
  if (title.state === "scheduled") return revoker.withdraw([title]);
  await revoker.restore(title, library.serverNow());
  await revoker.confine(title);
}
