import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { isAvailable, isShownIn } from "../core/availability.ts";
import { notFound } from "../core/errors.ts";
import type { PositionRecord } from "../core/records/playback.ts";
import { findPublishedAssets } from "../stores/library/assets.ts";
import { listPositions } from "../stores/library/playbacks.ts";
import { findTitle } from "../stores/library/titles.ts";
import { atLeast } from "./auth.ts";
import { countryOf } from "./caller-country.ts";
import { type CatalogEntry, foldWords, searchScore } from "./catalog.ts";
import {
  BEARER,
  cursorText,
  decodeJson,
  encodeJson,
  idParams,
  jsonAnswer,
  pageOf,
  pageQuery,
} from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { childrenOf, nextEpisode, parentsOf } from "./episodes.ts";
import { posterUrl } from "./granted-url.ts";
import { resumeAt } from "./playback-view.ts";
import { acceptedLanguages, chaptersOf, chapterView, inLanguage, titleTypes } from "./title-view.ts";

/** How many titles a row of the home page shows, and how many genres have a row. */
const ROW_LENGTH = 20;
const GENRE_ROWS = 8;
/** Of so many titles that the account watched last, a title's page says how far it came. */
const KNOWN_POSITIONS = 200;

const cardFacts = {
  id: z.string(),
  type: titleTypes,
  name: z.string(),
  releaseYear: z.number().int().nullable(),
  maturity: z.string().nullable(),
  durationSeconds: z.number().nullable(),
  posterUrl: z.string().nullable(),
  progressRatio: z.number().min(0).max(1).optional(),
};
const card = z.object(cardFacts).openapi("Card");
type Card = z.infer<typeof card>;

const fullTitle = z
  .object({
    ...cardFacts,
    synopsis: z.string(),
    genres: z.array(z.string()),
    cast: z.array(z.string()),
    playable: z.boolean(),
    seasons: z.array(z.object({ ...cardFacts, episodes: z.array(card) })),
    episodes: z.array(card),
    chapters: z.array(chapterView),
    /** What an episode is a part of, the series first. */
    parents: z.array(z.object({ id: z.string(), type: titleTypes, name: z.string() })),
    /** The episode behind this one. */
    next: card.nullable(),
  })
  .openapi("CatalogTitle");

const sorts = z.enum(["new", "name", "year"]);
const filters = z.strictObject({
  limit: pageQuery.shape.limit,
  cursor: cursorText,
  type: titleTypes.optional(),
  genre: z.string().max(100).optional(),
  language: z.string().max(35).optional(),
  maturity: z.string().max(20).optional(),
  year: z.coerce.number().int().optional(),
  sort: sorts.default("new"),
  q: z.string().max(200).optional(),
});
type Filters = z.infer<typeof filters>;

const common = { tags: ["Catalog"], security: BEARER, middleware: atLeast("viewer") };
const homeRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/catalog/home",
  summary: "Rows for the front page",
  responses: {
    200: jsonAnswer(
      z
        .object({ rows: z.array(z.object({ id: z.string(), name: z.string(), titles: z.array(card) })) })
        .openapi("Home"),
      "Continue watching, trending, new, by genre; empty rows are left out",
    ),
  },
});
const listRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/catalog/titles",
  summary: "Browse",
  request: { query: filters },
  responses: { 200: jsonAnswer(pageOf(card), "One page of cards") },
});
const getRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/catalog/titles/{id}",
  summary: "One title, with seasons and episodes",
  request: { params: idParams },
  responses: { 200: jsonAnswer(fullTitle, "The title, where it is available now") },
});
const searchRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/catalog/search",
  summary: "Search as you type",
  request: { query: z.strictObject({ q: z.string().min(1).max(200), limit: pageQuery.shape.limit }) },
  responses: { 200: jsonAnswer(pageOf(card), "Ranked cards") },
});

