import type { VideoCodec } from "./encoding.ts";
import { buildLadder, type Rung } from "./ladder.ts";
import type { QualityMetric } from "./quality.ts";
import { type Candidate, candidatesOf, perceived, upperEdge } from "./quality-curve.ts";
import type { TitleCurve } from "./title-analysis.ts";

/** The rungs of one film, from its own curve. Pure. */

/**
 * Where more bytes are no longer seen: VMAF 94 is a step of the scale's six below perfect, which viewers at the distance of
 * its model do not tell. Of SSIM, what film at VMAF 94 has about: no eye is in it.
 */
export const TRANSPARENT: Record<QualityMetric, number> = { vmaf: 94, ssim: 0.975 };
/** A step of quality that people see: less is not worth a rung, more would jump. */
const STEP: Record<QualityMetric, { least: number; most: number }> = {
  vmaf: { least: 1, most: 6 },
  ssim: { least: 0.3, most: 1.5 },
};
/** Apple HLS authoring 1.31: neighbours are 1.5 to 2 times apart. */
const NEAREST_RATIO = 1.5;
const FARTHEST_RATIO = 2;
/** A rung at or below it is a ladder's last. */
const FLOOR_BPS = 220_000;
/** A last rung above it leaves slow lines with nothing: the table's smallest is put below. */
const LOWEST_NEEDED_BPS = 300_000;
const MOST_RUNGS = 8;
/** Apple 9.10: two at the top HD size; the second keeps the first's size where that costs no more than this. */
const TOP_HD_SIDE = 720;
const SAME_SIZE_LOSS: Record<QualityMetric, number> = { vmaf: 3, ssim: 0.75 };
/** Apple 1.30: a peak of at most twice the average, with room for what was foretold wrongly. */
const CAP_OF_AVERAGE = 1.8;
/** A cap needs room above what it caps. */
const ELIGIBLE_SHARE = 0.85;
const SMALLEST_CAP_BPS = 100_000;
/** What halves a rate, about, in every encoder here: for a film with no second rung of its own. */
const HALVING_CRF = 6;

/**
 * The rungs of one codec for this film, largest rate first: down the edge from where nothing more is seen, by steps of quality
 * and of rate. Sizes above those that were tried are the table's. null where the curve says nothing.
 */
export function titleRungs(width: number, height: number, curve: TitleCurve, prefix: string): Rung[] | null {
  const table = buildLadder(width, height, curve.codec, prefix);
  const sideOf = (one: { width: number; height: number }): number => Math.min(one.width, one.height);
  const largest = Math.max(0, ...curve.points.map(sideOf));
  const capOf = (candidate: Candidate): number =>
    table.find((rung) => sideOf(rung) === sideOf(candidate))?.maxBitrateBps ?? 0;
  const candidates = candidatesOf(curve).filter(
    (candidate) => candidate.averageBps <= ELIGIBLE_SHARE * capOf(candidate),
  );
  const chosen = chooseRungs(curve.metric, candidates);
  if (chosen.length === 0) return null;
  const own = named(chosen, prefix).map(({ id, candidate }): Rung => {
    const { averageBps, score, crf } = candidate;
    const predicted = { averageBps: Math.round(averageBps), score: round(curve.metric, score) };
    const size = { width: candidate.width, height: candidate.height };
    return { id, ...size, maxBitrateBps: capFor(averageBps, capOf(candidate)), crf, predicted };
  });
  const bottom = table.at(-1)!;
  const last = chosen.at(-1)!;
  const needsBottom = last.averageBps > LOWEST_NEEDED_BPS && sideOf(bottom) < sideOf(last);
  const whole = [...table.filter((rung) => sideOf(rung) > largest), ...own, ...(needsBottom ? [bottom] : [])];
  return falling(whole.length > 1 ? whole : [...whole, lower(whole[0]!)]);
}

/** Caps fall as rates do, also where a size's own cap has cut them. */
function falling(rungs: readonly Rung[]): Rung[] {
  const capped: Rung[] = [];
  for (const rung of rungs) {
    const above = capped.at(-1)?.maxBitrateBps ?? Number.POSITIVE_INFINITY;
    capped.push({ ...rung, maxBitrateBps: Math.min(rung.maxBitrateBps, Math.round(above / NEAREST_RATIO)) });
  }
  return capped;
}

/** What is taken of a film's candidates: of those on the upper edge, best first. */
function chooseRungs(metric: QualityMetric, candidates: readonly Candidate[]): Candidate[] {
  const edge = upperEdge(candidates);
  const top = topOf(metric, edge, candidates);
  if (top === undefined) return [];
  const chosen = [top];
  while (chosen.length < MOST_RUNGS && chosen.at(-1)!.averageBps > FLOOR_BPS) {
    const above = chosen.at(-1)!;
    const next =
      (chosen.length === 1 ? ofSameSize(metric, above, candidates) : undefined) ??
      nextBelow(metric, above, edge);
    if (next === undefined) break;
    chosen.push(next);
  }
  return chosen;
}

/**
 * The cheapest at which no more is seen, or the best that there is. Where that is next to nothing (black, a title card) the
 * largest size that is so too: nothing is saved by a smaller one.
 */
