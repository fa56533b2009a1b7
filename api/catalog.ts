import type { Library } from "../stores/library/connect.ts";
import type { CatalogEntry } from "./catalog-entry.ts";
import { type CatalogShelf, openShelf } from "./catalog-shelf.ts";
import { type CatalogView, openView } from "./catalog-view.ts";

export interface Catalog {
  /**
   * What the tenant's viewers in `country` (null: nobody knows where) may see now, whoever changed it a second ago. Throws a
   * `transient` Failure where the library is away and was not read within a minute.
   */
  view(tenant: string, country: string | null): Promise<CatalogView>;
  /** The next reader gets what is true now: something of the tenant changed here. */
  forget(tenant: string): void;
}

/** More countries than a tenant's viewers come from at once. */
const KEPT_VIEWS = 60;

/** What was made of one list of entries, for all who look. */
interface Shown {
  entries: readonly CatalogEntry[];
  isRegional: boolean;
  views: Map<string | null, CatalogView>;
}

/** The catalog of each tenant: kept up by its changes, and looked at by any number of viewers for what one of them costs. */
export function openCatalog(library: Library): Catalog {
  const shelves = new Map<string, CatalogShelf>();
  const shown = new Map<string, Shown>();
  const shelfOf = (tenant: string): CatalogShelf => {
    const shelf = shelves.get(tenant) ?? openShelf(library, tenant);
    shelves.set(tenant, shelf);
    return shelf;
  };
  return {
    async view(tenant, country) {
      const { entries, scores } = await presentContents(shelfOf(tenant));
      const before = shown.get(tenant);
      const present = before?.entries === entries ? before : newlyShown(entries);
      shown.set(tenant, present);
      // Where no title names a country, all see the same.
      const key = present.isRegional ? country : null;
      const known = present.views.get(key);
      const now = library.serverNow();
      if (known !== undefined && (known.until === null || known.until > now)) return known;
      const last = known ?? before?.views.get(key) ?? null;
      const view = openView(entries, scores, { now, country, before: last });
      if (present.views.size >= KEPT_VIEWS) present.views.clear();
      present.views.set(key, view);
      return view;
    },
    forget: (tenant) => shelfOf(tenant).forget(),
  };
}

async function presentContents(shelf: CatalogShelf) {
  const contents = await shelf.present();
  return { entries: contents.entries(), scores: contents.scores };
}

function newlyShown(entries: readonly CatalogEntry[]): Shown {
  const isRegional = entries.some(({ title }) => title.regions !== null && title.regions.length > 0);
  return { entries, isRegional, views: new Map() };
}