/** The catalog: what a viewer may see now, and nothing else. */
export function catalogRoutes(deps: ApiDeps) {
  const { library, catalog, trending, config } = deps;
  /** What this viewer may see, where they are. */
  const entriesFor = async (c: Context<ApiEnv>): Promise<CatalogEntry[]> => {
    const country = countryOf(c, config);
    return (await catalog.entries(c.get("caller").tenant)).filter(({ title }) => isShownIn(title, country));
  };
  return new OpenAPIHono<ApiEnv>()
    .openapi(homeRoute, async (c) => {
      const { tenant, subject } = c.get("caller");
      const toCard = cardMaker(deps, c);
      const entries = await entriesFor(c);
      const tops = entries.filter(({ title }) => title.type === "movie" || title.type === "series");
      const watched = await continued(deps, tenant, subject, entries, toCard);
      const newest = [...tops].sort(newestFirst).slice(0, ROW_LENGTH);
      const rows = [
        { id: "continue-watching", name: "Continue watching", titles: watched },
        {
          id: "trending",
          name: "Trending",
          titles: topsOf(await trending(tenant), entries).map((entry) => toCard(entry)),
        },
        { id: "new", name: "New", titles: newest.map((entry) => toCard(entry)) },
        ...topGenres(tops).map(({ genre, found }) => ({
          id: `genre-${foldWords(genre).join("-")}`,
          name: genre,
          titles: found.slice(0, ROW_LENGTH).map((entry) => toCard(entry)),
        })),
      ];
      return c.json({ rows: rows.filter(({ titles }) => titles.length > 0) }, 200);
    })
    .openapi(listRoute, async (c) => {
      const query = c.req.valid("query");
      const entries = (await entriesFor(c)).filter((entry) => matches(entry, query));
      const { page, nextCursor } = pageAfter(
        entries.sort(orderOf(query.sort, acceptedLanguages(c.req.header("Accept-Language")))),
        query,
      );
      return c.json({ data: page.map(cardMaker(deps, c)), nextCursor }, 200);
    })
    .openapi(getRoute, async (c) => {
      const { tenant, subject } = c.get("caller");
      // From the library itself, not from what was read a moment ago: a takedown holds at once.
      const title = await findTitle(library, tenant, c.req.valid("param").id);
      if (title === null || !isAvailable(title, library.serverNow(), countryOf(c, config)))
        throw notFound("title");
      const assets = await findPublishedAssets(
        library,
        tenant,
        title.assetId === null ? [] : [title.assetId],
      );
      const [asset = null] = assets.values();
      if (asset === null && (title.type === "movie" || title.type === "episode")) throw notFound("title");
      const positions = await listPositions(library, tenant, subject, KNOWN_POSITIONS);
      const toCard = withProgress(cardMaker(deps, c), positions);
      const languages = acceptedLanguages(c.req.header("Accept-Language"));
      const entries = await entriesFor(c);
      const known = entries.find((entry) => entry.title._id === title._id);
      const next = nextEpisode(entries, title);
      return c.json(
        {
          ...toCard({ title, asset, face: asset ?? known?.face ?? null, words: [] }),
          synopsis: inLanguage(title.synopsis, languages),
          genres: title.genres,
          cast: title.cast,
          playable: asset !== null,
          seasons: childrenOf(entries, title._id, "season").map((season) => ({
            ...toCard(season),
            episodes: childrenOf(entries, season.title._id, "episode").map(toCard),
          })),
          episodes: childrenOf(entries, title._id, "episode").map(toCard),
          chapters: chaptersOf(title, asset, languages),
          parents: parentsOf(entries, title).map(({ title: { _id, type, name } }) => ({
            id: _id,
            type,
            name: inLanguage(name, languages),
          })),
          next: next === null ? null : toCard(next),
        },
        200,
      );
    })
    .openapi(searchRoute, async (c) => {
      const { q, limit } = c.req.valid("query");
      const found = search(await entriesFor(c), q).slice(0, limit);
      return c.json({ data: found.map(cardMaker(deps, c)), nextCursor: null }, 200);
    });
}

type CardMaker = (entry: CatalogEntry) => Card;

