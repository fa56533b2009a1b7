import type { TitleRecord, TitleType } from "../core/records/title.ts";
import type { CatalogEntry } from "./catalog-entry.ts";
import type { CatalogView } from "./catalog-view.ts";

/** The seasons or episodes of a title by their numbers, then those without one in the order in which they were made. */
export function childrenOf(view: CatalogView, parentId: string, type: "season" | "episode"): CatalogEntry[] {
  const children = view.partsOf(parentId).filter(({ title }) => title.type === type);
  return children.reverse().sort((a, b) => placeOf(a) - placeOf(b));
}

/** Behind every number where there is none. */
function placeOf({ title }: CatalogEntry): number {
  return title.number ?? Number.MAX_SAFE_INTEGER;
}

/** What a title is a part of, as far as viewers may see it: the outermost first. */
export function parentsOf(view: CatalogView, title: TitleRecord): CatalogEntry[] {
  const season = parentOf(view, title, ["series", "season"]);
  if (season === null) return [];
  const series = parentOf(view, season.title, ["series"]);
  return series === null ? [season] : [series, season];
}

/** The episode behind one, in its season or at the beginning of a later one; null where it is the last, or none. */
export function nextEpisode(view: CatalogView, title: TitleRecord): CatalogEntry | null {
  if (title.type !== "episode" || title.parentId === null) return null;
  const siblings = childrenOf(view, title.parentId, "episode");
  const own = siblings.findIndex((entry) => entry.title._id === title._id);
  if (own === -1) return null;
  const sibling = siblings[own + 1];
  if (sibling !== undefined) return sibling;
  const season = parentOf(view, title, ["season"]);
  if (season === null || season.title.parentId === null) return null;
  const seasons = childrenOf(view, season.title.parentId, "season");
  const later = seasons.slice(seasons.indexOf(season) + 1);
  return later.flatMap((one) => childrenOf(view, one.title._id, "episode"))[0] ?? null;
}

function parentOf(
  view: CatalogView,
  { parentId }: TitleRecord,
  types: readonly TitleType[],
): CatalogEntry | null {
  if (parentId === null) return null;
  const parent = view.get(parentId);
  return parent !== null && types.includes(parent.title.type) ? parent : null;
}
