import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { isShownIn } from "../core/availability.ts";
import type { PositionRecord } from "../core/records/playback.ts";
import { countryOf } from "./caller-country.ts";
import type { CatalogEntry } from "./catalog.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { posterUrl } from "./granted-url.ts";
import { acceptedLanguages, inLanguage, titleTypes } from "./title-view.ts";

/** What a viewer sees of a title wherever it is named. */
export const cardFacts = {
  id: z.string(),
  type: titleTypes,
  name: z.string(),
  releaseYear: z.number().int().nullable(),
  maturity: z.string().nullable(),
  durationSeconds: z.number().nullable(),
  posterUrl: z.string().nullable(),
  progressRatio: z.number().min(0).max(1).optional(),
};
export const card = z.object(cardFacts).openapi("Card");
export type Card = z.infer<typeof card>;

/** What this viewer may see, where they are. */
export async function shownEntries(
  { catalog, config }: ApiDeps,
  c: Context<ApiEnv>,
): Promise<CatalogEntry[]> {
  const country = countryOf(c, config);
  return (await catalog.entries(c.get("caller").tenant)).filter(({ title }) => isShownIn(title, country));
}

export type CardMaker = (entry: CatalogEntry) => Card;

/** Makes cards in the languages that the request accepts. */
export function cardMaker({ config, library }: ApiDeps, c: Context<ApiEnv>): CardMaker {
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
export function withProgress(toCard: CardMaker, positions: PositionRecord[]): CardMaker {
  const byTitle = new Map(positions.map(({ titleId, positionSeconds }) => [titleId, positionSeconds]));
  return (entry) => {
    const positionSeconds = byTitle.get(entry.title._id);
    const durationSeconds = entry.asset?.published?.durationSeconds;
    if (!positionSeconds || !durationSeconds) return toCard(entry);
    return { ...toCard(entry), progressRatio: Math.min(1, positionSeconds / durationSeconds) };
  };
}
