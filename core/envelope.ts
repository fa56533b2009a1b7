/**
 * How loud a sound is from moment to moment: a fingerprint that survives coding, gain and mixing down, and costs
 * next to nothing to compare. Pure.
 */

/** Moments a second. */
export const ENVELOPE_HZ = 200;
/** How far two sounds are slid against each other, in moments: a quarter of a second. */
const LARGEST_LAG = ENVELOPE_HZ / 4;
/** Quieter than this (of full scale) everywhere: nothing to compare. */
const SILENCE = 0.001;

/** Root mean square of each moment of one channel of 16-bit samples. */
export function envelope(samples: Int16Array, sampleRateHz: number): number[] {
  const size = sampleRateHz / ENVELOPE_HZ;
  return Array.from({ length: Math.floor(samples.length / size) }, (_, moment) => {
    const part = samples.subarray(Math.round(moment * size), Math.round((moment + 1) * size));
    const energy = part.reduce((sum, sample) => sum + (sample / 32768) ** 2, 0);
    return Math.sqrt(energy / part.length);
  });
}

export interface Likeness {
  /** Pearson's correlation where the two fit best, −1..1. */
  correlation: number;
  /** How much later `a` is than `b` there. */
  lagSeconds: number;
  /** Whether another lag would fit clearly worse: an even hum fits everywhere. */
  isLagClear: boolean;
}

/** How alike two sounds are, slid to where they fit best; null where `b` is silent or even, so that anything would fit it. */
export function compareEnvelopes(a: readonly number[], b: readonly number[]): Likeness | null {
  if (Math.max(...b, 0) < SILENCE || spread(smoothed(b)) < 0.1) return null;
  const lags = Array.from({ length: 2 * LARGEST_LAG + 1 }, (_, index) => index - LARGEST_LAG);
  const fits = lags.map((lag) => correlate(a, b, lag));
  const best = fits.reduce((top, fit, index) => (fit > fits[top]! ? index : top), 0);
  const far = fits.filter((_, index) => Math.abs(index - best) >= ENVELOPE_HZ / 20);
  return {
    correlation: fits[best]!,
    lagSeconds: lags[best]! / ENVELOPE_HZ,
    isLagClear: far.every((fit) => fits[best]! - fit > 0.1),
  };
}

/** Means over a twentieth of a second: a steady tone beats with the moments themselves, which is no change of loudness. */
function smoothed(values: readonly number[]): number[] {
  const size = ENVELOPE_HZ / 20;
  return Array.from({ length: Math.floor(values.length / size) }, (_, index) => {
    const part = values.slice(index * size, (index + 1) * size);
    return part.reduce((sum, value) => sum + value, 0) / size;
  });
}

/** Standard deviation over the mean; 0 of nothing. */
function spread(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return mean === 0 ? 0 : Math.sqrt(variance) / mean;
}

/** Pearson's correlation of a[n + lag] and b[n] over what both have; 0 where either is constant. */
function correlate(a: readonly number[], b: readonly number[], lag: number): number {
  const from = Math.max(0, -lag);
  const to = Math.min(b.length, a.length - lag);
  const count = to - from;
  if (count < 2) return 0;
  let [sumA, sumB, sumAA, sumBB, sumAB] = [0, 0, 0, 0, 0];
  for (let index = from; index < to; index++) {
    const x = a[index + lag]!;
    const y = b[index]!;
    sumA += x;
    sumB += y;
    sumAA += x * x;
    sumBB += y * y;
    sumAB += x * y;
  }
  const below = Math.sqrt((sumAA - (sumA * sumA) / count) * (sumBB - (sumB * sumB) / count));
  return below > 1e-12 ? (sumAB - (sumA * sumB) / count) / below : 0;
}
