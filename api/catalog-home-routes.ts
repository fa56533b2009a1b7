import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Localized } from "../core/records/title.ts";
import { listPositions } from "../stores/library/playbacks.ts";
import { atLeast } from "./auth.ts";
import { type CatalogEntry, foldWords, genreKey } from "./catalog.ts";
import { type Card, type CardMaker, card, cardMaker, shownEntries, withProgress } from "./catalog-card.ts";
import { NEWEST_FIRST } from "./catalog-order.ts";
import { BEARER, jsonAnswer } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { resumeAt } from "./playback-view.ts";
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
  security: BEARER,
  middleware: atLeast("viewer"),
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
    const toCard = cardMaker(deps, c);
    const languages = acceptedLanguages(c.req.header("Accept-Language"));
    const entries = await shownEntries(deps, c, NEWEST_FIRST);
    const tops = entries.filter(({ title }) => title.type === "movie" || title.type === "series");
    const watched = await continued(deps, tenant, subject, entries, toCard);
    const rows = [
      { id: "continue-watching", name: inLanguage(CONTINUE_WATCHING, languages), titles: watched },
      {
        id: "trending",
        name: inLanguage(TRENDING, languages),
        titles: topsOf(await trending(tenant), entries).map((entry) => toCard(entry)),
      },
      {
        id: "new",
        name: inLanguage(NEW, languages),
        titles: tops.slice(0, ROW_LENGTH).map((entry) => toCard(entry)),
      },
      ...topGenres(tops).map(({ genre, found }) => ({
        id: `genre-${foldWords(genre).join("-")}`,
        name: genre,
        titles: [...found].slice(0, ROW_LENGTH).map((entry) => toCard(entry)),
      })),
    ];
    return c.json({ rows: rows.filter(({ titles }) => titles.length > 0) }, 200);
  });
}

/** What this account began and has not finished, last watched first. */
async function continued(
  { library }: ApiDeps,
  tenant: string,
  subject: string,
  entries: CatalogEntry[],
  toCard: CardMaker,
): Promise<Card[]> {
  const byId = new Map(entries.map((entry) => [entry.title._id, entry]));
  const positions = await listPositions(library, tenant, subject, ROW_LENGTH * 2);
  const toCardWithProgress = withProgress(toCard, positions);
  const cards = positions.flatMap(({ titleId, positionSeconds }) => {
    const entry = byId.get(titleId);
    const durationSeconds = entry?.asset?.published?.durationSeconds;
    if (entry === undefined || !durationSeconds || resumeAt(positionSeconds, durationSeconds) === 0)
      return [];
    return [toCardWithProgress(entry)];
  });
  return cards.slice(0, ROW_LENGTH);
}

/** Called as its newest title calls it. */
function topGenres(entries: CatalogEntry[]): { genre: string; found: ReadonlySet<CatalogEntry> }[] {
  const byKey = new Map<string, { genre: string; found: Set<CatalogEntry> }>();
  for (const entry of entries) {
    for (const genre of entry.title.genres) {
      const row = byKey.get(genreKey(genre)) ?? { genre, found: new Set() };
      row.found.add(entry);
      byKey.set(genreKey(genre), row);
    }
  }
  return [...byKey.values()]
    .sort((a, b) => b.found.size - a.found.size || (a.genre < b.genre ? -1 : 1))
    .slice(0, GENRE_ROWS);
}

/** What a row shows of titles that were played: an episode stands for its series. */
function topsOf(played: readonly string[], entries: readonly CatalogEntry[]): CatalogEntry[] {
  const byTitle = new Map(entries.map((entry) => [entry.title._id, entry]));
  const tops = new Set<CatalogEntry>();
  for (const id of played) {
    const own = byTitle.get(id);
    const above = own && byTitle.get(own.title.parentId ?? "");
    const top = (above && byTitle.get(above.title.parentId ?? "")) ?? above ?? own;
    if (top !== undefined) tops.add(top);
  }
  return [...tops].slice(0, ROW_LENGTH);
}
