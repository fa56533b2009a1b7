import { dayOf } from "../../core/days.ts";
import {
  addRunged,
  type Figures,
  figuresOf,
  figuresSince,
  lineFigures,
  NO_FIGURES,
  NO_RUNGED,
  type RungedFigures,
} from "../../core/figures.ts";
import type { Library } from "./connect.ts";
import { fromDriver, isDuplicateKey } from "./driver-errors.ts";
import { addFiguresOnce, type FiguresPlace, generationFiguresId } from "./figures.ts";
import { generationId } from "./generations.ts";
import { closeReports, type EdgeReportRecord, type SessionReportRecord } from "./reports.ts";

/**
 * Closed reports become figures, each exactly once every time that it is closed, in batches: a batch is first written down as
 * a list of ids under the next number, by a compare-and-set; then added wherever it belongs, where each place refuses a
 * number that it has had; then its reports are marked. Any process may go on with it from any point, also beside another one.
 */

/** The one document `reports`. A batch that is not done comes before any new one. */
export interface FoldingRecord {
  _id: string;
  number: number;
  ids: string[];
  /** Its reports were to close by then: one of them that is closed later was opened again, and is of a later batch. */
  before: Date;
  /** Some process has its sums for the metrics. */
  isTold: boolean;
  isDone: boolean;
}

const FOLDING = "reports";
const BATCH_SIZE = 200;

/** What one batch came to. */
export interface FoldedBatch {
  /** For counters, which are added up over processes: nothing, where another one has it. */
  all: Figures;
  generations: { tenant: string; assetId: string; generation: string }[];
}

/** Folds the next batch; null where nothing waits. */
export async function foldNextBatch(library: Library): Promise<FoldedBatch | null> {
  await closeReports(library);
  const batch = await beginBatch(library);
  if (batch === null) return null;
  const its = { _id: { $in: batch.ids }, state: "closed" as const, closeAt: { $lte: batch.before } };
  const reports = await fromDriver(library.reports.find(its).toArray());
  const sums = new Sums();
  await addSessions(
    library,
    sums,
    reports.filter((report) => report.kind === "session"),
  );
  await addEdges(
    library,
    sums,
    reports.filter((report) => report.kind === "edge"),
  );
  for (const [place, figures] of sums.all()) await addFiguresOnce(library, place, figures, batch.number);
  // Before the reports are marked: who comes after that finds none of them.
  const isFirst = await turn(library, batch, { isTold: true });
  const folded = { $set: { state: "folded" as const }, $unset: { rows: true, counted: true } } as const;
  await fromDriver(library.reports.updateMany(its, folded));
  await turn(library, batch, { isDone: true });
  return { all: isFirst ? sums.whole() : NO_FIGURES, generations: sums.generations() };
}

/** Says one more thing of a batch; true where nobody had. */
async function turn(
  library: Library,
  { number }: FoldingRecord,
  said: { isTold: true } | { isDone: true },
): Promise<boolean> {
  const same = { _id: FOLDING, number };
  return (await fromDriver(library.foldings.updateOne(same, { $set: said }))).modifiedCount === 1;
}

async function beginBatch(library: Library): Promise<FoldingRecord | null> {
  const last = (await fromDriver(library.foldings.findOne({ _id: FOLDING }))) ?? (await firstBatch(library));
  if (!last.isDone) return last;
  const before = library.serverNow();
  const waiting = await fromDriver(
    library.reports
      .find({ state: "closed", closeAt: { $lte: before } }, { projection: { _id: 1 } })
      .sort({ closeAt: 1 })
      .limit(BATCH_SIZE)
      .toArray(),
  );
  if (waiting.length === 0) return null;
  const ids = waiting.map(({ _id }) => _id);
  const next = { number: last.number + 1, ids, before, isTold: false, isDone: false };
  const begun = await fromDriver(
    library.foldings.updateOne({ _id: FOLDING, number: last.number, isDone: true }, { $set: next }),
  );
  // Somebody else has begun one: theirs is gone on with in the next round.
  return begun.matchedCount === 1 ? { _id: FOLDING, ...next } : null;
}

async function firstBatch(library: Library): Promise<FoldingRecord> {
  const none: FoldingRecord = {
    ...{ _id: FOLDING, number: 0, ids: [], before: library.serverNow() },
    ...{ isTold: true, isDone: true },
  };
  await fromDriver(library.foldings.insertOne(none)).catch((thrown) => {
    if (!isDuplicateKey(thrown)) throw thrown;
  });
  return none;
}

