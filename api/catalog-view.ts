import { isShownIn, titleStateAt } from "../core/availability.ts";
import type { CatalogAsset } from "../stores/library/catalog-source.ts";
import type { CatalogEntry } from "./catalog-entry.ts";
import { type CatalogOrder, inOrderAgain, NEWEST_FIRST } from "./catalog-order.ts";

/** What the viewers of one country may see of a catalog until something changes. What it hands out is shared: not to be changed. */
export interface CatalogView {
  /** Last made first. */
  entries: readonly CatalogEntry[];
  inOrder(order: CatalogOrder): readonly CatalogEntry[];
  get(titleId: string): CatalogEntry | null;
  /** What is a part of that title, last made first. */
  partsOf(titleId: string): readonly CatalogEntry[];
  /** The package whose poster stands for it: its own, or that of the first made episode in it. */
  faceOf(entry: Pick<CatalogEntry, "title" | "asset">): CatalogAsset | null;
  /** Those that answer all of the words, the best first; of those that answer as well the newest. */
  search(words: readonly string[]): readonly CatalogEntry[];
  /** What `make` makes of this view, made once for all who ask for `what`. */
  once<T>(what: string, make: () => T): T;
  /** The sorted entries by the names of their orders, for the view that takes this one's place. */
  sorted: ReadonlyMap<string, readonly CatalogEntry[]>;
  /** When a title comes or goes; null where none does. */
  until: Date | null;
}

export type Scores = (words: readonly string[]) => ReadonlyMap<CatalogEntry, number>;

/** Each viewer's languages may make an order of their own. */
const KEPT_ORDERS = 20;
/** Pages, rows and searches that many ask for are few, and that one asks for are many. */
const KEPT_ANSWERS = 300;

/** What somebody in `country` may see of `all` at `now`. `before` is what they were shown until then. */
export function openView(
  all: readonly CatalogEntry[],
  scores: Scores,
  { now, country, before }: { now: Date; country: string | null; before: CatalogView | null },
): CatalogView {
  const entries = all.filter(
    ({ title }) => titleStateAt(title, now) === "published" && isShownIn(title, country),
  );
  const byId = new Map(entries.map((entry) => [entry.title._id, entry]));
  const sorted = new Map(before?.sorted);
  const made = new Set<string>();
  const answers = new Map<string, unknown>();
  const once: CatalogView["once"] = (what, make) => {
    if (answers.has(what)) return answers.get(what) as ReturnType<typeof make>;
    const answer = make();
    if (answers.size >= KEPT_ANSWERS) answers.clear();
    answers.set(what, answer);
    return answer;
  };
  const inOrder = (order: CatalogOrder): readonly CatalogEntry[] => {
    const known = sorted.get(order.name);
    if (known !== undefined && made.has(order.name)) return known;
    if (known === undefined && sorted.size >= KEPT_ORDERS) sorted.clear();
    const inItsOrder = inOrderAgain(known ?? [], entries, order.comparer());
    sorted.set(order.name, inItsOrder);
    made.add(order.name);
    return inItsOrder;
  };
  return {
    entries,
    inOrder,
    get: (titleId) => byId.get(titleId) ?? null,
    partsOf: (titleId) => once("parts", () => partsByParent(entries)).get(titleId) ?? [],
    faceOf: ({ title, asset }) => asset ?? once("faces", () => facesOf(entries, byId)).get(title._id) ?? null,
    search: (words) => once(`search ${words.join(" ")}`, () => ranked(inOrder(NEWEST_FIRST), scores(words))),
    once,
    sorted,
    until: nextChange(all, now),
  };
}

function ranked(
  newestFirst: readonly CatalogEntry[],
  scores: ReadonlyMap<CatalogEntry, number>,
): CatalogEntry[] {
  const found = newestFirst.filter((entry) => scores.has(entry));
  return found.sort((a, b) => scores.get(b)! - scores.get(a)!);
}

function partsByParent(entries: readonly CatalogEntry[]): Map<string, CatalogEntry[]> {
  const parts = new Map<string, CatalogEntry[]>();
  for (const entry of entries) {
    const { parentId } = entry.title;
    if (parentId === null) continue;
    const beside = parts.get(parentId);
    if (beside === undefined) parts.set(parentId, [entry]);
    else beside.push(entry);
  }
  return parts;
}

/** Of each title that holds others, the package of the first that was made; entries come last made first. */
function facesOf(
  entries: readonly CatalogEntry[],
  byId: ReadonlyMap<string, CatalogEntry>,
): Map<string, CatalogAsset> {
  const faces = new Map<string, CatalogAsset>();
  for (const { title, asset } of entries) {
    if (asset === null || title.parentId === null) continue;
    faces.set(title.parentId, asset);
    const above = byId.get(title.parentId)?.title.parentId;
    if (above) faces.set(above, asset);
  }
  return faces;
}

function nextChange(all: readonly CatalogEntry[], now: Date): Date | null {
  let next: Date | null = null;
  for (const { title } of all) {
    for (const moment of [title.availableFrom, title.availableUntil])
      if (moment !== null && moment > now && (next === null || moment < next)) next = moment;
  }
  return next;
}
