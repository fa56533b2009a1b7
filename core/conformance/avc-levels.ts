import type { TrackFacts } from "./object-facts.ts";

/** ITU-T H.264 table A-1: macroblocks a second, macroblocks a frame, macroblocks in the buffer, kbit/s. */
const LEVELS: readonly (readonly [
  level: number,
  perSecond: number,
  frame: number,
  buffer: number,
  kbps: number,
])[] = [
  [10, 1_485, 99, 396, 64],
  [11, 3_000, 396, 900, 192],
  [12, 6_000, 396, 2_376, 384],
  [13, 11_880, 396, 2_376, 768],
  [20, 11_880, 396, 2_376, 2_000],
  [21, 19_800, 792, 4_752, 4_000],
  [22, 20_250, 1_620, 8_100, 4_000],
  [30, 40_500, 1_620, 8_100, 10_000],
  [31, 108_000, 3_600, 18_000, 14_000],
  [32, 216_000, 5_120, 20_480, 20_000],
  [40, 245_760, 8_192, 32_768, 20_000],
  [41, 245_760, 8_192, 32_768, 50_000],
  [42, 522_240, 8_704, 34_816, 50_000],
  [50, 589_824, 22_080, 110_400, 135_000],
  [51, 983_040, 36_864, 184_320, 240_000],
  [52, 2_073_600, 36_864, 184_320, 240_000],
];
/** A.3.3: cpbBrNalFactor of High profile over that of Main. */
const HIGH_PROFILE_FACTOR = 1.25;
/** The encoder plans with its cap, of which the measured peak is only a part. */
const CAP_OVER_PEAK = 8;

/** The smallest level (times ten) that size, rate, reference frames and bit rate fit into; 52 where none does. */
export function smallestAvcLevel(
  track: Pick<TrackFacts, "width" | "height" | "referenceFrames">,
  frameRate: number,
  peakBps: number,
): number {
  const macroblocks = Math.ceil(track.width / 16) * Math.ceil(track.height / 16);
  const kbps = (peakBps * CAP_OVER_PEAK) / 1000;
  const fit = LEVELS.find(
    ([, perSecond, frame, buffer, most]) =>
      macroblocks <= frame &&
      macroblocks * frameRate <= perSecond &&
      macroblocks * track.referenceFrames <= buffer &&
      kbps <= most * HIGH_PROFILE_FACTOR,
  );
  return fit?.[0] ?? 52;
}