function cardMaker({ config, library }: ApiDeps, c: Context<ApiEnv>): CardMaker {
  const languages = acceptedLanguages(c.req.header("Accept-Language"));
  const now = library.serverNow();
  return ({ title, asset, face }) => ({
    id: title._id,
    type: title.type,
    name: inLanguage(title.name, languages),
    releaseYear: title.releaseYear,
    maturity: title.maturity,
    durationSeconds: asset?.published?.durationSeconds ?? null,
    posterUrl: title.artwork.posterUrl ?? (face === null ? null : posterUrl(config, face, now)),
  });
}

/** Cards that say how far the account came. */
function withProgress(toCard: CardMaker, positions: PositionRecord[]): CardMaker {
  const byTitle = new Map(positions.map(({ titleId, positionSeconds }) => [titleId, positionSeconds]));
  return (entry) => {
    const positionSeconds = byTitle.get(entry.title._id);
    const durationSeconds = entry.asset?.published?.durationSeconds;
    if (!positionSeconds || !durationSeconds) return toCard(entry);
    return { ...toCard(entry), progressRatio: Math.min(1, positionSeconds / durationSeconds) };
  };
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

function topGenres(entries: CatalogEntry[]): { genre: string; found: CatalogEntry[] }[] {
  const byGenre = new Map<string, CatalogEntry[]>();
  for (const entry of entries) {
    for (const genre of entry.title.genres) byGenre.set(genre, [...(byGenre.get(genre) ?? []), entry]);
  }
  const rows = [...byGenre].map(([genre, found]) => ({ genre, found }));
  return rows
    .sort((a, b) => b.found.length - a.found.length || (a.genre < b.genre ? -1 : 1))
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

function matches({ title, words }: CatalogEntry, query: Filters): boolean {
  if (query.type !== undefined && title.type !== query.type) return false;
  if (query.genre !== undefined && !title.genres.includes(query.genre)) return false;
  if (query.maturity !== undefined && title.maturity !== query.maturity) return false;
  if (query.year !== undefined && title.releaseYear !== query.year) return false;
  if (query.language !== undefined && title.name[query.language] === undefined) return false;
  return (
    query.q === undefined ||
    searchScore({ title, words, asset: null, face: null }, foldWords(query.q)) !== null
  );
}

type Order = (a: CatalogEntry, b: CatalogEntry) => number;

const shownSince = ({ title }: CatalogEntry): number =>
  (title.availableFrom ?? title.publishedAt ?? title.createdAt).getTime();
const byId: Order = (a, b) => (a.title._id < b.title._id ? -1 : 1);
const newestFirst: Order = (a, b) => shownSince(b) - shownSince(a) || byId(a, b);

/** By name means: by the name that this viewer is shown. */
function orderOf(sort: Filters["sort"], languages: string[]): Order {
  if (sort === "new") return newestFirst;
  if (sort === "year") return (a, b) => (b.title.releaseYear ?? 0) - (a.title.releaseYear ?? 0) || byId(a, b);
  const shown = ({ title }: CatalogEntry): string => inLanguage(title.name, languages);
  return (a, b) => shown(a).localeCompare(shown(b), languages[0]) || byId(a, b);
}

const catalogPosition = z.strictObject({ id: z.string().max(200), index: z.number().int().min(0) });

/** The page behind the cursor: behind the title it names or, where that is gone, where it stood. */
function pageAfter(entries: CatalogEntry[], { cursor, limit }: Filters) {
  const after = cursor === undefined ? null : decodeJson(catalogPosition, cursor);
  const known = after === null ? -1 : entries.findIndex(({ title }) => title._id === after.id);
  const start = after === null ? 0 : known >= 0 ? known + 1 : after.index;
  const page = entries.slice(start, start + limit);
  const last = page.at(-1);
  const more = start + limit < entries.length && last !== undefined;
  return { page, nextCursor: more ? encodeJson({ id: last.title._id, index: start + limit }) : null };
}

function search(entries: CatalogEntry[], q: string): CatalogEntry[] {
  const wanted = foldWords(q);
  if (wanted.length === 0) return [];
  const scored = entries.flatMap((entry) => {
    const score = searchScore(entry, wanted);
    return score === null ? [] : [{ entry, score }];
  });
  return scored.sort((a, b) => b.score - a.score || newestFirst(a.entry, b.entry)).map(({ entry }) => entry);
}
