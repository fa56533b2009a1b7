import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Localized } from "../core/records/title.ts";
import { foldWords } from "../core/search-words.ts";
import { resumeAt } from "../core/seen.ts";
import { listPositions } from "../stores/library/playbacks.ts";
import { forRole } from "./auth.ts";
import { type Card, type CardMaker, card, cardMaker, shownCatalog, withProgress } from "./catalog-card.ts";
import type { CatalogEntry } from "./catalog-entry.ts";
import { NEWEST_FIRST } from "./catalog-order.ts";
import type { CatalogView } from "./catalog-view.ts";
import { IN_LANGUAGE, jsonAnswer } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { acceptedLanguages, inLanguage } from "./title-view.ts";

/** How many titles a row of the home page shows, and how many genres have a row. */
const ROW_LENGTH = 20;
const GENRE_ROWS = 8;
/** Of the rows that are ours. A genre is one word of its editors and is called so in every language. */
const CONTINUE_WATCHING: Localized = { en: "Continue watching", de: "Weiterschauen" };
const TRENDING: Localized = { en: "Trending", de: "Beliebt" };
const NEW: Localized = { en: "New", de: "Neu" };

const homeRoute = createRoute({
  tags: ["Catalog"],
  ...forRole("viewer"),
  ...IN_LANGUAGE,
  method: "get",
  path: "/v1/catalog/home",
  summary: "Rows for the front page",
  responses: {
    200: jsonAnswer(
      z
        .object({ rows: z.array(z.object({ id: z.string(), name: z.string(), titles: z.array(card) })) })
        .openapi("Home"),
      "Continue watching, trending, new, by genre, named in the language that is accepted; empty rows are left out",
    ),
  },
});

/** The front page: rows of what a viewer may see now. */
export function catalogHomeRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { trending } = deps;
  return new OpenAPIHono<ApiEnv>().openapi(homeRoute, async (c) => {
    const { tenant, subject } = c.get("caller");
    const view = await shownCatalog(deps, c);
    const toCard = cardMaker(deps, c, view);
    const languages = acceptedLanguages(c.req.header("Accept-Language"));
    const { newest, genres } = view.once("home", () => rowsOf(view));
    const watched = await continued(deps, tenant, subject, view, toCard);
    const rows = [
      { id: "continue-watching", name: inLanguage(CONTINUE_WATCHING, languages), titles: watched },
      {
        id: "trending",
        name: inLanguage(TRENDING, languages),
        titles: topsOf(await trending(tenant), view).map((entry) => toCard(entry)),
      },
      {
        id: "new",
        name: inLanguage(NEW, languages),
        titles: newest.map((entry) => toCard(entry)),
      },
      ...genres.map(({ genre, titles }) => ({
        id: `genre-${foldWords(genre).join("-")}`,
        name: genre,
        titles: titles.map((entry) => toCard(entry)),
      })),
    ];
    return c.json({ rows: rows.filter(({ titles }) => titles.length > 0) }, 200);
  });
}

/** The rows that are the same for all who see the same. */
function rowsOf(view: CatalogView) {
  const tops = view
    .inOrder(NEWEST_FIRST)
    .filter(({ title }) => title.type === "movie" || title.type === "series");
  return { newest: tops.slice(0, ROW_LENGTH), genres: topGenres(tops) };
}

/** What this account began and has not finished, last watched first. */
async function continued(
  { library }: ApiDeps,
  tenant: string,
  subject: string,
  view: CatalogView,
  toCard: CardMaker,
): Promise<Card[]> {
  const positions = await listPositions(library, tenant, subject, ROW_LENGTH * 2);
  const toCardWithProgress = withProgress(toCard, positions);
  const cards = positions.flatMap(({ titleId, positionSeconds }) => {
    const entry = view.get(titleId);
    const durationSeconds = entry?.asset?.published?.durationSeconds;
    if (entry === null || !durationSeconds) return [];
    const isBegun = resumeAt(positionSeconds, durationSeconds, entry.title.chapters) > 0;
    return isBegun ? [toCardWithProgress(entry)] : [];
  });
  return cards.slice(0, ROW_LENGTH);
}

/** Called as its newest title calls it. */
function topGenres(entries: readonly CatalogEntry[]): { genre: string; titles: CatalogEntry[] }[] {
  const byKey = new Map<string, { genre: string; titles: CatalogEntry[] }>();
  for (const entry of entries) {
    for (const [key, genre] of entry.genres) {
      const row = byKey.get(key) ?? { genre, titles: [] };
      row.titles.push(entry);
      byKey.set(key, row);
    }
  }
  return [...byKey.values()]
    .sort((a, b) => b.titles.length - a.titles.length || (a.genre < b.genre ? -1 : 1))
    .slice(0, GENRE_ROWS)
    .map(({ genre, titles }) => ({ genre, titles: titles.slice(0, ROW_LENGTH) }));
}

/** What a row shows of titles that were played: an episode stands for its series. */
function topsOf(played: readonly string[], view: CatalogView): CatalogEntry[] {
  const tops = new Set<CatalogEntry>();
  for (const id of played) {
    const own = view.get(id);
    const above = own && view.get(own.title.parentId ?? "");
    const top = (above && view.get(above.title.parentId ?? "")) ?? above ?? own;
    if (top !== null) tops.add(top);
  }
  return [...tops].slice(0, ROW_LENGTH);
}
