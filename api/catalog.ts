import type { AssetRecord } from "../core/records/asset.ts";
import type { TitleRecord } from "../core/records/title.ts";
import { findPublishedAssets } from "../stores/library/assets.ts";
import type { Library } from "../stores/library/connect.ts";
import { listAvailableTitles } from "../stores/library/titles.ts";
import type { CatalogOrder } from "./catalog-order.ts";

/** A title that a viewer may see now, with the package behind it (none behind a series or a season). */
export interface CatalogEntry {
  title: TitleRecord;
  asset: AssetRecord | null;
  /** The package whose poster stands for it: its own, or that of the first episode in it. */
  face: AssetRecord | null;
  /** Its names, genres and cast as folded words, for search. */
  words: string[];
}

export interface Catalog {
  /** Everything the tenant's viewers may see now, last made first unless another order is asked for. Entries are shared: not to be changed. */
  entries(tenant: string, order?: CatalogOrder): Promise<CatalogEntry[]>;
  /** The next reader gets what is true now: something of the tenant changed here. */
  forget(tenant: string): void;
}

/** A change made by another process shows after this. */
const FRESH_MS = 1_000;
/** So long the catalog goes on without the library (RELIABILITY F20). */
const STALE_MS = 60_000;
/** Reading a large catalog is not done more often than this many times its own cost. */
const COST_FACTOR = 10;
/** A list query of the library stays under this; a larger catalog needs a prepared answer. */
const MAX_ENTRIES = 5_000;
/** Each viewer's languages may make an order of their own. */
const KEPT_ORDERS = 20;

interface Snapshot {
  entries: CatalogEntry[];
  /** The same, sorted, by the order's name: sorting thousands of names for each who looks would take the process from all others. */
  sorted: Map<string, CatalogEntry[]>;
  readAt: number;
  freshMs: number;
}

/** The catalog of each tenant, read at most about once a second however many browse it. */
export function openCatalog(library: Library): Catalog {
  const snapshots = new Map<string, Snapshot>();
  const reading = new Map<string, Promise<Snapshot>>();
  const read = async (tenant: string): Promise<Snapshot> => {
    const began = performance.now();
    const entries = await readEntries(library, tenant);
    const costMs = performance.now() - began;
    const freshMs = Math.max(FRESH_MS, costMs * COST_FACTOR);
    return { entries, sorted: new Map(), readAt: began, freshMs };
  };
  const refresh = (tenant: string): Promise<Snapshot> => {
    const running = reading.get(tenant);
    if (running !== undefined) return running;
    const started: Promise<Snapshot> = read(tenant)
      .then((snapshot) => {
        // Forgotten while it was read: it may lack the change, so nobody else gets it.
        if (reading.get(tenant) === started) snapshots.set(tenant, snapshot);
        return snapshot;
      })
      .finally(() => {
        if (reading.get(tenant) === started) reading.delete(tenant);
      });
    reading.set(tenant, started);
    return started;
  };
  const present = async (tenant: string): Promise<Snapshot> => {
    const known = snapshots.get(tenant);
    const age = known === undefined ? Number.POSITIVE_INFINITY : performance.now() - known.readAt;
    if (known !== undefined && age < known.freshMs) return known;
    try {
      return await refresh(tenant);
    } catch (thrown) {
      if (known === undefined || age > STALE_MS) throw thrown;
      return known;
    }
  };
  return {
    async entries(tenant, order) {
      const snapshot = await present(tenant);
      const entries = order === undefined ? snapshot.entries : inOrder(snapshot, order);
      return stillAvailable(entries, library.serverNow());
    },
    forget(tenant) {
      reading.delete(tenant);
      const known = snapshots.get(tenant);
      // Kept for the case that the library is away, but not fresh any more.
      if (known !== undefined) snapshots.set(tenant, { ...known, freshMs: 0 });
    },
  };
}

async function readEntries(library: Library, tenant: string): Promise<CatalogEntry[]> {
  const titles = await listAvailableTitles(library, tenant, MAX_ENTRIES);
  const ids = titles.flatMap(({ assetId }) => (assetId === null ? [] : [assetId]));
  const assets = await findPublishedAssets(library, tenant, ids);
  const faces = facesOf(titles, assets);
  return titles.flatMap((title) => {
    const asset = title.assetId === null ? null : (assets.get(title.assetId) ?? null);
    const holdsOthers = title.type === "series" || title.type === "season";
    const face = asset ?? faces.get(title._id) ?? null;
    return asset === null && !holdsOthers ? [] : [{ title, asset, face, words: wordsOf(title) }];
  });
}

/** Of each title that holds others, the package of the first that was made; titles come newest first. */
function facesOf(titles: TitleRecord[], assets: Map<string, AssetRecord>): Map<string, AssetRecord> {
  const parents = new Map(titles.map(({ _id, parentId }) => [_id, parentId]));
  const faces = new Map<string, AssetRecord>();
  for (const { parentId, assetId } of titles) {
    const asset = assetId === null ? undefined : assets.get(assetId);
    if (asset === undefined || parentId === null) continue;
    faces.set(parentId, asset);
    const above = parents.get(parentId);
    if (above) faces.set(above, asset);
  }
  return faces;
}

function inOrder({ entries, sorted }: Snapshot, { name, comparer }: CatalogOrder): CatalogEntry[] {
  const known = sorted.get(name);
  if (known !== undefined) return known;
  const made = [...entries].sort(comparer());
  if (sorted.size >= KEPT_ORDERS) sorted.clear();
  sorted.set(name, made);
  return made;
}

function stillAvailable(entries: CatalogEntry[], now: Date): CatalogEntry[] {
  return entries.filter(({ title }) => title.availableUntil === null || title.availableUntil > now);
}

function wordsOf({ name, genres, cast }: TitleRecord): string[] {
  return [...Object.values(name), ...genres, ...cast].flatMap(foldWords);
}

/** The same for genres that differ in case alone: which one is meant, and not how one of its editors wrote it. */
export function genreKey(genre: string): string {
  return genre.normalize("NFC").toLowerCase();
}

/** Lower case without accents, in words: what is searched and what is searched for. */
export function foldWords(text: string): string[] {
  const plain = text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  return plain.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "");
}

/**
 * How well an entry answers a search: every word must be the beginning of one of its words (2 each, 3 where it is the
 * whole word), or be one slip away from one (1). null: it does not.
 */
export function searchScore(entry: CatalogEntry, wanted: string[]): number | null {
  let score = 0;
  for (const word of wanted) {
    const best = Math.max(0, ...entry.words.map((own) => wordScore(own, word)));
    if (best === 0) return null;
    score += best;
  }
  return score;
}

function wordScore(own: string, wanted: string): number {
  if (own === wanted) return 3;
  if (own.startsWith(wanted)) return 2;
  // A slip in a short word makes another word.
  if (wanted.length < 4) return 0;
  const beginnings = [-1, 0, 1].map((more) => own.slice(0, wanted.length + more));
  return beginnings.some((beginning) => oneSlip(beginning, wanted)) ? 1 : 0;
}

/** Whether the texts differ by at most one letter changed, added or left out, or two neighbours swapped. */
export function oneSlip(a: string, b: string): boolean {
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  const restA = a.slice(start);
  const restB = b.slice(start);
  if (restA.slice(1) === restB.slice(1)) return true;
  if (restA.slice(1) === restB || restA === restB.slice(1)) return true;
  return restA[0] === restB[1] && restA[1] === restB[0] && restA.slice(2) === restB.slice(2);
}
