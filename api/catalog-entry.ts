import type { TitleRecord } from "../core/records/title.ts";
import { foldWords } from "../core/search-words.ts";
import type { CatalogAsset } from "../stores/library/catalog-source.ts";

/** A title that viewers may see at some time, with what it shows (nothing behind a series or a season). Never changed: another one takes its place. */
export interface CatalogEntry {
  title: TitleRecord;
  asset: CatalogAsset | null;
  /** Its names, genres and cast as folded words, for search. */
  words: readonly string[];
  /** Its genres, as its editors wrote them, by their keys. */
  genres: ReadonlyMap<string, string>;
}

/** The entry, or null for what has nothing to show and holds nothing that has. */
export function entryOf(title: TitleRecord, asset: CatalogAsset | null): CatalogEntry | null {
  const shown = asset !== null && isShown(asset) ? asset : null;
  const holdsOthers = title.type === "series" || title.type === "season";
  if (shown === null && !holdsOthers) return null;
  // Of those that are the same the first one counts.
  const genres = new Map(title.genres.toReversed().map((genre) => [genreKey(genre), genre]));
  return { title, asset: shown, words: wordsOf(title), genres };
}

/** Whether an asset has something that viewers are given. */
function isShown({ published, state }: Pick<CatalogAsset, "published" | "state">): boolean {
  return published !== null && state !== "deleted";
}

/** The same for genres that differ in case alone: which one is meant, and not how one of its editors wrote it. */
export function genreKey(genre: string): string {
  return genre.normalize("NFC").toLowerCase();
}

function wordsOf({ name, genres, cast }: TitleRecord): string[] {
  return [...new Set([...Object.values(name), ...genres, ...cast].flatMap(foldWords))];
}
