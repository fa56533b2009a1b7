import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { notFound, requestFailure } from "../core/errors.ts";
import type { TitleRecord } from "../core/records/title.ts";
import { findAsset, setAssetTitle } from "../stores/library/assets.ts";
import {
  createTitle,
  deleteTitle,
  findTitle,
  listTitles,
  type Publication,
  publishTitle,
  updateTitle,
} from "../stores/library/titles.ts";
import { atLeast } from "./auth.ts";
import {
  BEARER,
  cursorText,
  decodeCursor,
  encodeCursor,
  IDEMPOTENT,
  idParams,
  instant,
  jsonAnswer,
  jsonBody,
  pageOf,
  pageQuery,
} from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { once } from "./idempotency.ts";
import { newTitle, presentTitle, titlePatch, titleTypes, titleView } from "./title-view.ts";

const publication = z
  .strictObject({
    availableFrom: instant.nullable().optional(),
    availableUntil: instant.nullable().optional(),
    regions: z
      .array(z.string().regex(/^[A-Z]{2}$/))
      .max(300)
      .nullable()
      .optional(),
  })
  .openapi("Publication");

const common = { tags: ["Titles"], security: BEARER, middleware: atLeast("editor") };
const createTitleRoute = createRoute({
  ...common,
  ...IDEMPOTENT,
  method: "post",
  path: "/v1/titles",
  summary: "Create a draft",
  request: { body: jsonBody(newTitle) },
  responses: { 201: jsonAnswer(titleView, "The draft") },
});
const listRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/titles",
  summary: "List titles, newest first",
  request: {
    query: z.strictObject({ limit: pageQuery.shape.limit, cursor: cursorText, type: titleTypes.optional() }),
  },
  responses: { 200: jsonAnswer(pageOf(titleView), "One page") },
});
const getRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/titles/{id}",
  summary: "One title",
  request: { params: idParams },
  responses: { 200: jsonAnswer(titleView, "The title; its ETag is what PATCH wants as If-Match") },
});
const patchRoute = createRoute({
  ...common,
  method: "patch",
  path: "/v1/titles/{id}",
  summary: "Change a title (needs If-Match)",
  request: { params: idParams, body: jsonBody(titlePatch) },
  responses: { 200: jsonAnswer(titleView, "The title as it is now") },
});
const deleteRoute = createRoute({
  ...common,
  method: "delete",
  path: "/v1/titles/{id}",
  summary: "Delete a title; its asset stays",
  request: { params: idParams },
  responses: { 204: { description: "Gone" } },
});
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

