import { z } from "@hono/zod-openapi";
import type { CatalogEntry } from "./catalog-entry.ts";
import { inLanguage } from "./title-view.ts";

export const sorts = z.enum(["new", "name", "year"]);

/** One order of the whole catalog; those of the same name are the same. */
export interface CatalogOrder {
  name: string;
  /** Makes what compares two entries. */
  comparer(): Compare;
}
type Compare = (a: CatalogEntry, b: CatalogEntry) => number;

const shownSince = ({ title }: CatalogEntry): number =>
  (title.availableFrom ?? title.publishedAt ?? title.createdAt).getTime();
const byId: Compare = (a, b) => (a.title._id < b.title._id ? -1 : 1);

export const NEWEST_FIRST: CatalogOrder = {
  name: "new",
  comparer: () => (a, b) => shownSince(b) - shownSince(a) || byId(a, b),
};

const LATEST_YEAR_FIRST: CatalogOrder = {
  name: "year",
  comparer: () => (a, b) => (b.title.releaseYear ?? 0) - (a.title.releaseYear ?? 0) || byId(a, b),
};

/** By name means: by the name that this viewer is shown. */
export function orderOf(sort: z.infer<typeof sorts>, languages: string[]): CatalogOrder {
  if (sort === "new") return NEWEST_FIRST;
  if (sort === "year") return LATEST_YEAR_FIRST;
  return { name: `name ${languages.join()}`, comparer: () => byName(languages) };
}

function byName(languages: string[]): Compare {
  const collator = new Intl.Collator(languages[0]);
  // Each is looked up once, not with each comparison.
  const names = new Map<CatalogEntry, string>();
  const shown = (entry: CatalogEntry): string => {
    const name = names.get(entry) ?? inLanguage(entry.title.name, languages);
    names.set(entry, name);
    return name;
  };
  return (a, b) => collator.compare(shown(a), shown(b)) || byId(a, b);
}

/**
 * The entries in an order, by the order in which most of them were before: what is new is put into its place. Comparing twenty thousand
 * names anew with each change would take the process from all others.
 */
export function inOrderAgain(
  before: readonly CatalogEntry[],
  entries: readonly CatalogEntry[],
  compare: Compare,
): CatalogEntry[] {
  const added = new Set(entries);
  const kept = before.filter((entry) => added.delete(entry));
  const placed = [...added].sort(compare).map((entry) => ({ entry, at: placeIn(kept, entry, compare) }));
  const made: CatalogEntry[] = [];
  let from = 0;
  for (const { entry, at } of placed) {
    for (; from < at; from++) made.push(kept[from]!);
    made.push(entry);
  }
  for (; from < kept.length; from++) made.push(kept[from]!);
  return made;
}

/** How many of the sorted come before it. */
function placeIn(sorted: readonly CatalogEntry[], entry: CatalogEntry, compare: Compare): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(sorted[middle]!, entry) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
