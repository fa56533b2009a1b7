import { type Figures, rebufferRatio, startupQuantile, startupStep } from "./figures.ts";

/** Whether a generation is worse for its viewers than the one before it. */

export type HealthFigure = "errorRate" | "rebufferRatio" | "startupP95Seconds";

export interface HealthReason {
  figure: HealthFigure;
  /** Of the generation before and of this one. */
  before: number;
  now: number;
}

export interface HealthVerdict {
  /** `unknown`: too few have watched one of the two. */
  verdict: "unknown" | "fine" | "worse";
  reasons: HealthReason[];
}

/** Below this many sessions on either side a share says little. */
const MIN_SESSIONS = 30;
/**
 * One-sided 99.5 %: three figures are looked at each time somebody asks, and a flag that cries wolf is not looked at
 * twice. What is below every threshold of effect is not told, however sure it is.
 */
const SURE = 2.58;
const WORSE_RATIO = 1.5;
const WORSE_STARTUP_RATIO = 1.25;
const LEAST_MORE_ERRORS = 0.01;
const LEAST_MORE_REBUFFERING = 0.002;

/** Judges `now` beside `before`: what is both surely and noticeably worse. */
export function judgeHealth(before: Figures, now: Figures): HealthVerdict {
  if (before.sessions < MIN_SESSIONS || now.sessions < MIN_SESSIONS)
    return { verdict: "unknown", reasons: [] };
  const found = [errorReason(before, now), rebufferReason(before, now), startupReason(before, now)];
  const reasons = found.filter((reason) => reason !== null);
  return { verdict: reasons.length > 0 ? "worse" : "fine", reasons };
}

function errorReason(before: Figures, now: Figures): HealthReason | null {
  const [was, is] = [before.failures / before.sessions, now.failures / now.sessions];
  const isMuch = is >= was * WORSE_RATIO && is - was >= LEAST_MORE_ERRORS;
  const isSure = isMoreOften(before.failures, before.sessions, now.failures, now.sessions);
  return isMuch && isSure ? { figure: "errorRate", before: was, now: is } : null;
}

/** Sure by how many plays stood still: seconds of one viewer on a bad line are not independent of each other. */
function rebufferReason(before: Figures, now: Figures): HealthReason | null {
  const [was, is] = [rebufferRatio(before), rebufferRatio(now)];
  const isMuch = is >= was * WORSE_RATIO && is - was >= LEAST_MORE_REBUFFERING;
  const isSure = isMoreOften(before.stalledPlays, before.sessions, now.stalledPlays, now.sessions);
  return isMuch && isSure ? { figure: "rebufferRatio", before: was, now: is } : null;
}

/** Sure by how many starts are slower than nine of ten were before. */
function startupReason(before: Figures, now: Figures): HealthReason | null {
  const [was, is] = [startupQuantile(before.startups, 0.95), startupQuantile(now.startups, 0.95)];
  const usual = startupQuantile(before.startups, 0.9);
  if (was === null || is === null || usual === null || is < was * WORSE_STARTUP_RATIO) return null;
  const [slowBefore, startsBefore] = slowerThan(before.startups, usual);
  const [slowNow, startsNow] = slowerThan(now.startups, usual);
  const isSure = isMoreOften(slowBefore, startsBefore, slowNow, startsNow);
  return isSure ? { figure: "startupP95Seconds", before: was / 1000, now: is / 1000 } : null;
}

/** How many starts took more than `ms`, and of how many. */
function slowerThan(startups: Figures["startups"], ms: number): [slow: number, all: number] {
  const limit = startupStep(ms);
  let [slow, all] = [0, 0];
  for (const [step, count] of Object.entries(startups)) {
    all += count;
    if (Number(step) > limit) slow += count;
  }
  return [slow, all];
}

/** Two shares, by the normal approximation with a pooled variance: whether the second one is surely the greater. */
function isMoreOften(hitsBefore: number, before: number, hitsNow: number, now: number): boolean {
  if (before < MIN_SESSIONS || now < MIN_SESSIONS) return false;
  const pooled = (hitsBefore + hitsNow) / (before + now);
  const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / before + 1 / now));
  return deviation > 0 && (hitsNow / now - hitsBefore / before) / deviation > SURE;
}
