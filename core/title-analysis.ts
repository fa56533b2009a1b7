import { type EncodingChoice, type Speed, speedOf, type VideoCodec } from "./encoding.ts";
import { buildLadder, type Ladder, type Rung } from "./ladder.ts";
import type { QualityMetric } from "./quality.ts";
import { toNumber } from "./rational.ts";
import type { PinnedSource, Source } from "./source.ts";
import { identityOf } from "./task-recipe.ts";
import { type FrameRange, type Timeline, timelineSeconds } from "./timeline.ts";

/**
 * What trial encodes of a few windows tell of a film: how good it looks in each size at each rate. Made once for a master,
 * and an input of its plan beside the probe's (docs/decisions/per-title.md).
 */

/** One size at one constant quality, over all windows. */
export interface TrialPoint {
  width: number;
  height: number;
  crf: number;
  averageBps: number;
  /** At the largest size, as on a viewer's screen. */
  score: number;
}

/** What one encoder does with the film. Without points where it was tried in vain: the ladder is then the table's. */
export interface TitleCurve {
  codec: VideoCodec;
  speed: Speed;
  /** VMAF where the worker had it, otherwise SSIM: the two never meet in one curve. */
  metric: QualityMetric;
  points: TrialPoint[];
}

export interface TitleAnalysis {
  /** Of which master: its ETag and size. */
  sourceIdentity: string;
  windows: FrameRange[];
  curves: TitleCurve[];
}

/** A shorter film costs more to analyse than a tenth of its encode. */
const SHORTEST_SECONDS = 60;
/** A smaller picture has no sizes to choose between. */
const SMALLEST_SHORT_SIDE = 360;
/** Trial sizes: above, the score's own screen ends; of more than so many the smallest is no gain over less quality at the next. */
const LARGEST_TRIAL_SIDE = 1080;
const MOST_TRIAL_SIZES = 4;
/** Two qualities a size, about where its rungs will lie: between and near them a curve is known (quality-curve.ts). */
export const TRIAL_CRFS: Record<VideoCodec, readonly [number, number]> = {
  h264: [21, 31],
  hevc: [23, 33],
  av1: [28, 48],
};
/** Seconds of film for one window of one second: about 7 % of the encode. */
const SECONDS_PER_WINDOW = 80;
const FEWEST_WINDOWS = 2;
const MOST_WINDOWS = 8;

/** The master that an analysis is of. */
export function isOf(analysis: TitleAnalysis | null | undefined, pinned: PinnedSource): boolean {
  return analysis?.sourceIdentity === identityOf(pinned);
}

/** Codecs whose curves are still to be made before the film can be planned; none where it is planned by the table. */
export function curvesMissing(
  source: Pick<Source, "durationSeconds" | "video">,
  encoding: EncodingChoice,
  curves: readonly TitleCurve[],
): VideoCodec[] {
  const { width, height } = source.video;
  if (encoding.ladder !== "title" || source.durationSeconds < SHORTEST_SECONDS) return [];
  if (Math.min(width, height) < SMALLEST_SHORT_SIDE) return [];
  const speed = speedOf(encoding);
  return encoding.codecs.filter(
    (codec) => !curves.some((curve) => curve.codec === codec && curve.speed === speed),
  );
}

/** Sizes that are tried: those of the table that a screen of 1080 lines can tell apart. */
export function trialSizes(width: number, height: number, codec: VideoCodec): Rung[] {
  return buildLadder(width, height, codec)
    .filter((rung) => Math.min(rung.width, rung.height) <= LARGEST_TRIAL_SIDE)
    .slice(0, MOST_TRIAL_SIZES);
}

/** A ladder of all trial sizes at one constant quality, to be encoded and scored as any other is. */
export function trialLadder(width: number, height: number, codec: VideoCodec, crf: number): Ladder {
  const rungs = trialSizes(width, height, codec).map((rung) => ({
    ...rung,
    crf,
    // What it would take, not what it may: far above any rate that will be chosen.
    maxBitrateBps: rung.maxBitrateBps * 10,
  }));
  return { id: `trial-${codec}`, codec, range: "SDR", rungs };
}

/**
 * The windows that are tried, each the first half of a group of pictures: by how many bytes the master spends on each group, one
 * from the middle of each equal part of that order, so that quiet and busy scenes count as often as they come. Without such
 * figures evenly over the film. The same film has the same ones.
 */
export function trialWindows(timeline: Timeline, groupBytes: readonly number[] | null): FrameRange[] {
  const { frameCount, framesPerKeyframe } = timeline;
  const groups = Math.floor(frameCount / framesPerKeyframe);
  const wanted = Math.round(timelineSeconds(timeline) / SECONDS_PER_WINDOW);
  const count = Math.min(groups, MOST_WINDOWS, Math.max(FEWEST_WINDOWS, wanted));
  const order = Array.from({ length: groups }, (_, group) => group);
  if (groupBytes !== null) order.sort((a, b) => (groupBytes[a] ?? 0) - (groupBytes[b] ?? 0) || a - b);
  return Array.from({ length: count }, (_, part) => order[Math.floor(((part + 0.5) * groups) / count)]!)
    .sort((a, b) => a - b)
    .map((group) => ({
      firstFrame: group * framesPerKeyframe,
      frameCount: Math.ceil(framesPerKeyframe / 2),
    }));
}

/** What the master spends on each whole group of pictures of the timeline. */
export function bytesOfGroups(
  timeline: Timeline,
  samples: { secondsFromFirst(at: number): number; sizes: ArrayLike<number> },
): number[] {
  const groupSeconds = timeline.framesPerKeyframe / toNumber(timeline.frameRate);
  const groups = new Array<number>(Math.floor(timeline.frameCount / timeline.framesPerKeyframe)).fill(0);
  for (let at = 0; at < samples.sizes.length; at++) {
    const group = Math.floor(samples.secondsFromFirst(at) / groupSeconds);
    if (group >= 0 && group < groups.length) groups[group]! += samples.sizes[at]!;
  }
  return groups;
}

/**
 * The rate of a rung from one window's coded frames, the keyframe first: a window is half a group, and the keyframe
 * is paid for once in a whole one.
 */
export function rateOfWindow(sampleBytes: readonly number[], timeline: Timeline): number {
  const [first = 0, ...others] = sampleBytes;
  const perFrame =
    others.length === 0 ? first : others.reduce((sum, bytes) => sum + bytes, 0) / others.length;
  const groupBytes = first + perFrame * (timeline.framesPerKeyframe - 1);
  return (groupBytes * 8 * toNumber(timeline.frameRate)) / timeline.framesPerKeyframe;
}

/**
 * The rate over the film from those of its windows: weighed by what the master spends there and everywhere, since
 * what is hard for one encoder is hard for another.
 */
export function rateOfFilm(
  windowRates: readonly number[],
  windows: readonly FrameRange[],
  timeline: Timeline,
  groupBytes: readonly number[] | null,
): number {
  const plain = mean(windowRates);
  if (groupBytes === null) return plain;
  const inWindows = mean(
    windows.map(({ firstFrame }) => groupBytes[firstFrame / timeline.framesPerKeyframe] ?? 0),
  );
  if (inWindows <= 0) return plain;
  // A master that says nothing of its pictures (constant bit rate, all intra) makes this 1; one film's end must not make it 5.
  const share = mean(groupBytes) / inWindows;
  return plain * Math.min(2, Math.max(0.5, share));
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
