import type { Outbox } from "../webhook-event.ts";

export type TitleType = "movie" | "series" | "season" | "episode";

export type TitleState = "draft" | "scheduled" | "published" | "unpublished";

/** A text in several languages, by BCP-47 tag (`{ "en": "…", "de": "…" }`). */
export type Localized = Record<string, string>;

export const CHAPTER_KINDS = ["intro", "recap", "credits"] as const;

/** A part of a film that viewers can go to. Its kind lets a player offer to skip it, or what comes next. */
export interface Chapter {
  startSeconds: number;
  name: Localized;
  kind: (typeof CHAPTER_KINDS)[number] | null;
}

/** What viewers browse. `_id` is a `ti_` id. */
export interface TitleRecord extends Outbox {
  _id: string;
  tenant: string;
  state: TitleState;
  version: number;
  type: TitleType;
  name: Localized;
  synopsis: Localized;
  genres: string[];
  cast: string[];
  releaseYear: number | null;
  maturity: string | null;
  artwork: { posterUrl: string | null };
  /** By their start; absent where none were ever given. */
  chapters?: Chapter[];
  assetId: string | null;
  parentId: string | null;
  /** Of a season or an episode: which one it is among those beside it; absent or null where nobody said. */
  number?: number | null;
  availableFrom: Date | null;
  availableUntil: Date | null;
  regions: string[] | null;
  createdAt: Date;
  updatedAt: Date;
  publishedAt: Date | null;
}