function topOf(
  metric: QualityMetric,
  edge: readonly Candidate[],
  candidates: readonly Candidate[],
): Candidate | undefined {
  const cheapest = edge.find(({ score }) => score >= TRANSPARENT[metric]);
  if (cheapest === undefined || cheapest.averageBps > FLOOR_BPS) return cheapest ?? edge.at(-1);
  return candidates
    .filter(({ score, averageBps }) => score >= TRANSPARENT[metric] && averageBps <= FLOOR_BPS)
    .toSorted((a, b) => b.width - a.width || a.averageBps - b.averageBps)[0];
}

/** The cheapest within the steps of rate that loses no more than a step of quality; the dearest where all lose more. */
function nextBelow(
  metric: QualityMetric,
  above: Candidate,
  edge: readonly Candidate[],
): Candidate | undefined {
  const loss = (candidate: Candidate): number =>
    perceived(metric, above.score) - perceived(metric, candidate.score);
  const { least, most } = STEP[metric];
  const below = edge.filter(
    ({ averageBps, width }) => averageBps <= above.averageBps / NEAREST_RATIO && width <= above.width,
  );
  const near = below.filter(
    (candidate) => candidate.averageBps >= above.averageBps / FARTHEST_RATIO && loss(candidate) >= least,
  );
  // Where even half the rate is no loss that anyone sees, or no step is so near: the next one down that is one.
  return (
    near.find((candidate) => loss(candidate) <= most) ??
    near.at(-1) ??
    below.findLast((one) => loss(one) >= least)
  );
}

/** Apple 9.10, where it costs little. */
function ofSameSize(
  metric: QualityMetric,
  top: Candidate,
  candidates: readonly Candidate[],
): Candidate | undefined {
  if (Math.min(top.width, top.height) < TOP_HD_SIDE) return undefined;
  const within = candidates.filter(
    ({ averageBps }) =>
      averageBps <= top.averageBps / NEAREST_RATIO && averageBps >= top.averageBps / FARTHEST_RATIO,
  );
  const own = within.filter(({ width, height }) => width === top.width && height === top.height);
  const next = own.toSorted((a, b) => a.averageBps - b.averageBps)[0];
  if (next === undefined) return undefined;
  const best = Math.max(
    ...within
      .filter(({ averageBps }) => averageBps <= next.averageBps)
      .map(({ score }) => perceived(metric, score)),
  );
  return best - perceived(metric, next.score) <= SAME_SIZE_LOSS[metric] ? next : undefined;
}

/** Named by size; a further one of the same size by its place among them. */
function named(chosen: readonly Candidate[], prefix: string): { id: string; candidate: Candidate }[] {
  const seen = new Map<number, number>();
  return chosen.map((candidate) => {
    const side = Math.min(candidate.width, candidate.height);
    const place = (seen.get(side) ?? 0) + 1;
    seen.set(side, place);
    return { id: `${prefix}${side}p${place > 1 ? `-${place}` : ""}`, candidate };
  });
}

function capFor(averageBps: number, sizeCapBps: number): number {
  const capKbps = Math.ceil((averageBps * CAP_OF_AVERAGE) / 1000);
  return Math.min(sizeCapBps, Math.max(SMALLEST_CAP_BPS, capKbps * 1000));
}

/** Apple 9.9: at least two bit rates. */
function lower({ predicted: _predicted, ...only }: Rung): Rung {
  const maxBitrateBps = Math.round(only.maxBitrateBps / FARTHEST_RATIO);
  return { ...only, id: `${only.id}-low`, maxBitrateBps, crf: only.crf + HALVING_CRF };
}

function round(metric: QualityMetric, score: number): number {
  return metric === "vmaf" ? Math.round(score * 100) / 100 : Math.round(score * 10_000) / 10_000;
}

/** Apple's own table of H.264 at up to 30 frames a second, the cheapest row of each size: what every film would cost by it. */
export const FIXED_TABLE: readonly { shortSide: number; bitrateBps: number }[] = [
  { shortSide: 1080, bitrateBps: 4_500_000 },
  { shortSide: 720, bitrateBps: 3_000_000 },
  { shortSide: 540, bitrateBps: 2_000_000 },
  { shortSide: 432, bitrateBps: 730_000 },
  { shortSide: 360, bitrateBps: 365_000 },
  { shortSide: 234, bitrateBps: 145_000 },
];

/** What a picture of this size has in Apple's fixed table of H.264; null above it, where that table has HEVC alone. */
export function fixedTableBps(width: number, height: number): number | null {
  const shortSide = Math.min(width, height);
  if (shortSide > FIXED_TABLE[0]!.shortSide) return null;
  return FIXED_TABLE.find((row) => row.shortSide <= shortSide)?.bitrateBps ?? FIXED_TABLE.at(-1)!.bitrateBps;
}

/** Whether a codec's curve can be relied on for a ladder. */
export function curveOf(
  curves: readonly TitleCurve[],
  codec: VideoCodec,
  speed: TitleCurve["speed"],
): TitleCurve | null {
  const curve = curves.find((one) => one.codec === codec && one.speed === speed);
  return curve !== undefined && curve.points.length > 0 ? curve : null;
}
