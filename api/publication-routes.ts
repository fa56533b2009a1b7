import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { titleStateAt } from "../core/availability.ts";
import { invalidFields, notFound, requestFailure } from "../core/errors.ts";
import type { TitleRecord } from "../core/records/title.ts";
import { findTitle, type Publication, publishTitle } from "../stores/library/titles.ts";
import { atLeast } from "./auth.ts";
import { BEARER, idParams, instant, jsonAnswer } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { foundTitle } from "./found.ts";
import { changedMeanwhile } from "./if-match.ts";
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

const common = { tags: ["Titles"], security: BEARER, middleware: atLeast("editor") };
const publishRoute = createRoute({
  ...common,
  method: "post",
  path: "/v1/titles/{id}/publish",
  summary: "Show it to viewers, now or in a span of time",
  request: { params: idParams, body: { content: { "application/json": { schema: publication } } } },
  responses: { 200: jsonAnswer(titleView, "published, or scheduled where availableFrom is yet to come") },
});
const unpublishRoute = createRoute({
  ...common,
  method: "post",
  path: "/v1/titles/{id}/unpublish",
  summary: "Take it down",
  request: { params: idParams },
  responses: { 200: jsonAnswer(titleView, "unpublished") },
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
      const changed = await move(deps, found, (title) => {
        if (title.assetId === null && (title.type === "movie" || title.type === "episode")) {
          throw requestFailure(409, "title_incomplete", "There is no asset to show: set assetId first.");
        }
        const state = from !== null && from > now ? "scheduled" : "published";
        const publishedAt = title.publishedAt ?? now;
        return { state, publishedAt, availableFrom: from, availableUntil: until, regions: regions ?? null };
      });
      await showTo(deps, changed);
      return c.json(presentTagged(c, changed, library.serverNow()), 200);
    })
    .openapi(unpublishRoute, async (c) => {
      const title = await foundTitle(library, c.get("caller").tenant, c.req.valid("param").id);
      const changed = await move(deps, title, (present) => {
        if (present.state === "draft")
          throw requestFailure(409, "title_not_published", "The title was never published.");
        const isDown = titleStateAt(present, library.serverNow()) === "unpublished";
        return isDown ? null : { state: "unpublished" };
      });
      // Again too: who took it down may have died before this.
      await deps.revoker.withdraw([changed]);
      return c.json(presentTagged(c, changed, library.serverNow()), 200);
    });
}

/** Lets viewers go on watching, those who may, and stops the others until they may. */
async function showTo({ library, revoker }: ApiDeps, title: TitleRecord): Promise<void> {
  if (title.state === "scheduled") return revoker.withdraw([title]);
  await revoker.restore(title, library.serverNow());
  await revoker.confine(title);
}

/**
 * Moves a title to another state, whoever else writes: reads again and decides again until its write is the next one. null
 * leaves it as it is, and what an editor read of it good.
 */
async function move(
  { library, catalog }: ApiDeps,
  first: TitleRecord,
  decide: (title: TitleRecord) => Publication | null,
): Promise<TitleRecord> {
  let title = first;
  for (let tries = 0; tries < 10; tries++) {
    const change = decide(title);
    if (change === null) return title;
    const changed = await publishTitle(library, title, change);
    if (changed !== null) {
      catalog.forget(title.tenant);
      return changed;
    }
    const again = await findTitle(library, title.tenant, title._id);
    if (again === null) throw notFound("title");
    title = again;
  }
  throw changedMeanwhile("title");
}
