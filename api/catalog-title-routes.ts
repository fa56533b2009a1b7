import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { isAvailable } from "../core/availability.ts";
import { notFound } from "../core/errors.ts";
import { findPublishedAssets } from "../stores/library/assets.ts";
import { listPositions } from "../stores/library/playbacks.ts";
import { findTitle } from "../stores/library/titles.ts";
import { atLeast } from "./auth.ts";
import { countryOf } from "./caller-country.ts";
import { card, cardFacts, cardMaker, shownEntries, withProgress } from "./catalog-card.ts";
import { BEARER, idParams, jsonAnswer } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { childrenOf, nextEpisode, parentsOf } from "./episodes.ts";
import { acceptedLanguages, chaptersOf, chapterView, inLanguage, titleTypes } from "./title-view.ts";

/** Of so many titles that the account watched last, a title's page says how far it came. */
const KNOWN_POSITIONS = 200;

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
  security: BEARER,
  middleware: atLeast("viewer"),
  method: "get",
  path: "/v1/catalog/titles/{id}",
  summary: "One title, with seasons and episodes",
  request: { params: idParams },
  responses: { 200: jsonAnswer(fullTitle, "The title, where it is available now") },
});

/** A title's page: all of one title that a viewer may see now. */
export function catalogTitleRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { library, config } = deps;
  return new OpenAPIHono<ApiEnv>().openapi(getRoute, async (c) => {
    const { tenant, subject } = c.get("caller");
    // From the library itself, not from what was read a moment ago: a takedown holds at once.
    const title = await findTitle(library, tenant, c.req.valid("param").id);
    if (title === null || !isAvailable(title, library.serverNow(), countryOf(c, config)))
      throw notFound("title");
    const assets = await findPublishedAssets(library, tenant, title.assetId === null ? [] : [title.assetId]);
    const [asset = null] = assets.values();
    if (asset === null && (title.type === "movie" || title.type === "episode")) throw notFound("title");
    const positions = await listPositions(library, tenant, subject, KNOWN_POSITIONS);
    const toCard = withProgress(cardMaker(deps, c), positions);
    const languages = acceptedLanguages(c.req.header("Accept-Language"));
    const entries = await shownEntries(deps, c);
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
  });
}
