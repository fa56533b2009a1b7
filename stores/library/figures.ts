import type { Filter, IndexDescription } from "mongodb";
import type { Period } from "../../core/days.ts";
import { addRunged, type Figures, NO_RUNGED, type RungedFigures } from "../../core/figures.ts";
import type { Library } from "./connect.ts";
import { fromDriver, isDuplicateKey } from "./driver-errors.ts";

/**
 * Figures as they are kept: by title, generation, country and day; by tenant and day; and of a generation's whole life.
 * Each names the last batch that was added to it, so that a batch is added once however often it is tried.
 */
export interface FiguresRecord extends RungedFigures {
  _id: string;
  scope: "title" | "tenant" | "generation";
  tenant: string;
  titleId?: string;
  assetId?: string;
  generation?: string;
  country?: string;
  /** `YYYY-MM-DD` in UTC, of the session's beginning. */
  day?: string;
  batch: number;
  /** Of a generation that is shown: its viewers fare worse than those of the one before. */
  isWorse?: boolean;
}

/** Where figures are added. */
export type FiguresPlace = Omit<FiguresRecord, "all" | "rungs" | "batch" | "isWorse">;

export const FIGURES_INDEXES: IndexDescription[] = [
  { key: { tenant: 1, titleId: 1, day: 1 } },
  { key: { tenant: 1, scope: 1, day: 1 } },
  { key: { scope: 1, isWorse: 1 } },
];

/** Longer than a quarter of a year of a title that all countries watch takes to read. */
const READ_MS = 5_000;

/** Adds `more` at this place as part of a batch; the same batch again adds nothing. Batches come in order. */
export async function addFiguresOnce(
  library: Library,
  place: FiguresPlace,
  more: RungedFigures,
  batch: number,
): Promise<void> {
  const before: Filter<FiguresRecord> = { _id: place._id, batch: { $lt: batch } };
  const change = { $inc: increments({ all: more.all, rungs: more.rungs }), $set: { batch } };
  const added = async () => (await fromDriver(library.figures.updateOne(before, change))).matchedCount === 1;
  if (await added()) return;
  try {
    await fromDriver(library.figures.insertOne({ ...place, ...more, batch }));
  } catch (thrown) {
    if (!isDuplicateKey(thrown)) throw thrown;
    // It is there: this batch is in it, or somebody made it for an earlier one in between.
    await added();
  }
}

/** `{ "all.plays": 1, … }` of a tree of counts; what is 0 needs no writing. */
function increments(tree: object, path = ""): Record<string, number> {
  return Object.assign(
    {},
    ...Object.entries(tree).map(([name, value]) => {
      if (typeof value === "object") return increments(value, `${path}${name}.`);
      return value === 0 ? {} : { [path + name]: value };
    }),
  );
}

/** All figures of a title in these days, of one generation or country alone where it is said, one after the other: there may be many. */
export function figuresOfTitle(
  library: Library,
  tenant: string,
  titleId: string,
  {
    from,
    to,
    generation,
    country,
  }: Period & { generation?: string | undefined; country?: string | undefined },
): AsyncIterable<FiguresRecord> {
  return whole(library, {
    ...{ tenant, titleId, day: { $gte: from, $lte: to } },
    ...(generation === undefined ? {} : { generation }),
    ...(country === undefined ? {} : { country }),
  });
}

/** The tenant's figures, day by day. */
export function figuresOfTenant(
  library: Library,
  tenant: string,
  { from, to }: Period,
): AsyncIterable<FiguresRecord> {
  return whole(library, { tenant, scope: "tenant", day: { $gte: from, $lte: to } });
}

/** What is added up of one title among others. */
export type TitleTotals = Pick<
  Figures,
  "sessions" | "plays" | "failures" | "stallMs" | "playedMs" | "kilobits"
> & {
  titleId: string;
};

/** The tenant's titles by how often they were played in these days, the most played first. */
export async function mostPlayed(
  library: Library,
  tenant: string,
  { from, to }: Period,
  limit: number,
): Promise<TitleTotals[]> {
  const sums = ["sessions", "plays", "failures", "stallMs", "playedMs", "kilobits"].map((name) => [
    name,
    { $sum: `$all.${name}` },
  ]);
  const rows = await fromDriver(
    library.figures
      .aggregate<Omit<TitleTotals, "titleId"> & { _id: string }>(
        [
          { $match: { tenant, scope: "title", day: { $gte: from, $lte: to } } },
          { $group: { _id: "$titleId", ...Object.fromEntries(sums) } },
          { $sort: { plays: -1, _id: 1 } },
          { $limit: limit },
        ],
        { maxTimeMS: READ_MS },
      )
      .toArray(),
  );
  return rows.map(({ _id: titleId, ...totals }) => ({ titleId, ...totals }));
}

export function generationFiguresId(assetId: string, generation: string): string {
  return `generation.${assetId}.${generation}`;
}

/** Of each of these generations that was watched, all that was told of it. */
export async function figuresOfGenerations(
  library: Library,
  assetId: string,
  generations: readonly string[],
): Promise<Map<string, FiguresRecord>> {
  const ids = generations.map((generation) => generationFiguresId(assetId, generation));
  const found = new Map<string, FiguresRecord>();
  for await (const record of whole(library, { _id: { $in: ids } }))
    found.set(record.generation ?? "", record);
  return found;
}

/** Generations that were found worse, over all tenants. */
export async function listWorse(library: Library, limit: number): Promise<FiguresRecord[]> {
  const worse = { scope: "generation" as const, isWorse: true };
  return fromDriver(library.figures.find(worse).limit(limit).toArray());
}

/** True where this says something new. */
export async function markWorse(
  library: Library,
  assetId: string,
  generation: string,
  isWorse: boolean,
): Promise<boolean> {
  const filter = { _id: generationFiguresId(assetId, generation), isWorse: { $ne: isWorse } };
  const marked = await fromDriver(library.figures.updateOne(filter, { $set: { isWorse } }));
  return marked.matchedCount === 1;
}

/** Counts that were never raised are not written: here they are 0 again. */
async function* whole(library: Library, filter: Filter<FiguresRecord>): AsyncGenerator<FiguresRecord> {
  const cursor = library.figures.find(filter, { maxTimeMS: READ_MS });
  try {
    for (;;) {
      const record = await fromDriver(cursor.next());
      if (record === null) return;
      yield { ...record, ...addRunged(NO_RUNGED, record) };
    }
  } finally {
    await cursor.close();
  }
}
