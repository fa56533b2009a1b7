import {
  type CatalogChanges,
  readCatalogAssets,
  readCatalogChanges,
  readShownTitles,
} from "../stores/library/catalog-source.ts";
import type { Library } from "../stores/library/connect.ts";
import { type CatalogContents, openContents } from "./catalog-contents.ts";

/** One tenant's catalog, read at most about once a second however many browse it. */
export interface CatalogShelf {
  /** As it is now. Throws where it was never read, or too long ago, and the library is away. */
  present(): Promise<CatalogContents>;
  /** The next reader gets what is true now: something of the tenant changed here. */
  forget(): void;
}

/** A change made by another process shows after this. */
const FRESH_MS = 1_000;
/** So long the catalog goes on without the library (RELIABILITY F20). */
const STALE_MS = 60_000;
/** Looking for changes is not done more often than this many times its own cost. */
const COST_FACTOR = 10;
/** A change is looked for this long behind the moment that it bears: clocks differ, and writes take their time. */
const OVERLAP_MS = 60_000;
/** All of it is read again beside what changes, for what no moment tells: a copy that was played back, a record mended by hand. */
const ANEW_MS = 10 * 60_000;

export function openShelf(library: Library, tenant: string, anewMs = ANEW_MS): CatalogShelf {
  const contents = openContents();
  const shelf = { readAt: Number.NEGATIVE_INFINITY, freshMs: 0, anewAt: Number.NEGATIVE_INFINITY };
  /** From when on changes are still to be looked for; null before anything was read. */
  let since: Date | null = null;
  /** Counted up by each change made here: a reading that began before it may lack it. */
  let changes = 0;
  let reading: { changes: number; done: Promise<void> } | null = null;
  let all: { since: Date; records: Pick<CatalogChanges, "titles" | "assets"> } | null = null;
  let isReadingAll = false;

  const readAll = async (): Promise<void> => {
    shelf.anewAt = performance.now() + anewMs;
    const from = overlapFrom(library);
    const titles = await readShownTitles(library, tenant);
    const ids = titles.flatMap(({ assetId }) => (assetId === null ? [] : [assetId]));
    all = { since: from, records: { titles, assets: await readCatalogAssets(library, tenant, ids) } };
  };
  const readAllBeside = (): void => {
    if (isReadingAll || performance.now() < shelf.anewAt) return;
    isReadingAll = true;
    // What has changed is read as ever meanwhile, and where this fails it is tried when it is due again.
    const end = (): void => {
      isReadingAll = false;
    };
    readAll().then(end, end);
  };
  /** What was changed since all of it began to be read is looked for once more: it may be as it was then. */
  const takeUpAll = (): void => {
    if (all === null) return;
    contents.replace(all.records, all.since);
    if (since === null || all.since < since) since = all.since;
    all = null;
  };
  const readChanges = async (from: Date): Promise<void> => {
    const next = overlapFrom(library);
    contents.apply(await readCatalogChanges(library, tenant, from));
    const missing = contents.missingAssetIds();
    if (missing.length > 0) {
      const assets = await readCatalogAssets(library, tenant, missing);
      contents.apply({ titles: [], removedTitleIds: [], assets });
    }
    since = next;
  };
  const read = async (changesBefore: number): Promise<void> => {
    const began = performance.now();
    if (since === null) await readAll();
    else readAllBeside();
    takeUpAll();
    const changesBegan = performance.now();
    await readChanges(since ?? overlapFrom(library));
    const costMs = performance.now() - changesBegan;
    shelf.readAt = began;
    shelf.freshMs = changesBefore === changes ? Math.max(FRESH_MS, costMs * COST_FACTOR) : 0;
  };
  /** Readings follow each other: one that came late would bring back what the next one has seen go. */
  const refresh = (): Promise<void> => {
    if (reading?.changes === changes) return reading.done;
    const before = reading?.done.catch(() => undefined);
    const changesBefore = changes;
    const own = { changes, done: Promise.resolve(before).then(() => read(changesBefore)) };
    reading = own;
    const end = (): void => {
      if (reading === own) reading = null;
    };
    own.done.then(end, end);
    return own.done;
  };
  return {
    async present() {
      const ageMs = performance.now() - shelf.readAt;
      if (ageMs < shelf.freshMs) return contents;
      try {
        await refresh();
      } catch (thrown) {
        if (ageMs > STALE_MS) throw thrown;
      }
      return contents;
    },
    forget() {
      changes += 1;
      // Kept for the case that the library is away, but not fresh any more.
      shelf.freshMs = 0;
    },
  };
}

function overlapFrom(library: Library): Date {
  return new Date(library.serverNow().getTime() - OVERLAP_MS);
}
