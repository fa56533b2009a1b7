import type { Ladder } from "./ladder.ts";
import type { FrameRange, Timeline } from "./timeline.ts";

/**
 * The pictures that are shown while someone seeks: one about every second, each whole in itself (Apple HLS authoring
 * 6.2), in the size of a ladder's smallest rung and made from the same decode. Storyboards are cut from them too.
 */
export interface TrickPlay {
  id: string;
  /** The ladder that it is made with. */
  ladderId: string;
  width: number;
  height: number;
  crf: number;
  maxBitrateBps: number;
}

/** Beside the rungs' ids, which are heights. */
const TRICK_ID = "trick";
/** A little softer than the film: each is seen for a moment. */
const CRF = 30;
/** Apple 6.7: 45 kbit/s are usual at this size; never twice that. */
const MAX_BITRATE_BPS = 80_000;

/** Apple 6.14, 6.16: H.264 in standard range, which every plan has. */
export function planTrickPlay(ladders: readonly Ladder[]): TrickPlay {
  const ladder = ladders.find(({ codec, range }) => codec === "h264" && range === "SDR");
  const smallest = ladder?.rungs.at(-1);
  if (ladder === undefined || smallest === undefined) throw new RangeError("no H.264 ladder");
  const { width, height } = smallest;
  return { id: TRICK_ID, ladderId: ladder.id, width, height, crf: CRF, maxBitrateBps: MAX_BITRATE_BPS };
}

/** Frames from a keyframe of the rungs to the picture half-way to the next: a second, or half a frame more. */
export function halfKeyframe({ framesPerKeyframe }: Timeline): number {
  return Math.ceil(framesPerKeyframe / 2);
}

/** The frames within `range` (which begins at a keyframe) that are shown while seeking: each keyframe, and half-way. */
export function trickFrames(timeline: Timeline, { firstFrame, frameCount }: FrameRange): number[] {
  const half = halfKeyframe(timeline);
  const frames: number[] = [];
  for (let at = 0; at < frameCount; at += timeline.framesPerKeyframe) {
    frames.push(firstFrame + at);
    if (half < timeline.framesPerKeyframe && at + half < frameCount) frames.push(firstFrame + at + half);
  }
  return frames;
}
