import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { isAvailable } from "../core/availability.ts";
import { notFound } from "../core/errors.ts";
import { readCatalogAssets } from "../stores/library/catalog-source.ts";
import { findTitle } from "../stores/library/titles.ts";
import { forRole } from "./auth.ts";
import { countryOf } from "./caller-country.ts";
import { card, cardFacts, cardMaker, shownCatalog, withProgress } from "./catalog-card.ts";
import { type CatalogEntry, entryOf } from "./catalog-entry.ts";
import type { CatalogView } from "./catalog-view.ts";
import { IN_LANGUAGE, idParams, jsonAnswer } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { childrenOf, nextEpisode, parentsOf } from "./episodes.ts";
import { acceptedLanguages, chaptersOf, chapterView, inLanguage, titleTypes } from "./title-view.ts";

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
    next: z.union([card, z.null()]),
  })
  .openapi("CatalogTitle");

const getRoute = createRoute({
  tags: ["Catalog"],
  ...forRole("viewer"),
  ...IN_LANGUAGE,
  method: "get",
  path: "/v1/catalog/titles/{id}",
  summary: "One title, with seasons and episodes",
  request: { params: idParams },
  responses: { 200: jsonAnswer(fullTitle, "The title, where it is available now") },
});

/** A title's page: all of one title that a viewer may see now. */
export function catalogTitleRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  return new OpenAPIHono<ApiEnv>().openapi(getRoute, async (c) => {
    const { tenant, subject } = c.get("caller");
    const view = await shownCatalog(deps, c);
    const entry = await presentEntry(deps, c, c.req.valid("param").id, view);
    const { title, asset } = entry;
    const seasons = childrenOf(view, title._id, "season").map((season) => ({
      season,
      episodes: childrenOf(view, season.title._id, "episode"),
    }));
    const episodes = childrenOf(view, title._id, "episode");
    const next = nextEpisode(view, title);
    const shown = [
      ...[entry, ...episodes, ...(next === null ? [] : [next])],
      ...seasons.flatMap(({ season, episodes: ofSeason }) => [season, ...ofSeason]),
    ];
    const watched = shown.map((one) => deps.desk.position({ tenant, subject, titleId: one.title._id }));
    const positions = (await Promise.all(watched)).filter((position) => position !== null);
    const toCard = withProgress(cardMaker(deps, c, view), positions);
    const languages = acceptedLanguages(c.req.header("Accept-Language"));
    return c.json(
      {
        ...toCard(entry),
        synopsis: inLanguage(title.synopsis, languages),
        genres: title.genres,
        cast: title.cast,
        playable: asset !== null,
        seasons: seasons.map(({ season, episodes: ofSeason }) => ({
          ...toCard(season),
          episodes: ofSeason.map(toCard),
        })),
        episodes: episodes.map(toCard),
        chapters: chaptersOf(title, asset, languages),
        parents: parentsOf(view, title).map(({ title: { _id, type, name } }) => ({
          id: _id,
          type,
          name: inLanguage(name, languages),
        })),
        next: next === null ? null : toCard(next),
      },
      200,
    );
  });
}

/**
 * What the catalog knows of a title that the library itself says may be seen now: a takedown holds at once. Read anew where
 * the catalog was read before it was published, or before it got another asset. Throws 404 where there is nothing to see.
 */
async function presentEntry(
  { library, desk, config }: ApiDeps,
  c: Context<ApiEnv>,
  id: string,
  view: CatalogView,
): Promise<CatalogEntry> {
  const { tenant } = c.get("caller");
  const present = await desk.title({ tenant, id });
  if (present === null || !isAvailable(present, library.serverNow(), countryOf(c, config)))
    throw notFound("title");
  const known = view.get(id);
  if (known !== null && known.title.assetId === present.assetId) return known;
  const title = await findTitle(library, tenant, id);
  if (title === null) throw notFound("title");
  const [asset = null] = await readCatalogAssets(
    library,
    tenant,
    title.assetId === null ? [] : [title.assetId],
  );
  const entry = entryOf(title, asset);
  if (entry === null) throw notFound("title");
  return entry;
}
