import type { MeasuredBitrate } from "./bitrate.ts";

/** Apple 1.32: the first variant listed is where players start; about 2 Mbit/s. */
const FIRST_VARIANT_BPS = 2_000_000;

type Rates<V> = (variant: V) => MeasuredBitrate;

export function largestFirst<V>(variants: readonly V[], ratesOf: Rates<V>): V[] {
  return [...variants].sort((a, b) => ratesOf(b).peakBps - ratesOf(a).peakBps);
}

/** A good one to start with first, then largest down. */
export function startFirst<V>(variants: readonly V[], ratesOf: Rates<V>): V[] {
  const sorted = largestFirst(variants, ratesOf);
  const distance = (variant: V): number => Math.abs(ratesOf(variant).averageBps - FIRST_VARIANT_BPS);
  const least = Math.min(...sorted.map(distance));
  const start = sorted.findIndex((variant) => distance(variant) === least);
  return [...sorted.slice(start, start + 1), ...sorted.filter((_, index) => index !== start)];
}
