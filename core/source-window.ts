import type { ByteRange } from "./byte-ranges.ts";
import { type SampleTrack, sampleRanges } from "./sample-table.ts";

/** A span of time on the file's own clock. */
export interface TimeWindow {
  startSeconds: number;
  /** It is entered at the last keyframe that is shown no later, wherever ffmpeg would step back to otherwise. */
  isExact?: true;
  endSeconds: number;
}

/** What a decoder and the filters behind it may ask for beyond the last frame that is used: reordering and look-ahead. */
export const READ_AHEAD_SECONDS = 0.75;

/** Where the samples lie that are read when a track is decoded over `window`, from the keyframe before it on. */
export function windowRanges(track: SampleTrack, { startSeconds, endSeconds }: TimeWindow): ByteRange[] {
  const startTicks = startSeconds * track.timescale;
  const endTicks = (endSeconds + READ_AHEAD_SECONDS) * track.timescale;
  let first = 0;
  let last = 0;
  for (let at = 0; at < track.sizes.length; at++) {
    const decode = track.decodeTicks[at]!;
    // ffmpeg seeks by either time, whichever the container's index keeps: by both the keyframe must be early enough.
    if (track.isKeyframe[at] === 1 && Math.max(decode, track.shownTicks[at]!) <= startTicks) first = at;
    if (decode <= endTicks) last = at;
  }
  return sampleRanges(track, first, last);
}

/** Where all samples of a track lie. */
export function trackRanges(track: SampleTrack): ByteRange[] {
  return sampleRanges(track, 0, track.sizes.length - 1);
}
