import { joinRanges, type TimeRange } from "./time-ranges.ts";

/** Where decoding one stream of a master went wrong. */
export interface DecodeLog {
  /** Frames that the decoder complained of or that never came out. */
  damagedFrames: number;
  ranges: TimeRange[];
}

/** ffprobe's entries for `decodeLogReader`, printed as csv with the names of its sections. */
export const DECODE_ENTRIES = "frame=best_effort_timestamp_time";

/** Damage closer than this is one place to look at. */
const SAME_PLACE_SECONDS = 1;
/** A frame this many times later than its rate says has a lost one before it. */
const LOST_RATIO = 1.5;

/**
 * Reads ffprobe's frames with the decoder's words (`-show_frames -show_log`): what it complains of belongs to the frame
 * it is printed with, and a frame that stands too late has lost ones before it. `frameSeconds` is null where frames
 * have no rhythm. Times count from `startSeconds` on the file's clock; what is before it was never going to be shown.
 */
export function decodeLogReader(stream: {
  startSeconds: number;
  endSeconds: number;
  frameSeconds: number | null;
}): { add(line: string): void; log(): DecodeLog } {
  const { startSeconds, endSeconds, frameSeconds } = stream;
  const ranges: TimeRange[] = [];
  let damagedFrames = 0;
  let latest: number | null = null;
  let isCounted = false;
  const damage = (from: number, to: number, frames: number): void => {
    damagedFrames += frames;
    ranges.push({ startSeconds: Math.max(0, from - startSeconds), endSeconds: to - startSeconds });
  };
  const lost = (from: number, to: number): void => {
    if (frameSeconds === null || to - from <= LOST_RATIO * frameSeconds) return;
    damage(from, to, Math.max(1, Math.round((to - from) / frameSeconds) - 1));
  };
  return {
    add(line) {
      const seconds = /^frame,([\d.-]+)/.exec(line)?.[1];
      if (seconds !== undefined) {
        const at = Number(seconds);
        if (latest !== null) lost(latest, at);
        latest = at;
        isCounted = false;
      }
      // Up to the first frame decoders speak of what the file left out before it, which no damage is.
      const isFirst = latest === null || latest <= startSeconds;
      if (isFirst || isCounted || !/^log,|,log,/.test(line)) return;
      isCounted = true;
      damage(latest!, latest! + (frameSeconds ?? 0), 1);
    },
    log() {
      if (latest !== null) lost(latest, endSeconds);
      return { damagedFrames, ranges: joinRanges(ranges, SAME_PLACE_SECONDS) };
    },
  };
}
