import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { foldWords } from "../core/search-words.ts";
import { atLeast } from "./auth.ts";
import { card, cardMaker, shownCatalog } from "./catalog-card.ts";
import { BEARER, jsonAnswer, pageOf, pageQuery } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";

const searchRoute = createRoute({
  tags: ["Catalog"],
  security: BEARER,
  middleware: atLeast("viewer"),
  method: "get",
  path: "/v1/catalog/search",
  summary: "Search as you type",
  request: { query: z.strictObject({ q: z.string().min(1).max(200), limit: pageQuery.shape.limit }) },
  responses: { 200: jsonAnswer(pageOf(card), "Ranked cards") },
});

/** Search among what a viewer may see now. */
export function catalogSearchRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  return new OpenAPIHono<ApiEnv>().openapi(searchRoute, async (c) => {
    const { q, limit } = c.req.valid("query");
    const view = await shownCatalog(deps, c);
    const found = view.search(foldWords(q)).slice(0, limit);
    return c.json({ data: found.map(cardMaker(deps, c, view)), nextCursor: null }, 200);
  });
}
