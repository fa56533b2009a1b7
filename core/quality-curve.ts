import type { QualityMetric } from "./quality.ts";
import type { TitleCurve, TrialPoint } from "./title-analysis.ts";

/** From a few trial points to all that could be encoded, and of that what is worth it. Pure. */

/** A size at a constant quality, with what it would cost and how good it would look. */
export interface Candidate {
  width: number;
  height: number;
  crf: number;
  averageBps: number;
  score: number;
}

/** As far beyond its two trial points a curve is believed. */
const REACH_CRF = 4;
/** The best that there is: VMAF's models end a little above 100 where nothing is lost at all. */
const PERFECT: Record<QualityMetric, number> = { vmaf: 101, ssim: 1 };
/** Nothing is scored as perfect: its distance would be infinite. */
const LEAST_LOSS = 1e-5;

/** How far a score is from perfect, in decibels: near enough a straight line over the encoder's constant quality. */
export function decibels(metric: QualityMetric, score: number): number {
  return -10 * Math.log10(Math.max(LEAST_LOSS, 1 - score / PERFECT[metric]));
}

function scoreAt(metric: QualityMetric, distance: number): number {
  return PERFECT[metric] * (1 - 10 ** (-distance / 10));
}

/** Steps of quality are counted in VMAF's own points, which are even to the eye, and in decibels of SSIM, which more nearly are. */
export function perceived(metric: QualityMetric, score: number): number {
  return metric === "vmaf" ? score : decibels(metric, score);
}

/** Every whole step of quality of every size that was tried, between its trial points and a little beyond. */
export function candidatesOf({ metric, points }: TitleCurve): Candidate[] {
  const bySize = Map.groupBy(points, ({ width, height }) => `${width}x${height}`);
  return [...bySize.values()].flatMap((ofSize) => {
    const [best, worst] = [
      ofSize.toSorted((a, b) => a.crf - b.crf)[0]!,
      ofSize.toSorted((a, b) => b.crf - a.crf)[0]!,
    ];
    if (best.crf === worst.crf) return [best];
    const steps = worst.crf - best.crf + 2 * REACH_CRF + 1;
    return Array.from({ length: steps }, (_, step) =>
      between(metric, best, worst, best.crf - REACH_CRF + step),
    );
  });
}

/** Rates fall by a constant factor with each step of quality, and so does the distance from perfect. */
function between(metric: QualityMetric, best: TrialPoint, worst: TrialPoint, crf: number): Candidate {
  const share = (crf - best.crf) / (worst.crf - best.crf);
  const line = (from: number, to: number): number => from + share * (to - from);
  const { width, height } = best;
  return {
    ...{ width, height, crf },
    averageBps: Math.exp(line(Math.log(best.averageBps), Math.log(worst.averageBps))),
    score: scoreAt(metric, line(decibels(metric, best.score), decibels(metric, worst.score))),
  };
}

/**
 * Of every rate the best that any size gives, cheapest first: rates and scores both rise along it. The upper edge of all sizes'
 * curves and not the convex hull of their points, which would leap over whole stretches where an edge is nearly straight.
 */
export function upperEdge(candidates: readonly Candidate[]): Candidate[] {
  const ordered = candidates.toSorted((a, b) => a.averageBps - b.averageBps || b.score - a.score);
  const edge: Candidate[] = [];
  for (const candidate of ordered) {
    // Dearer and no better is never on it.
    if (candidate.score > (edge.at(-1)?.score ?? Number.NEGATIVE_INFINITY)) edge.push(candidate);
  }
  return edge;
}