async function addSessions(
  library: Library,
  sums: Sums,
  sessions: readonly SessionReportRecord[],
): Promise<void> {
  const rates = await ratesOf(library, sessions);
  for (const session of sessions) {
    const { assetId, generation, startedAt, report, counted } = session;
    const averageBps = rates.get(generationId(assetId, generation)) ?? new Map();
    const news =
      counted === undefined ? figuresOf(report, averageBps) : figuresSince(counted, report, averageBps);
    sums.add({ ...session, day: dayOf(startedAt) }, news);
  }
}

/** An edge knows packages, not titles: its figures go to the first title that shows the asset. */
async function addEdges(library: Library, sums: Sums, reports: readonly EdgeReportRecord[]): Promise<void> {
  const rows = reports.flatMap(({ at, rows: told }) => told.map((row) => ({ ...row, day: dayOf(at) })));
  const rates = await ratesOf(library, rows);
  const titles = await titlesOf(library, [...new Set(rows.map(({ assetId }) => assetId))]);
  for (const row of rows) {
    const title = titles.get(row.assetId);
    const { assetId, generation, renditionId, country, day, ...line } = row;
    if (title === undefined) continue;
    const place = { tenant: title.tenant, titleId: title._id, assetId, generation, country, day };
    sums.add(
      place,
      lineFigures(renditionId, line, rates.get(generationId(assetId, generation)) ?? new Map()),
    );
  }
}

interface Watched {
  tenant: string;
  titleId: string;
  assetId: string;
  generation: string;
  country: string;
  day: string;
}

/** The sums of one batch, by where they belong. */
class Sums {
  readonly #sums = new Map<string, [place: FiguresPlace, figures: RungedFigures]>();

  add({ tenant, titleId, assetId, generation, country, day }: Watched, figures: RungedFigures): void {
    const { all } = figures;
    this.#put(
      {
        _id: `title.${titleId}.${generation}.${country}.${day}`,
        scope: "title",
        tenant,
        titleId,
        assetId,
        generation,
        country,
        day,
      },
      figures,
    );
    this.#put({ _id: `tenant.${tenant}.${day}`, scope: "tenant", tenant, day }, { all, rungs: {} });
    const _id = generationFiguresId(assetId, generation);
    this.#put({ _id, scope: "generation", tenant, assetId, generation }, figures);
  }

  #put(place: FiguresPlace, figures: RungedFigures): void {
    const [, known = NO_RUNGED] = this.#sums.get(place._id) ?? [];
    this.#sums.set(place._id, [place, addRunged(known, figures)]);
  }

  all(): Iterable<[FiguresPlace, RungedFigures]> {
    return this.#sums.values();
  }

  whole(): Figures {
    const ofTenants = [...this.all()].filter(([{ scope }]) => scope === "tenant");
    return ofTenants.reduce((sum, [, figures]) => addRunged(sum, figures), NO_RUNGED).all;
  }

  generations(): FoldedBatch["generations"] {
    return [...this.all()].flatMap(([{ scope, tenant, assetId, generation }]) =>
      scope === "generation" && assetId !== undefined && generation !== undefined
        ? [{ tenant, assetId, generation }]
        : [],
    );
  }
}

/** The average rate of every picture of these packages, by the package and the rendition's id. */
async function ratesOf(
  library: Library,
  packages: readonly { assetId: string; generation: string }[],
): Promise<Map<string, Map<string, number>>> {
  const ids = [...new Set(packages.map(({ assetId, generation }) => generationId(assetId, generation)))];
  const found = await fromDriver(
    library.generations.find({ _id: { $in: ids } }, { projection: { renditions: 1 } }).toArray(),
  );
  return new Map(
    found.map(({ _id, renditions }) => {
      const pictures = renditions.filter(({ kind }) => kind === "video");
      return [_id, new Map(pictures.map(({ id, averageBps }) => [id, averageBps]))];
    }),
  );
}

/** By asset: the first title that shows it. Nobody watches a draft. */
async function titlesOf(
  library: Library,
  assetIds: readonly string[],
): Promise<Map<string, { _id: string; tenant: string }>> {
  const ids = { $in: [...assetIds] };
  const assets = await fromDriver(library.assets.find({ _id: ids }, { projection: { tenant: 1 } }).toArray());
  const tenant = { $in: [...new Set(assets.map((asset) => asset.tenant))] };
  const shown = { tenant, assetId: ids, state: { $ne: "draft" as const } };
  const projection = { tenant: 1, assetId: 1 };
  const titles = await fromDriver(library.titles.find(shown, { projection }).sort({ _id: -1 }).toArray());
  // The last that is said of an asset stays.
  return new Map(titles.map((title) => [title.assetId ?? "", title]));
}
