import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { foldWords } from "../core/search-words.ts";
import { forRole } from "./auth.ts";
import { card, cardMaker, shownCatalog } from "./catalog-card.ts";
import { type CatalogEntry, genreKey } from "./catalog-entry.ts";
import { type CatalogOrder, orderOf, sorts } from "./catalog-order.ts";
import { catalogPage } from "./catalog-page.ts";
import type { CatalogView } from "./catalog-view.ts";
import { cursorText, IN_LANGUAGE, jsonAnswer, pageOf, pageQuery } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { listDigest } from "./list-cursor.ts";
import { acceptedLanguages, titleTypes } from "./title-view.ts";

const filters = z.strictObject({
  limit: pageQuery.shape.limit,
  cursor: cursorText,
  type: titleTypes.optional(),
  genre: z.string().max(100).optional(),
  language: z.string().max(35).optional(),
  maturity: z.string().max(20).optional(),
  year: z.coerce.number().int().min(1).max(9_999).optional(),
  sort: sorts.default("new"),
  q: z.string().max(200).optional(),
});
type Filters = z.infer<typeof filters>;

const listRoute = createRoute({
  tags: ["Catalog"],
  ...forRole("viewer"),
  ...IN_LANGUAGE,
  method: "get",
  path: "/v1/catalog/titles",
  summary: "Browse",
  request: { query: filters },
  responses: { 200: jsonAnswer(pageOf(card), "One page of cards") },
});

/** Browsing: pages of what a viewer may see now, by what they ask for. */
export function catalogBrowseRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  return new OpenAPIHono<ApiEnv>().openapi(listRoute, async (c) => {
    const query = c.req.valid("query");
    const order = orderOf(query.sort, acceptedLanguages(c.req.header("Accept-Language")));
    const view = await shownCatalog(deps, c);
    const { limit: _limit, cursor: _cursor, ...wanted } = query;
    const entries = view.once(`titles ${order.name} ${JSON.stringify(wanted)}`, () =>
      matching(view, order, query),
    );
    const { page, nextCursor } = catalogPage(entries, query, listDigest(c, query, order.name));
    return c.json({ data: page.map(cardMaker(deps, c, view)), nextCursor }, 200);
  });
}

function matching(view: CatalogView, order: CatalogOrder, query: Filters): readonly CatalogEntry[] {
  const words = foldWords(query.q ?? "");
  const found = words.length === 0 ? null : new Set(view.search(words));
  const genre = query.genre === undefined ? null : genreKey(query.genre);
  const isWanted = (entry: CatalogEntry): boolean =>
    (found === null || found.has(entry)) &&
    (genre === null || entry.genres.has(genre)) &&
    matches(entry, query);
  return view.inOrder(order).filter(isWanted);
}

function matches({ title }: CatalogEntry, query: Filters): boolean {
  if (query.type !== undefined && title.type !== query.type) return false;
  if (query.maturity !== undefined && title.maturity !== query.maturity) return false;
  if (query.year !== undefined && title.releaseYear !== query.year) return false;
  return query.language === undefined || title.name[query.language] !== undefined;
}