/** Titles: what viewers browse, made and published by editors. */
export function titleRoutes(deps: ApiDeps) {
  const { library } = deps;
  const found = async (tenant: string, id: string): Promise<TitleRecord> => {
    const title = await findTitle(library, tenant, id);
    if (title === null) throw notFound("title");
    return title;
  };
  const present = (c: Context<ApiEnv>, title: TitleRecord) => {
    c.header("ETag", `"${title.version}"`);
    return presentTitle(title, library.serverNow());
  };
  return new OpenAPIHono<ApiEnv>()
    .openapi(createTitleRoute, async (c) => {
      const body = c.req.valid("json");
      const { tenant } = c.get("caller");
      const answer = await once(c, library, body, async (makeId) => {
        await checkLinks(deps, tenant, body);
        const title = await createTitle(library, tenant, makeId("ti"), {
          synopsis: {},
          genres: [],
          cast: [],
          releaseYear: null,
          maturity: null,
          artwork: { posterUrl: null },
          assetId: null,
          parentId: null,
          ...body,
        });
        if (title.assetId !== null) await setAssetTitle(library, tenant, title.assetId, title._id);
        return presentTitle(title, library.serverNow());
      });
      return c.json(answer, 201, { Location: `/v1/titles/${answer.id}`, ETag: `"${answer.version}"` });
    })
    .openapi(listRoute, async (c) => {
      const { limit, cursor, type } = c.req.valid("query");
      const page = await listTitles(library, c.get("caller").tenant, {
        type,
        limit,
        after: decodeCursor(cursor),
      });
      const now = library.serverNow();
      const data = page.records.map((title) => presentTitle(title, now));
      return c.json({ data, nextCursor: encodeCursor(page.next) }, 200);
    })
    .openapi(getRoute, async (c) => {
      return c.json(present(c, await found(c.get("caller").tenant, c.req.valid("param").id)), 200);
    })
    .openapi(patchRoute, async (c) => {
      const { tenant } = c.get("caller");
      const title = await found(tenant, c.req.valid("param").id);
      const body = c.req.valid("json");
      const version = expectedVersion(c.req.header("If-Match"), title);
      await checkLinks(deps, tenant, body, title._id);
      const changed = await updateTitle(library, tenant, title._id, version, body);
      if (changed === null) throw changedMeanwhile();
      if (body.assetId) await setAssetTitle(library, tenant, body.assetId, title._id);
      if (body.assetId && changed.state !== "draft" && changed.state !== "unpublished")
        await deps.revoker.restore(changed, changed.availableFrom ?? library.serverNow());
      deps.catalog.forget(tenant);
      return c.json(present(c, changed), 200);
    })
    .openapi(deleteRoute, async (c) => {
      const { tenant } = c.get("caller");
      const title = await found(tenant, c.req.valid("param").id);
      if (!(await deleteTitle(library, tenant, title._id))) throw notFound("title");
      deps.catalog.forget(tenant);
      await deps.revoker.withdraw(title);
      return c.body(null, 204);
    })
    .openapi(publishRoute, async (c) => {
      const { tenant } = c.get("caller");
      const { availableFrom, availableUntil, regions } = c.req.valid("json") ?? {};
      const now = library.serverNow();
      const from = availableFrom ? new Date(availableFrom) : null;
      const until = availableUntil ? new Date(availableUntil) : null;
      if (until !== null && until <= (from ?? now)) {
        const fields = [
          { path: "availableUntil", message: "must lie in the future and behind availableFrom" },
        ];
        throw requestFailure(400, "invalid_request", "The request is not valid.", fields);
      }
      const changed = await move(deps, await found(tenant, c.req.valid("param").id), (title) => {
        if (title.assetId === null && (title.type === "movie" || title.type === "episode")) {
          throw requestFailure(409, "title_incomplete", "There is no asset to show: set assetId first.");
        }
        const state = from !== null && from > now ? "scheduled" : "published";
        const publishedAt = title.publishedAt ?? now;
        return { state, publishedAt, availableFrom: from, availableUntil: until, regions: regions ?? null };
      });
      await deps.revoker.restore(changed, from !== null && from > now ? from : now);
      return c.json(present(c, changed), 200);
    })
    .openapi(unpublishRoute, async (c) => {
      const title = await found(c.get("caller").tenant, c.req.valid("param").id);
      const changed = await move(deps, title, ({ state }) => {
        if (state === "draft")
          throw requestFailure(409, "title_not_published", "The title was never published.");
        return { state: "unpublished" };
      });
      await deps.revoker.withdraw(changed);
      return c.json(present(c, changed), 200);
    });
}

/** Moves a title to another state, whoever else writes: reads again and decides again until its write is the next one. */
async function move(
  { library, catalog }: ApiDeps,
  first: TitleRecord,
  decide: (title: TitleRecord) => Publication,
): Promise<TitleRecord> {
  let title = first;
  for (let tries = 0; tries < 10; tries++) {
    const changed = await publishTitle(library, title, decide(title));
    if (changed !== null) {
      catalog.forget(title.tenant);
      return changed;
    }
    const again = await findTitle(library, title.tenant, title._id);
    if (again === null) throw notFound("title");
    title = again;
  }
  throw changedMeanwhile();
}

/** RFC 9110 §13.1.1 If-Match; RFC 6585 §3: 428 where it is needed and absent. */
function expectedVersion(ifMatch: string | undefined, title: TitleRecord): number {
  if (ifMatch === undefined) {
    throw requestFailure(428, "precondition_required", "Send the ETag of the title you saw as If-Match.");
  }
  if (ifMatch.trim() === "*") return title.version;
  const matches = ifMatch.split(",").some((tag) => tag.trim() === `"${title.version}"`);
  if (!matches) throw changedMeanwhile();
  return title.version;
}

function changedMeanwhile() {
  return requestFailure(412, "version_conflict", "The title was changed meanwhile; read it again.");
}

/** What a title points to must be the tenant's own and, for a parent, of a kind that can hold it. */
async function checkLinks(
  { library }: ApiDeps,
  tenant: string,
  links: { assetId?: string | null; parentId?: string | null },
  own?: string,
): Promise<void> {
  const fields = [];
  if (links.assetId) {
    const asset = await findAsset(library, tenant, links.assetId);
    if (asset === null || asset.state === "deleted")
      fields.push({ path: "assetId", message: "is not an asset" });
  }
  if (links.parentId) {
    const parent = await findTitle(library, tenant, links.parentId);
    const holds =
      parent !== null && (parent.type === "series" || parent.type === "season") && parent._id !== own;
    if (!holds) fields.push({ path: "parentId", message: "is not a series or season" });
  }
  if (fields.length > 0) throw requestFailure(400, "invalid_request", "The request is not valid.", fields);
}
