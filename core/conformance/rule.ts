import type { PackageView } from "./package-view.ts";

export type Level = "MUST" | "SHOULD";
export type Verdict = "pass" | "fail" | "not_applicable";

/** What one rule says of one package. `rule` is Apple's number, or `8216-…`, `cmaf-…`, `dash-…`. */
export interface RuleResult {
  rule: string;
  level: Level;
  verdict: Verdict;
  evidence: string;
}

export interface Judgement {
  verdict: Verdict;
  evidence: string;
}

/** One rule: its number, how binding it is, what it asks, and the function that judges a package by it. */
export interface Rule {
  rule: string;
  level: Level;
  asks: string;
  judge(view: PackageView): Judgement;
}

export function must(rule: string, asks: string, judge: Rule["judge"]): Rule {
  return { rule, level: "MUST", asks, judge };
}

export function should(rule: string, asks: string, judge: Rule["judge"]): Rule {
  return { rule, level: "SHOULD", asks, judge };
}

/** Passes with `evidence` where there is no fault, else fails with the first of them. */
export function faultless(faults: readonly string[], evidence: string): Judgement {
  if (faults.length === 0) return { verdict: "pass", evidence };
  const more = faults.length > 3 ? ` (and ${faults.length - 3} more)` : "";
  return { verdict: "fail", evidence: faults.slice(0, 3).join("; ") + more };
}

/** The rule says nothing of this package, and why. */
export function notApplicable(why: string): Judgement {
  return { verdict: "not_applicable", evidence: why };
}

/** Judges each of `things` (a fault's text or null); not applicable, for the reason `none`, where there are none. */
export function each<T>(things: readonly T[], none: string, fault: (thing: T) => string | null): Judgement {
  if (things.length === 0) return notApplicable(none);
  const faults = things.flatMap((thing) => fault(thing) ?? []);
  return faultless(faults, `${things.length} looked at`);
}

/** Passes with the playlist of one of `things` that `holds`; not applicable, for the reason `none`, where there are none. */
export function some<T extends { playlist: { path: string } }>(
  things: readonly T[],
  none: string,
  holds: (thing: T) => boolean,
): Judgement {
  if (things.length === 0) return notApplicable(none);
  const found = things.find(holds);
  return found === undefined
    ? { verdict: "fail", evidence: `none of ${things.length}` }
    : { verdict: "pass", evidence: found.playlist.path };
}
