import type { RungReport, SessionReport } from "./session-report.ts";

/** Figures of watching: whole numbers that add up, so that those of any days, countries or rungs can be put together. */

export interface Figures {
  /** Sessions whose player told anything. */
  sessions: number;
  /** Of those: that showed a picture, met an error that ended them, or stood still. */
  plays: number;
  failures: number;
  stalledPlays: number;
  stalls: number;
  stallMs: number;
  playedMs: number;
  /** Of the picture, as its renditions' average rates have it. */
  kilobits: number;
  /** How many starts took how long: by number of the step on a logarithmic scale. */
  startups: Record<string, number>;
  /** What players said with their requests at the edge (CMCD). */
  line: LineFigures;
}

export interface LineFigures {
  requests: number;
  /** Requests that came after the buffer had run dry. */
  starved: number;
  encodedKbps: number;
  encodedSamples: number;
  bufferMs: number;
  bufferSamples: number;
  throughputKbps: number;
  throughputSamples: number;
}

export const NO_LINE: LineFigures = {
  requests: 0,
  starved: 0,
  encodedKbps: 0,
  encodedSamples: 0,
  bufferMs: 0,
  bufferSamples: 0,
  throughputKbps: 0,
  throughputSamples: 0,
};

export const NO_FIGURES: Figures = {
  sessions: 0,
  plays: 0,
  failures: 0,
  stalledPlays: 0,
  stalls: 0,
  stallMs: 0,
  playedMs: 0,
  kilobits: 0,
  startups: {},
  line: NO_LINE,
};

/** Figures of a whole and of each of its rungs. */
export interface RungedFigures {
  all: Figures;
  rungs: Record<string, Figures>;
}

export const NO_RUNGED: RungedFigures = { all: NO_FIGURES, rungs: {} };

/** Each step is this much longer than the one before: a quantile is right to 5 %. */
const STEP = 1.1;
const LAST_STEP = 140;
/** Rungs that the package does not have: what is told of them is still watched. */
const OTHER_RUNG = "other";

/** The step of the scale that a start of `ms` falls in. */
export function startupStep(ms: number): number {
  return Math.min(LAST_STEP, Math.ceil(Math.log(Math.max(1, ms)) / Math.log(STEP)));
}

/** The start that stands for all of a step, in ms. */
export function startupMsOf(step: number): number {
  return Math.round((2 * STEP ** step) / (STEP + 1));
}

/** In ms: the start below which `share` of the starts lie; null where there are none. */
export function startupQuantile(startups: Figures["startups"], share: number): number | null {
  const total = Object.values(startups).reduce((sum, count) => sum + count, 0);
  const steps = Object.keys(startups)
    .map(Number)
    .sort((a, b) => a - b);
  let left = Math.max(1, Math.ceil(total * share));
  for (const step of steps) {
    left -= startups[step] ?? 0;
    if (left <= 0) return startupMsOf(step);
  }
  return null;
}

export function addFigures(a: Figures, b: Figures): Figures {
  return addCounts(a, b);
}

export function addRunged(a: RungedFigures, b: RungedFigures): RungedFigures {
  const names = [...new Set([...Object.keys(a.rungs), ...Object.keys(b.rungs)])];
  const rungs = names.map((name) => [
    name,
    addFigures(a.rungs[name] ?? NO_FIGURES, b.rungs[name] ?? NO_FIGURES),
  ]);
  return { all: addFigures(a.all, b.all), rungs: Object.fromEntries(rungs) };
}

/** Adds two trees of counts member by member; what one of them lacks is 0. */
function addCounts<T extends object>(a: T, b: T): T {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])] as (keyof T)[];
  const sums = names.map((name) => {
    const [one, other] = [a[name], b[name]];
    if (typeof one === "object" || typeof other === "object")
      return [name, addCounts((one ?? {}) as object, (other ?? {}) as object)];
    return [name, Number(one ?? 0) + Number(other ?? 0)];
  });
  return Object.fromEntries(sums) as T;
}

/** What a session that is over adds. `averageBps` tells the rate of each rung that the package has. */
export function figuresOf(report: SessionReport, averageBps: ReadonlyMap<string, number>): RungedFigures {
  const { startup } = report;
  const rungs: Record<string, Figures> = {};
  const add = (renditionId: string, figures: Figures) => {
    const name = averageBps.has(renditionId) ? renditionId : OTHER_RUNG;
    rungs[name] = addFigures(rungs[name] ?? NO_FIGURES, figures);
  };
  let kilobits = 0;
  for (const [name, rung] of Object.entries(report.rungs)) {
    const startupMs = startup?.renditionId === name ? startup.ms : null;
    const bits = Math.round((rung.playedMs * (averageBps.get(name) ?? 0)) / 1_000_000);
    kilobits += bits;
    add(name, sessionFigures(rung, startupMs, bits));
  }
  return { all: sessionFigures(report.all, startup?.ms ?? null, kilobits), rungs };
}

/** What a session has come to since `counted`, an earlier state of its report, was among the figures. */
export function figuresSince(
  counted: SessionReport,
  report: SessionReport,
  averageBps: ReadonlyMap<string, number>,
): RungedFigures {
  return addRunged(figuresOf(report, averageBps), negated(figuresOf(counted, averageBps)));
}

function negated<T extends object>(counts: T): T {
  const turned = Object.entries(counts).map(([name, value]) => [
    name,
    typeof value === "object" ? negated(value) : -value,
  ]);
  return Object.fromEntries(turned) as T;
}

function sessionFigures(told: RungReport, startupMs: number | null, kilobits: number): Figures {
  return {
    ...NO_FIGURES,
    sessions: 1,
    plays: startupMs !== null || told.playedMs > 0 ? 1 : 0,
    failures: told.fatalErrors > 0 ? 1 : 0,
    stalledPlays: told.stalls > 0 ? 1 : 0,
    stalls: told.stalls,
    stallMs: told.stallMs,
    playedMs: told.playedMs,
    kilobits,
    startups: startupMs === null ? {} : { [startupStep(startupMs)]: 1 },
  };
}

/** What was told at the edge of one rung. */
export function lineFigures(
  renditionId: string,
  line: LineFigures,
  averageBps: ReadonlyMap<string, number>,
): RungedFigures {
  const figures = { ...NO_FIGURES, line };
  return {
    all: figures,
    rungs: { [averageBps.has(renditionId) ? renditionId : OTHER_RUNG]: figures },
  };
}

/** The share of time that viewers waited in the middle of the film. */
export function rebufferRatio({ stallMs, playedMs }: Figures): number {
  return stallMs === 0 ? 0 : stallMs / (stallMs + playedMs);
}
