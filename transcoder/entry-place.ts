import type { Plan } from "../core/plan.ts";
import { isIndexed, type Source } from "../core/source.ts";
import type { TimeWindow } from "../core/source-window.ts";
import { entryBefore, type StreamSpan, seekSeconds, streamSpan } from "../core/stream-entries.ts";
import type { FrameRange } from "../core/timeline.ts";

/** Where in a master decoding begins for frames of the timeline, and what is read for it. Pure. */

/** Frames decoded before a chunk of re-timed frames, so that its first frame has a predecessor to repeat. */
const RETIME_PREROLL_SEGMENTS = 1;
/** Frames of the master before a deinterlaced chunk: bwdif looks one frame back, and guesses without it. */
const DEINTERLACE_PREROLL = 4;
/** Their first times after a seek may be guesses. */
const UNINDEXED_LEAD_MICROS = 2_000_000;

/** The time on the file's own clock that is decoded for these frames; null where it must be read from its beginning. */
export function entryWindow(source: Source, plan: Plan, frames: FrameRange): TimeWindow | null {
  if (!canSeek(source)) return null;
  const { num, den } = plan.timeline.frameRate;
  const { startSeconds } = source.video;
  const endSeconds = startSeconds + ((frames.firstFrame + frames.frameCount) * den) / num;
  if (startsOnKeyframe(source, plan, frames)) {
    const asked = (microsOf(plan, frames.firstFrame) + marginMicros(source)) / 1e6;
    return { startSeconds: startSeconds + asked, endSeconds, isExact: true };
  }
  const seekMicros = seekPosition(source, plan, firstDecodedMicros(plan, frames)) ?? 0;
  return { startSeconds: startSeconds + seekMicros / 1e6, endSeconds };
}

/** What is read of a transport stream for these frames; null where it is not known where it can be entered. */
export function entrySpan(source: Source, plan: Plan, frames: FrameRange): StreamSpan | null {
  const { num, den } = plan.timeline.frameRate;
  const endSeconds = ((frames.firstFrame + frames.frameCount) * den) / num;
  return streamSpan(source, firstDecodedSeconds(plan, frames), endSeconds);
}

/** A quarter of a frame on either side: what stands on a border to a tick. A frame that is placed needs none before it where it is there itself. */
export function startsOnKeyframe(source: Source, plan: Plan, { firstFrame }: FrameRange): boolean {
  const { container, video } = source;
  if (plan.timing === "retime" || plan.picture.deinterlace !== "none" || firstFrame <= 0) return false;
  // Of other containers not every keyframe that is known is in the index that ffmpeg goes by, or it has none: there nothing is gained.
  const isListed = container.split(",").includes("mov");
  if (!isListed && (video.isReckoned !== true || !isIndexed(source))) return false;
  const margin = marginMicros({ video });
  const firstMicros = microsOf(plan, firstFrame);
  return video.keyframeSeconds.some((time) => Math.abs(time * 1e6 - firstMicros) <= margin);
}

/**
 * Where ffmpeg is to begin, from the first picture; null for the beginning of the file. Counted and placed frames: a little
 * early, since a border frame whose time is a tick too small would be lost by an exact seek. Re-timed
 * frames keep their times, so there the seek is exact. Without an index: at a keyframe whose place was noted, so that a decoder
 * sees nothing that it could complain of, or else two seconds and a whole group of pictures early.
 */
export function seekPosition(source: Source, plan: Plan, firstMicros: number): number | null {
  if (firstMicros <= 0 || !canSeek(source)) return null;
  if (isIndexed(source)) return plan.timing === "retime" ? firstMicros : firstMicros - marginMicros(source);
  const { entries, keyframeSeconds } = source.video;
  if (entries !== undefined) {
    const entry = entryBefore(entries, keyframeSeconds, firstMicros / 1e6);
    return entry === null ? null : Math.round(seekSeconds(entries, entry) * 1e6);
  }
  const before = keyframeSeconds.filter((time) => time * 1e6 <= firstMicros - UNINDEXED_LEAD_MICROS);
  const position = Math.round((before.at(-2) ?? 0) * 1e6) - marginMicros(source);
  return position <= 0 ? null : position;
}

/**
 * Where a programme stream leaves times out, ffmpeg's guesses after a seek are frames off, and differ from place
 * to place: then frames are counted from the file's beginning, which costs decoding but is right.
 */
export function canSeek({ container, video }: Source): boolean {
  return container !== "mpeg" || video.hasAllTimes;
}

/** When the first frame is shown that is used of the picture, from the first of all. */
export function firstDecodedSeconds(plan: Plan, frames: FrameRange): number {
  return firstDecodedMicros(plan, frames) / 1e6;
}

/** The first frame of the picture that is used: the chunk's own, or one before it that the filters look at. */
export function firstDecodedMicros(plan: Plan, { firstFrame }: FrameRange): number {
  return microsOf(plan, firstFrame - Math.min(firstFrame, prerollFrames(plan)));
}

/** Frames before a chunk's first that the filters look at. */
export function prerollFrames({ timing, timeline, picture }: Plan): number {
  if (timing === "retime") return RETIME_PREROLL_SEGMENTS * timeline.framesPerSegment;
  if (picture.deinterlace === "none") return 0;
  return DEINTERLACE_PREROLL * (picture.deinterlace === "fields" ? 2 : 1);
}

/** When a frame of the timeline is shown, from the first. */
export function microsOf({ timeline }: Plan, frame: number): number {
  const { num, den } = timeline.frameRate;
  return Math.round((frame * den * 1e6) / num);
}

/**
 * How far from a frame's time ffmpeg is sent, so that a tick does not count: a quarter of a frame. It counts from there in the
 * container's ticks, and where one of these is a whole frame (MXF, AVI, some QuickTime) half a frame would be rounded either way.
 */
export function marginMicros({ video }: Pick<Source, "video">): number {
  return Math.round((video.frameRate.den * 1e6) / (4 * video.frameRate.num));
}
