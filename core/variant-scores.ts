import type { VideoRange } from "./ladder.ts";
import type { VideoVariant } from "./renditions.ts";

/** What a player gains with the same number of lines: HDR first, then what needs fewer bytes for the same picture. */
const RANGE_SCORE: Record<VideoRange, number> = { SDR: 0, HLG: 0.5, PQ: 0.5 };
const CODEC_SCORE: Record<string, number> = { avc1: 0, hvc1: 0.1, av01: 0.2 };

/**
 * 8216bis 4.4.6.2, SCORE: how good a variant looks beside the others. Needed where codecs differ, since bit rates say
 * nothing there: H.264 at 6 Mbit/s looks as HEVC at 3.9 does. Each step in size is one, and codec and range break ties;
 * a second encode of one size is below the first.
 */
export function scoresOf(variants: readonly VideoVariant[]): Map<VideoVariant, number> {
  const sizes = [...new Set(variants.map(sizeOf))].sort((a, b) => a - b);
  const scores = new Map<VideoVariant, number>();
  for (const variant of variants) {
    const better = variants.filter(
      (other) =>
        other.ladderId === variant.ladderId &&
        sizeOf(other) === sizeOf(variant) &&
        other.measured.averageBps > variant.measured.averageBps,
    );
    const codec = CODEC_SCORE[variant.codec.split(".")[0] ?? ""] ?? 0;
    const score = sizes.indexOf(sizeOf(variant)) + 1 + RANGE_SCORE[variant.range] + codec;
    scores.set(variant, better.length > 0 ? score / 2 : score);
  }
  return scores;
}

function sizeOf({ width, height }: VideoVariant): number {
  return width * height;
}
