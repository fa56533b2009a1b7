import type { IndexDescription } from "mongodb";
import type { EdgeReport, EdgeRow } from "../../core/edge-report.ts";
import { Failure } from "../../core/errors.ts";
import type { PlaybackRecord } from "../../core/records/playback.ts";
import { type Beacon, EMPTY_REPORT, foldBeacons, type SessionReport } from "../../core/session-report.ts";
import type { Library } from "./connect.ts";
import { fromDriver, isDuplicateKey } from "./driver-errors.ts";

/**
 * What players and edges told, on its way to the figures. `open` → `closed` → `folded`: while `closed` the report does not
 * change, so that it can be counted exactly once. A session that goes on after that is `open` again, and what it has more
 * than was counted comes to the figures by the same way. No account and no address is in it.
 */
interface Waiting {
  _id: string;
  state: "open" | "closed" | "folded";
  /** From when on nothing more is waited for. */
  closeAt: Date;
  /** Until then the record stands for what was counted, so that what comes late is not counted again. */
  forgetAt: Date;
}

/** `_id` is the session's. */
export interface SessionReportRecord extends Waiting {
  kind: "session";
  version: number;
  tenant: string;
  titleId: string;
  assetId: string;
  generation: string;
  country: string;
  startedAt: Date;
  report: SessionReport;
  /** What of the report is among the figures already; absent where nothing is. */
  counted?: SessionReport;
}

export interface EdgeReportRecord extends Waiting {
  kind: "edge";
  at: Date;
  rows: EdgeRow[];
}

export type ReportRecord = SessionReportRecord | EdgeReportRecord;

export const REPORT_INDEXES: IndexDescription[] = [
  { key: { state: 1, closeAt: 1 } },
  { key: { forgetAt: 1 }, expireAfterSeconds: 0 },
];

/** What a player told is counted when it has said nothing for so long: most that do are gone. */
const SILENCE_SECONDS = 30 * 60;
/** After its end, for beacons that the closing page sent and that are under way. */
const LATE_SECONDS = 10;
/** An edge gives a report up long before this. */
const EDGE_MEMORY_SECONDS = 2 * 3_600;
const TRIES = 20;

/**
 * Folds what a player told into its session's report. Order and repeats do not matter; what comes ten seconds after the
 * session's end changes nothing. Sessions without a title (an editor's preview) are not counted. Throws `transient` while
 * the report is being counted.
 */
export async function noteBeacons(
  library: Library,
  playback: PlaybackRecord,
  country: string,
  beacons: readonly Beacon[],
): Promise<void> {
  const { _id, titleId, expiresAt } = playback;
  if (titleId === null || beacons.length === 0 || expiresAt <= library.serverNow()) return;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const known = await fromDriver(library.reports.findOne({ _id }));
    if (known === null) {
      if (await openReport(library, { ...playback, titleId }, country, beacons)) return;
      continue;
    }
    if (known.kind !== "session" || (known.state !== "open" && playback.endedAt !== null)) return;
    const report = foldBeacons(known.report, beacons);
    if (report === known.report) return;
    if (known.state === "closed") break;
    const same = { _id, state: known.state, version: known.version };
    // A session that is over keeps the end that it has.
    const closeAt = playback.endedAt === null ? after(library, SILENCE_SECONDS) : known.closeAt;
    const goesOn = known.state === "folded" ? { state: "open" as const, counted: known.report } : {};
    const change = { ...goesOn, report, version: known.version + 1, closeAt };
    const { matchedCount } = await fromDriver(library.reports.updateOne(same, { $set: change }));
    if (matchedCount === 1) return;
  }
  throw new Failure("transient", "session_busy", "Too much is said of this session at once.", {
    retryAfterSeconds: 1,
  });
}

/** False where somebody else opened it in between. */
async function openReport(
  library: Library,
  playback: PlaybackRecord & { titleId: string },
  country: string,
  beacons: readonly Beacon[],
): Promise<boolean> {
  const { _id, tenant, titleId, assetId, generation, createdAt: startedAt, expiresAt } = playback;
  const record: SessionReportRecord = {
    _id,
    kind: "session",
    state: "open",
    version: 1,
    tenant,
    titleId,
    assetId,
    generation,
    country,
    startedAt,
    report: foldBeacons(EMPTY_REPORT, beacons),
    closeAt: after(library, playback.endedAt === null ? SILENCE_SECONDS : LATE_SECONDS),
    // Beacons of a session are taken until it expires; an hour more for clocks and for what is under way.
    forgetAt: new Date(expiresAt.getTime() + 3_600_000),
  };
  return inserted(library, record);
}

/** The session is over: what is under way is waited for, and nothing more. */
export async function endReport(library: Library, sessionId: string): Promise<void> {
  const change = { $set: { closeAt: after(library, LATE_SECONDS) } };
  await fromDriver(library.reports.updateOne({ _id: sessionId, state: "open" }, change));
}

/** Keeps what an edge counted. The same report again changes nothing. */
export async function keepEdgeReport(library: Library, { id, rows }: EdgeReport): Promise<void> {
  const at = library.serverNow();
  const forgetAt = after(library, EDGE_MEMORY_SECONDS);
  await inserted(library, { _id: id, kind: "edge", state: "closed", closeAt: at, forgetAt, at, rows });
}

/** Closes what nothing more is waited for. */
export async function closeReports(library: Library): Promise<void> {
  const due = { state: "open" as const, closeAt: { $lte: library.serverNow() } };
  await fromDriver(library.reports.updateMany(due, { $set: { state: "closed" } }));
}

async function inserted(library: Library, record: ReportRecord): Promise<boolean> {
  try {
    await fromDriver(library.reports.insertOne(record));
    return true;
  } catch (thrown) {
    if (!isDuplicateKey(thrown)) throw thrown;
    return false;
  }
}

function after(library: Library, seconds: number): Date {
  return new Date(library.serverNow().getTime() + seconds * 1000);
}
