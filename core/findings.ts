import { type AssetFailureCode, Failure } from "./errors.ts";
import type { AssetRecord, Finding, Waiver } from "./records/asset.ts";
import { clipRange, joinRanges, secondsOf, type TimeRange } from "./time-ranges.ts";

/** Of one code no more than this many places are listed: the longest ones. */
export const MOST_OF_ONE_CODE = 20;

/** One finding for each range, the longest `MOST_OF_ONE_CODE` of them, in order of time. */
export function findingsAt<Range extends TimeRange>(
  ranges: readonly Range[],
  describe: (range: Range) => Pick<Finding, "code" | "severity" | "message">,
): Finding[] {
  return [...ranges]
    .sort((a, b) => secondsOf(b) - secondsOf(a))
    .slice(0, MOST_OF_ONE_CODE)
    .sort((a, b) => a.startSeconds - b.startSeconds)
    .map((range) => ({
      ...describe(range),
      startSeconds: rounded(range.startSeconds),
      endSeconds: rounded(range.endSeconds),
    }));
}

/** Joined, within the film, and at least `leastSeconds` long. */
export function lastingRanges(
  ranges: readonly TimeRange[],
  film: TimeRange,
  leastSeconds: number,
  gapSeconds = 0,
): TimeRange[] {
  return joinRanges(ranges, gapSeconds)
    .map((range) => clipRange(range, film))
    .filter((range): range is TimeRange => range !== null && secondsOf(range) >= leastSeconds - 1e-6);
}

function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

/** A finding and who accepted it, when and why. */
export interface JudgedFinding extends Finding {
  waivedBy?: string;
  waivedAt?: Date;
  waivedReason?: string;
}

/** The findings with whoever waived each. A waiver stands for one master: another is judged anew. */
export function withWaivers(asset: Pick<AssetRecord, "findings" | "waivers" | "pinned">): JudgedFinding[] {
  const valid = (asset.waivers ?? []).filter(({ sourceEtag }) => sourceEtag === asset.pinned?.etag);
  return asset.findings.map((finding) => {
    const waiver = valid.find(({ code }) => code === finding.code);
    if (waiver === undefined || finding.severity !== "error") return finding;
    return { ...finding, waivedBy: waiver.by, waivedAt: waiver.at, waivedReason: waiver.reason };
  });
}

/** The findings that stop publication: errors that nobody has waived. */
export function blockingFindings(
  asset: Pick<AssetRecord, "findings" | "waivers" | "pinned">,
): JudgedFinding[] {
  return withWaivers(asset).filter(
    ({ severity, waivedBy }) => severity === "error" && waivedBy === undefined,
  );
}

/** Damage to the file itself keeps the code that such files always fail with; the rest is a matter of taste or safety. */
const DAMAGE_CODES: ReadonlySet<string> = new Set(["damage"]);

/** Why an asset with these findings is not published. It may be tried again once they are waived. */
export function heldFailure(blocking: readonly Finding[]): Failure {
  const codes = [...new Set(blocking.map(({ code }) => code))];
  const message = `Not published: ${blocking[0]?.message ?? ""} A named editor can waive ${codes.join(", ")}.`;
  const isDamaged = codes.some((code) => DAMAGE_CODES.has(code));
  const code: AssetFailureCode = isDamaged ? "source_damaged" : "findings_not_waived";
  return new Failure("source", code, message, { retryable: true });
}

/** Whether it is its findings alone that stopped this asset: everything else of it is made. */
export function isHeldByFindings({ state, error, plan }: AssetRecord): boolean {
  if (state !== "failed" || error === null || plan === null) return false;
  return error.code === "findings_not_waived" || (error.code === "source_damaged" && error.retryable);
}

/** Adds a waiver, unless that code of that master has one. Pure. */
export function addWaiver(waivers: readonly Waiver[], waiver: Waiver): Waiver[] {
  const isKnown = waivers.some(
    ({ code, sourceEtag }) => code === waiver.code && sourceEtag === waiver.sourceEtag,
  );
  return isKnown ? [...waivers] : [...waivers, waiver];
}
