import { type Figures, NO_FIGURES } from "../../core/figures.ts";
import type { Library } from "./connect.ts";
import { fromDriver, isDuplicateKey } from "./driver-errors.ts";
import { addEdges, addSessions, Sums, type WatchedGeneration } from "./figure-sums.ts";
import { addFiguresOnce } from "./figures.ts";
import { closeReports } from "./reports.ts";

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
  generations: WatchedGeneration[];
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
