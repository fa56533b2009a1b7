import { type EncodingChoice, type Speed, speedOf, type VideoCodec } from "./encoding.ts";
import { buildLadder, type Ladder, type LadderEncoder, type Rung } from "./ladder.ts";
import type { QualityMetric } from "./quality.ts";
import { toNumber } from "./rational.ts";
import type { PinnedSource, Source } from "./source.ts";
import { identityOf } from "./task-recipe.ts";
import { type FrameRange, type Timeline, timelineSeconds } from "./timeline.ts";

/**
 * What trial encodes of a few windows tell of a film: how good it looks in each size at each rate. Made once for a master,
 * and an input of its plan beside the probe's (docs/decisions/per-title.md).
 */

/**
 * A stretch of film that is tried: one whole group of pictures. Of most sizes its first half is encoded and scored; the smallest
 * is encoded whole as well, which costs little and tells what the half leaves out.
 */
export interface TrialWindow {
  group: FrameRange;
  half: FrameRange;
}

/** What is encoded of a window: every trial size at both qualities, and the smallest at both once more over the whole group. */
export interface TrialLadders {
  halves: Ladder;
  wholes: Ladder;
}

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

/** A shorter film costs about a tenth of its encode to analyse, or more where it is easy. */
const SHORTEST_SECONDS = 90;
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
/** Seconds of film for one window: some 7 % of the encode of a ladder of seven rungs (docs/performance.md), less of a long film. */
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

/**
 * All trial sizes, each at both trial qualities, to be encoded and scored as any other ladder is: from one decode and one
 * scaling of each size. The qualities of a size stand side by side, and a cascade scales nothing between them.
 */
export function trialLadders(
  width: number,
  height: number,
  codec: VideoCodec,
  encoder?: LadderEncoder,
): TrialLadders {
  const sizes = trialSizes(width, height, codec);
  const ladderOf = (rungs: readonly Rung[], name: string): Ladder => ({
    id: `trial-${codec}`,
    codec,
    range: "SDR",
    rungs: rungs.flatMap((rung) =>
      TRIAL_CRFS[codec].map((crf) => ({
        ...rung,
        id: `${rung.id}-${name}-${crf}`,
        crf,
        // What it would take, not what it may: far above any rate that will be chosen.
        maxBitrateBps: rung.maxBitrateBps * 10,
      })),
    ),
    ...(encoder === undefined ? {} : { encoder }),
  });
  return { halves: ladderOf(sizes, "half"), wholes: ladderOf(sizes.slice(-1), "whole") };
}

/**
 * The windows that are tried, each a group of pictures: by how many bytes the master spends on each group, one
 * from the middle of each equal part of that order, so that quiet and busy scenes count as often as they come. Without such
 * figures evenly over the film. The same film has the same ones.
 */
export function trialWindows(timeline: Timeline, groupBytes: readonly number[] | null): TrialWindow[] {
  const { frameCount, framesPerKeyframe } = timeline;
  const groups = Math.floor(frameCount / framesPerKeyframe);
  const wanted = Math.round(timelineSeconds(timeline) / SECONDS_PER_WINDOW);
  const count = Math.min(groups, MOST_WINDOWS, Math.max(FEWEST_WINDOWS, wanted));
  const order = Array.from({ length: groups }, (_, group) => group);
  if (groupBytes !== null) order.sort((a, b) => (groupBytes[a] ?? 0) - (groupBytes[b] ?? 0) || a - b);
  return Array.from({ length: count }, (_, part) => order[Math.floor(((part + 0.5) * groups) / count)]!)
    .sort((a, b) => a - b)
    .map((group) => group * framesPerKeyframe)
    .map((firstFrame) => ({
      group: { firstFrame, frameCount: framesPerKeyframe },
      half: { firstFrame, frameCount: Math.ceil(framesPerKeyframe / 2) },
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

/** The coded frames of a window, the keyframe first: each rung's half of it, and the smallest size's whole. */
export interface WindowBytes {
  halves: readonly (readonly number[])[];
  wholes: readonly (readonly number[])[];
}

/**
 * The rate of each rung of a trial over its whole window. What is left out of a half (other pictures, and what an encoder that
 * sees an end spends less on) makes much the same difference in all sizes at one quality: it is taken from the smallest.
 */
export function ratesOfWindow({ halves, wholes }: WindowBytes, timeline: Timeline): number[] {
  const groupsPerSecond = toNumber(timeline.frameRate) / timeline.framesPerKeyframe;
  const inSmallest = wholes.map((whole, quality) => {
    const half = halves[halves.length - wholes.length + quality] ?? [];
    return total(whole) / bytesFromHalf(half, timeline);
  });
  return halves.map(
    (half, rung) =>
      bytesFromHalf(half, timeline) * (inSmallest[rung % wholes.length] ?? 1) * 8 * groupsPerSecond,
  );
}

/** What a whole group would take if it went on as it began: its keyframe is paid for once. */
function bytesFromHalf([first = 0, ...others]: readonly number[], { framesPerKeyframe }: Timeline): number {
  const perFrame = others.length === 0 ? first : total(others) / others.length;
  return first + perFrame * (framesPerKeyframe - 1);
}

/**
 * The rate over the film from those of its windows: weighed by what the master spends there and everywhere, since
 * what is hard for one encoder is hard for another.
 */
export function rateOfFilm(
  windowRates: readonly number[],
  windows: readonly TrialWindow[],
  timeline: Timeline,
  groupBytes: readonly number[] | null,
): number {
  const plain = mean(windowRates);
  if (groupBytes === null) return plain;
  const inWindows = mean(
    windows.map(({ group }) => groupBytes[group.firstFrame / timeline.framesPerKeyframe] ?? 0),
  );
  if (inWindows <= 0) return plain;
  // A master that says nothing of its pictures (constant bit rate, all intra) makes this 1; one film's end must not make it 5.
  const share = mean(groupBytes) / inWindows;
  return plain * Math.min(2, Math.max(0.5, share));
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : total(values) / values.length;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
