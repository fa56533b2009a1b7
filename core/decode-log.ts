import { joinRanges, type TimeRange } from "./time-ranges.ts";

/** Where decoding one stream of a master went wrong. */
export interface DecodeLog {
  /** Frames that the decoder complained of or that never came out. */
  damagedFrames: number;
  ranges: TimeRange[];
}

/** ffprobe's entries for `decodeLogReader`, printed as csv with the names of its sections. */
export const DECODE_ENTRIES = "frame=best_effort_timestamp_time,nb_samples";

/** Said where decoding begins at an open group of pictures, of what comes before it and is never shown. */
export const HARMLESS = /mmco: unref short failure|co located POCs unavailable/;

/** How long a frame of the stream lasts; null where its frames have no rhythm. */
export type Rhythm = { frameSeconds: number } | { sampleRateHz: number } | null;

/** Damage closer than this is one place to look at. */
const SAME_PLACE_SECONDS = 1;
/** Half a frame more than a frame lasts, and a frame is missing in between. */
const LATE_RATIO = 0.5;

/**
 * Reads ffprobe's frames with the decoder's words (`-show_frames -show_log`): what it complains of belongs to the frame
 * it is printed with, and a frame that stands too late has lost ones before it. Times count from `startSeconds` on the
 * file's clock; what is before it was never going to be shown.
 */
export function decodeLogReader(stream: { startSeconds: number; endSeconds: number; rhythm: Rhythm }): {
  add(line: string): void;
  log(): DecodeLog;
} {
  const { startSeconds, endSeconds, rhythm } = stream;
  const ranges: TimeRange[] = [];
  let damagedFrames = 0;
  let latest: { at: number; lasts: number } | null = null;
  let isCounted = false;
  const damage = (from: number, to: number, frames: number): void => {
    damagedFrames += frames;
    ranges.push({ startSeconds: Math.max(0, from - startSeconds), endSeconds: to - startSeconds });
  };
  const lostBefore = (at: number): void => {
    if (latest === null || latest.lasts === 0) return;
    const missing = at - latest.at - latest.lasts;
    if (missing <= LATE_RATIO * latest.lasts) return;
    damage(latest.at + latest.lasts, at, Math.max(1, Math.round(missing / latest.lasts)));
  };
  return {
    add(line) {
      const [, seconds, samples] = /^frame,([\d.-]+)(?:,(\d+))?/.exec(line) ?? [];
      if (seconds !== undefined) {
        lostBefore(Number(seconds));
        latest = { at: Number(seconds), lasts: lengthOf(rhythm, Number(samples ?? 0)) };
        isCounted = false;
      }
      // Up to the first frame decoders speak of what the file left out before it, which no damage is.
      if (latest === null || latest.at <= startSeconds || isCounted || !isComplaint(line)) return;
      isCounted = true;
      damage(latest.at, latest.at + latest.lasts, 1);
    },
    log() {
      if (latest !== null && latest.at < endSeconds) lostBefore(endSeconds);
      return { damagedFrames, ranges: joinRanges(ranges, SAME_PLACE_SECONDS) };
    },
  };
}

function isComplaint(line: string): boolean {
  return /^log,|,log,/.test(line) && !HARMLESS.test(line);
}

function lengthOf(rhythm: Rhythm, samples: number): number {
  if (rhythm === null) return 0;
  return "frameSeconds" in rhythm ? rhythm.frameSeconds : samples / rhythm.sampleRateHz;
}
