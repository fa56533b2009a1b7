import type { TitleRecord } from "../core/records/title.ts";
import { openWordIndex } from "../core/word-index.ts";
import type { CatalogAsset, CatalogChanges } from "../stores/library/catalog-source.ts";
import { type CatalogEntry, entryOf } from "./catalog-entry.ts";
import type { Scores } from "./catalog-view.ts";

/** All that is known of one tenant's catalog, kept up by what changes. */
export interface CatalogContents {
  /** Last made first: the same list until something in it changes. */
  entries(): readonly CatalogEntry[];
  scores: Scores;
  /** Takes up what was read, and leaves alone what it knows already. What it lacks then is for `missingAssetIds` to say. */
  apply(changes: CatalogChanges): void;
  /** The same of a reading of everything, begun at `since`: what was known by then and is not in it is gone. */
  replace(all: Pick<CatalogChanges, "titles" | "assets">, since: Date): void;
  /** Assets that titles name and nobody has read. */
  missingAssetIds(): string[];
}

/** A record that says the same as the one that is known is not taken for another: what was made of it stays good. */
interface Versioned {
  _id: string;
  version: number;
}

export function openContents(): CatalogContents {
  const titles = new Map<string, TitleRecord>();
  const assets = new Map<string, CatalogAsset>();
  const index = openWordIndex(({ words }: CatalogEntry) => words);
  let entries: readonly CatalogEntry[] = [];
  let isStale = false;

  const keep = <T extends Versioned>(known: Map<string, T>, record: T): void => {
    if (known.get(record._id)?.version === record.version) return;
    known.set(record._id, record);
    isStale = true;
  };
  const keepTitle = (title: TitleRecord): void => {
    if (title.state === "published" || title.state === "scheduled") keep(titles, title);
    else drop(title._id);
  };
  const drop = (titleId: string): void => {
    if (titles.delete(titleId)) isStale = true;
  };
  /** An asset that no title shows is of no concern here, however often it changes. */
  const namedAssets = (): Set<string | null> => new Set([...titles.values()].map(({ assetId }) => assetId));

  return {
    entries() {
      if (isStale) {
        const known = new Map(entries.map((entry) => [entry.title._id, entry]));
        const made = entriesOf(titles, assets, known);
        const kept = new Set(made);
        index.replace(
          entries.filter((entry) => !kept.has(entry)),
          made.filter((entry) => known.get(entry.title._id) !== entry),
        );
        entries = made;
        isStale = false;
      }
      return entries;
    },
    scores: (words) => index.scores(words),
    apply(changes) {
      for (const titleId of changes.removedTitleIds) drop(titleId);
      for (const title of changes.titles) keepTitle(title);
      const named = namedAssets();
      for (const asset of changes.assets) if (named.has(asset._id)) keep(assets, asset);
    },
    replace(all, since) {
      const there = new Set(all.titles.map(({ _id }) => _id));
      for (const [id, { updatedAt }] of titles) if (!there.has(id) && updatedAt < since) drop(id);
      for (const title of all.titles) {
        // What was read of it since then is newer.
        if ((titles.get(title._id)?.version ?? 0) < title.version) keepTitle(title);
      }
      for (const asset of all.assets)
        if ((assets.get(asset._id)?.version ?? 0) < asset.version) keep(assets, asset);
      const named = namedAssets();
      for (const id of assets.keys()) if (!named.has(id)) assets.delete(id);
    },
    missingAssetIds: () => [...namedAssets()].filter((id): id is string => id !== null && !assets.has(id)),
  };
}

/** Last made first; of what says the same as before, the same entry as before. */
function entriesOf(
  titles: ReadonlyMap<string, TitleRecord>,
  assets: ReadonlyMap<string, CatalogAsset>,
  known: ReadonlyMap<string, CatalogEntry>,
): CatalogEntry[] {
  const made = [...titles.values()].flatMap((title) => {
    const asset = title.assetId === null ? null : (assets.get(title.assetId) ?? null);
    const before = known.get(title._id);
    const entry = before?.title === title && before.asset === asset ? before : entryOf(title, asset);
    return entry === null ? [] : [entry];
  });
  const madeAt = ({ title }: CatalogEntry): number => title.createdAt.getTime();
  return made.sort((a, b) => madeAt(b) - madeAt(a));
}
