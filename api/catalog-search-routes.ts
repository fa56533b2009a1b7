import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { foldWords } from "../core/search-words.ts";
import { forRole } from "./auth.ts";
import { card, cardMaker, shownCatalog } from "./catalog-card.ts";
import { catalogPage } from "./catalog-page.ts";
import { IN_LANGUAGE, jsonAnswer, pageOf, pageQuery } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { listDigest } from "./list-cursor.ts";

const searchRoute = createRoute({
  tags: ["Catalog"],
  ...forRole("viewer"),
  ...IN_LANGUAGE,
  method: "get",
  path: "/v1/catalog/search",
  summary: "Search as you type",
  request: { query: pageQuery.extend({ q: z.string().min(1).max(200) }) },
  responses: { 200: jsonAnswer(pageOf(card), "One page of cards, the best first") },
});

/** Search among what a viewer may see now. */
export function catalogSearchRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  return new OpenAPIHono<ApiEnv>().openapi(searchRoute, async (c) => {
    const query = c.req.valid("query");
    const view = await shownCatalog(deps, c);
    const { page, nextCursor } = catalogPage(view.search(foldWords(query.q)), query, listDigest(c, query));
    return c.json({ data: page.map(cardMaker(deps, c, view)), nextCursor }, 200);
  });
}
