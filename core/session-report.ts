/**
 * What one player said of one session, folded so that neither order nor repetition matters: an event counts once, by its
 * number, and everything that is kept is a sum of whole numbers, a least or a union.
 */

/** What a player says that counts. `seq` is the event's number within its session; `renditionId` the picture shown. */
export type Beacon = { seq: number; renditionId: string | null } & (
  | { type: "startup"; startupMs: number }
  | { type: "stall"; stallMs: number }
  | { type: "error"; isFatal: boolean }
  | { type: "rung" }
  | { type: "heartbeat"; playedMs: number }
);

export interface RungReport {
  playedMs: number;
  stalls: number;
  stallMs: number;
  fatalErrors: number;
}

export interface SessionReport {
  /** One bit for each number that was seen, in base64. */
  seen: string;
  /** The quickest that was told: there is one start in a session, and the least is the same in any order. */
  startup: { ms: number; renditionId: string | null } | null;
  errors: number;
  switches: number;
  /** Of the whole session, whichever rungs it was on. */
  all: RungReport;
  rungs: Record<string, RungReport>;
}

/** A day of heartbeats, and a few thousand other events: 2 KB of bits. Later ones do not count. */
const MAX_EVENTS = 16_384;
/** More than any ladder has; of more names the first by alphabet stay, so that order does not matter here either. */
const MAX_RUNGS = 32;

const NO_RUNG: RungReport = { playedMs: 0, stalls: 0, stallMs: 0, fatalErrors: 0 };

export const EMPTY_REPORT: SessionReport = {
  seen: "",
  startup: null,
  errors: 0,
  switches: 0,
  all: NO_RUNG,
  rungs: {},
};

/** The report with these events in it. The very report where all of them are in it already. */
export function foldBeacons(report: SessionReport, beacons: readonly Beacon[]): SessionReport {
  const seen = Buffer.from(report.seen, "base64");
  const bits = Buffer.concat([seen, Buffer.alloc(MAX_EVENTS / 8 - seen.byteLength)]);
  const fresh = beacons.filter(({ seq }) => seq < MAX_EVENTS && mark(bits, seq));
  if (fresh.length === 0) return report;
  const counted = fresh.reduce(count, report);
  const highest = bits.findLastIndex((byte) => byte !== 0);
  return {
    ...counted,
    seen: bits.subarray(0, highest + 1).toString("base64"),
    rungs: firstNames(counted.rungs),
  };
}

/** False where the bit was set already. */
function mark(bits: Buffer, seq: number): boolean {
  const [byte, bit] = [seq >> 3, 1 << (seq & 7)];
  if ((bits[byte]! & bit) !== 0) return false;
  bits[byte]! |= bit;
  return true;
}

function count(report: SessionReport, beacon: Beacon): SessionReport {
  const more = rungOf(beacon);
  const { renditionId } = beacon;
  return {
    ...report,
    startup: beacon.type === "startup" ? quicker(report.startup, beacon) : report.startup,
    errors: report.errors + (beacon.type === "error" ? 1 : 0),
    switches: report.switches + (beacon.type === "rung" ? 1 : 0),
    all: addRungs(report.all, more),
    rungs: renditionId === null ? report.rungs : withRung(report.rungs, renditionId, more),
  };
}

function withRung(rungs: SessionReport["rungs"], name: string, more: RungReport): SessionReport["rungs"] {
  // A name is a stranger's word: `constructor` is one too.
  const known = Object.hasOwn(rungs, name) ? rungs[name] : undefined;
  return { ...rungs, [name]: addRungs(known ?? NO_RUNG, more) };
}

function rungOf(beacon: Beacon): RungReport {
  if (beacon.type === "heartbeat") return { ...NO_RUNG, playedMs: beacon.playedMs };
  if (beacon.type === "stall") return { ...NO_RUNG, stalls: 1, stallMs: beacon.stallMs };
  if (beacon.type === "error" && beacon.isFatal) return { ...NO_RUNG, fatalErrors: 1 };
  return NO_RUNG;
}

function addRungs(a: RungReport, b: RungReport): RungReport {
  return {
    playedMs: a.playedMs + b.playedMs,
    stalls: a.stalls + b.stalls,
    stallMs: a.stallMs + b.stallMs,
    fatalErrors: a.fatalErrors + b.fatalErrors,
  };
}

function quicker(
  known: SessionReport["startup"],
  { startupMs: ms, renditionId }: { startupMs: number; renditionId: string | null },
): SessionReport["startup"] {
  if (known === null || ms < known.ms) return { ms, renditionId };
  const isSooner = ms === known.ms && (renditionId ?? "") < (known.renditionId ?? "");
  return isSooner ? { ms, renditionId } : known;
}

function firstNames(rungs: Record<string, RungReport>): Record<string, RungReport> {
  const names = Object.keys(rungs);
  if (names.length <= MAX_RUNGS) return rungs;
  const kept = names.sort().slice(0, MAX_RUNGS);
  return Object.fromEntries(kept.map((name) => [name, rungs[name]!]));
}
