import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { atLeast } from "./auth.ts";
import { type CatalogEntry, foldWords, searchScore } from "./catalog.ts";
import { card, cardMaker, shownEntries } from "./catalog-card.ts";
import { NEWEST_FIRST } from "./catalog-order.ts";
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
    const found = search(await shownEntries(deps, c, NEWEST_FIRST), q).slice(0, limit);
    return c.json({ data: found.map(cardMaker(deps, c)), nextCursor: null }, 200);
  });
}

/** The best first; of those that answer as well, in the order they come in. */
function search(entries: CatalogEntry[], q: string): CatalogEntry[] {
  const wanted = foldWords(q);
  if (wanted.length === 0) return [];
  const scored = entries.flatMap((entry) => {
    const score = searchScore(entry, wanted);
    return score === null ? [] : [{ entry, score }];
  });
  return scored.sort((a, b) => b.score - a.score).map(({ entry }) => entry);
}
