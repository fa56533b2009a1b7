import type { Rational } from "./rational.ts";

/**
 * The grid's time axis. Every rung of a title has these boundaries and no other, so a player may switch at
 * any of them. All arithmetic is on whole frames and whole ticks; seconds exist only as text for people.
 */
export interface Timeline {
  frameRate: Rational;
  frameCount: number;
  /** Apple HLS authoring 1.13: an IDR every 2 s. */
  framesPerKeyframe: number;
  /** Apple HLS authoring 7.5: a 6 s target (6.006 s at 30000/1001). */
  framesPerSegment: number;
  /** Ticks per second of every video track, and ticks per frame: one frame is always a whole number of ticks. */
  timescale: number;
  ticksPerFrame: number;
}

/** A run of frames on the grid: `firstFrame` and how many. */
export interface FrameRange {
  firstFrame: number;
  frameCount: number;
}

/** Consecutive segments that are decoded once and encoded together: the unit of work and of loss. */
export interface Chunk {
  index: number;
  firstSegment: number;
  segmentCount: number;
}

const KEYFRAME_SECONDS = 2;
export const KEYFRAMES_PER_SEGMENT = 3;
/** Below this a timescale would round what other tools derive from it. */
const SMALLEST_TIMESCALE = 10_000;

/** The timeline for `frameCount` frames (≥ 1) at an exact rate. Throws RangeError on anything else. */
export function buildTimeline(frameRate: Rational, frameCount: number): Timeline {
  if (!Number.isSafeInteger(frameCount) || frameCount < 1) throw new RangeError(`frame count ${frameCount}`);
  const framesPerKeyframe = Math.max(1, Math.round((KEYFRAME_SECONDS * frameRate.num) / frameRate.den));
  const multiplier = frameRate.num >= SMALLEST_TIMESCALE ? 1 : 1000;
  return {
    frameRate,
    frameCount,
    framesPerKeyframe,
    framesPerSegment: framesPerKeyframe * KEYFRAMES_PER_SEGMENT,
    timescale: frameRate.num * multiplier,
    ticksPerFrame: frameRate.den * multiplier,
  };
}

/** How many segments cover the timeline; the last one may be short. */
export function segmentCount(timeline: Timeline): number {
  return Math.ceil(timeline.frameCount / timeline.framesPerSegment);
}

/** The frames of one segment. */
export function segmentFrames(timeline: Timeline, segment: number): FrameRange {
  const firstFrame = segment * timeline.framesPerSegment;
  return { firstFrame, frameCount: Math.min(timeline.framesPerSegment, timeline.frameCount - firstFrame) };
}

/** The frames of one chunk. */
export function chunkFrames(timeline: Timeline, chunk: Chunk): FrameRange {
  const firstFrame = chunk.firstSegment * timeline.framesPerSegment;
  const end = Math.min(
    (chunk.firstSegment + chunk.segmentCount) * timeline.framesPerSegment,
    timeline.frameCount,
  );
  return { firstFrame, frameCount: end - firstFrame };
}

/** Video duration of the whole timeline in seconds (for people and for comparisons, not for sums). */
export function timelineSeconds(timeline: Timeline): number {
  return (timeline.frameCount * timeline.frameRate.den) / timeline.frameRate.num;
}

/**
 * Audio frames (of `samplesPerFrame` at `sampleRateHz`) of each segment: every border is the audio frame
 * nearest to the video's border, so the two are never more than half an audio frame apart and the
 * difference does not add up. The last segment reaches the end of the video or just past it.
 */
export function audioSegmentFrames(
  timeline: Timeline,
  sampleRateHz: number,
  samplesPerFrame: number,
): FrameRange[] {
  const segments = segmentCount(timeline);
  const total = audioFrameCount(timeline, sampleRateHz, samplesPerFrame);
  const border = (segment: number): number => {
    if (segment === segments) return total;
    const frame = segment * timeline.framesPerSegment;
    return Math.min(total, divide(frame, timeline, sampleRateHz, samplesPerFrame, "nearest"));
  };
  return Array.from({ length: segments }, (_, segment) => ({
    firstFrame: border(segment),
    frameCount: border(segment + 1) - border(segment),
  }));
}

/** Audio frames needed to cover the whole picture. */
export function audioFrameCount(timeline: Timeline, sampleRateHz: number, samplesPerFrame: number): number {
  return divide(timeline.frameCount, timeline, sampleRateHz, samplesPerFrame, "up");
}

function divide(
  videoFrames: number,
  timeline: Timeline,
  sampleRateHz: number,
  samplesPerFrame: number,
  rounding: "nearest" | "up",
): number {
  const numerator = BigInt(videoFrames) * BigInt(timeline.frameRate.den) * BigInt(sampleRateHz);
  const denominator = BigInt(timeline.frameRate.num) * BigInt(samplesPerFrame);
  if (rounding === "up") return Number((numerator + denominator - 1n) / denominator);
  return Number((2n * numerator + denominator) / (2n * denominator));
}
