import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { setAssetTitle } from "../stores/library/asset-changes.ts";
import { createTitle, listTitles, updateTitle } from "../stores/library/titles.ts";
import { forRole } from "./auth.ts";
import { cursorText, IDEMPOTENT, idParams, jsonAnswer, jsonBody, pageOf, pageQuery } from "./contract.ts";
import { deleteTitle } from "./delete-title.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { foundTitle } from "./found.ts";
import { once } from "./idempotency.ts";
import { changedMeanwhile, expectedVersion } from "./if-match.ts";
import { decodeCursor, encodeCursor, listDigest } from "./list-cursor.ts";
import { problemAnswer } from "./problem-answers.ts";
import { checkPlace } from "./title-place.ts";
import { presentTagged } from "./title-version.ts";
import { newTitle, presentTitle, titlePatch, titleTypes, titleView } from "./title-view.ts";

const common = { tags: ["Titles"], ...forRole("editor") };
const createTitleRoute = createRoute({
  ...common,
  ...IDEMPOTENT,
  method: "post",
  path: "/v1/titles",
  summary: "Create a draft",
  request: { body: jsonBody(newTitle) },
  responses: { 201: jsonAnswer(titleView, "The draft", ["ETag", "Location"]) },
});
const listRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/titles",
  summary: "List titles, newest first",
  request: {
    query: z.strictObject({
      limit: pageQuery.shape.limit,
      cursor: cursorText,
      type: titleTypes.optional(),
      assetId: z.string().min(1).max(100).optional().openapi({ description: "Those that show it" }),
    }),
  },
  responses: { 200: jsonAnswer(pageOf(titleView), "One page") },
});
const getRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/titles/{id}",
  summary: "One title",
  request: { params: idParams },
  responses: { 200: jsonAnswer(titleView, "The title; its ETag is what PATCH wants as If-Match", ["ETag"]) },
});
const patchRoute = createRoute({
  ...common,
  method: "patch",
  path: "/v1/titles/{id}",
  summary: "Change a title (needs If-Match)",
  request: { params: idParams, body: jsonBody(titlePatch) },
  responses: {
    200: jsonAnswer(titleView, "The title as it is now", ["ETag"]),
    428: problemAnswer("If-Match is missing (`precondition_required`)"),
  },
});
const deleteRoute = createRoute({
  ...common,
  method: "delete",
  path: "/v1/titles/{id}",
  summary: "Delete a title; its asset stays",
  request: { params: idParams },
  responses: { 204: { description: "Gone" } },
});

/** Titles: what viewers browse, made by editors. */
export function titleRoutes(deps: ApiDeps) {
  const { library } = deps;
  return new OpenAPIHono<ApiEnv>()
    .openapi(createTitleRoute, async (c) => {
      const body = c.req.valid("json");
      const { tenant } = c.get("caller");
      const answer = await once(c, library, body, async (makeId) => {
        await checkPlace(deps, tenant, body.type, body);
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
      const query = c.req.valid("query");
      const { limit, cursor, type, assetId } = query;
      const list = listDigest(c, query);
      const page = await listTitles(library, c.get("caller").tenant, {
        type,
        assetId,
        limit,
        after: decodeCursor(cursor, list),
      });
      const now = library.serverNow();
      const data = page.records.map((title) => presentTitle(title, now));
      return c.json({ data, nextCursor: encodeCursor(page.next, list) }, 200);
    })
    .openapi(getRoute, async (c) => {
      const title = await foundTitle(library, c.get("caller").tenant, c.req.valid("param").id);
      return c.json(presentTagged(c, title, library.serverNow()), 200);
    })
    .openapi(patchRoute, async (c) => {
      const { tenant } = c.get("caller");
      const title = await foundTitle(library, tenant, c.req.valid("param").id);
      const body = c.req.valid("json");
      const version = expectedVersion(c.req.header("If-Match"), "title", title.version);
      await checkPlace(deps, tenant, title.type, body);
      const changed = await updateTitle(library, tenant, title._id, version, body);
      if (changed === null) throw changedMeanwhile("title");
      if (body.assetId) await setAssetTitle(library, tenant, body.assetId, title._id);
      if (body.assetId && changed.state !== "draft" && changed.state !== "unpublished")
        await deps.revoker.restore(changed, changed.availableFrom ?? library.serverNow());
      deps.catalog.forget(tenant);
      return c.json(presentTagged(c, changed, library.serverNow()), 200);
    })
    .openapi(deleteRoute, async (c) => {
      await deleteTitle(deps, c.get("caller").tenant, c.req.valid("param").id);
      return c.body(null, 204);
    });
}
