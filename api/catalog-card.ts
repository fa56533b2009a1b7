import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { PositionRecord } from "../core/records/playback.ts";
import { resumeAt } from "../core/seen.ts";
import type { CatalogAsset } from "../stores/library/catalog-source.ts";
import { countryOf } from "./caller-country.ts";
import type { CatalogEntry } from "./catalog-entry.ts";
import type { CatalogView } from "./catalog-view.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { posterUrl, posterWindow } from "./granted-url.ts";
import { acceptedLanguages, inLanguage, titleTypes } from "./title-view.ts";

/** What a viewer sees of a title wherever it is named. */
export const cardFacts = {
  id: z.string(),
  type: titleTypes,
  name: z.string(),
  /** Of a season or an episode that has one. */
  number: z.number().int().optional(),
  releaseYear: z.number().int().nullable(),
  maturity: z.string().nullable(),
  durationSeconds: z.number().nullable(),
  posterUrl: z.string().nullable(),
  progressRatio: z.number().min(0).max(1).optional(),
};
export const card = z.object(cardFacts).openapi("Card");
export type Card = z.infer<typeof card>;

/** What this viewer may see, where they are. */
export function shownCatalog({ catalog, config }: ApiDeps, c: Context<ApiEnv>): Promise<CatalogView> {
  return catalog.view(c.get("caller").tenant, countryOf(c, config));
}

export type CardMaker = (entry: CatalogEntry) => Card;

/** Of each entry, the cards that were made of it, by their languages, their poster and how long that is granted. They go with the entry. */
const madeCards = new WeakMap<CatalogEntry, Map<string, Card>>();
const KEPT_CARDS = 8;

/**
 * Makes cards in the languages that the request accepts. A crowd is shown the same ones: they are made once, signature of the poster
 * and all, and not to be changed.
 */
export function cardMaker(deps: ApiDeps, c: Context<ApiEnv>, view: CatalogView): CardMaker {
  const languages = acceptedLanguages(c.req.header("Accept-Language"));
  const now = deps.library.serverNow();
  const when = `${posterWindow(now)} ${languages.join()}`;
  return (entry) => {
    const face = view.faceOf(entry);
    const key = `${when} ${face?._id} ${face?.version}`;
    const made = madeCards.get(entry) ?? new Map<string, Card>();
    const known = made.get(key);
    if (known !== undefined) return known;
    const card = cardOf(deps, entry, face, languages);
    if (made.size >= KEPT_CARDS) made.clear();
    madeCards.set(entry, made.set(key, card));
    return card;
  };
}

function cardOf(
  { config, library }: ApiDeps,
  { title, asset }: CatalogEntry,
  face: CatalogAsset | null,
  languages: readonly string[],
): Card {
  return {
    id: title._id,
    type: title.type,
    name: inLanguage(title.name, languages),
    ...(title.number == null ? {} : { number: title.number }),
    releaseYear: title.releaseYear,
    maturity: title.maturity,
    durationSeconds: asset?.published?.durationSeconds ?? null,
    posterUrl:
      title.artwork.posterUrl ?? (face === null ? null : posterUrl(config, face, library.serverNow())),
  };
}

/** Cards that say how far the account came: 1 where playing would begin anew. */
export function withProgress(toCard: CardMaker, positions: PositionRecord[]): CardMaker {
  const byTitle = new Map(positions.map(({ titleId, positionSeconds }) => [titleId, positionSeconds]));
  return (entry) => {
    const positionSeconds = byTitle.get(entry.title._id);
    const durationSeconds = entry.asset?.published?.durationSeconds;
    if (!positionSeconds || !durationSeconds) return toCard(entry);
    const isSeen = resumeAt(positionSeconds, durationSeconds, entry.title.chapters) === 0;
    return { ...toCard(entry), progressRatio: isSeen ? 1 : positionSeconds / durationSeconds };
  };
}
