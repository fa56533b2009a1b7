import type { ByteRange } from "./byte-ranges.ts";
import type { Source, SourceVideo, StreamEntries } from "./source.ts";
import { READ_AHEAD_SECONDS } from "./source-window.ts";
import type { LookedEntry } from "./stream-aims.ts";

/**
 * A transport stream has no index: where its picture can be entered was seen when its packets were listed to count its
 * frames, and is kept with what was found in it.
 */

/** A keyframe of the picture as a demuxer lists it, in the order of the file. */
export interface ListedEntry {
  decodeSeconds: number;
  at: number;
  /** Where a cut is to begin; only of what was looked for (core/stream-aims.ts). */
  leadAt?: number;
}

/** Nearer to each other they are not worth their room in the record: half of it is what a chunk reads more on average. */
const APART_SECONDS = 1;
/** What is decoded before the first frame that is used, at least: a picture that is refreshed bit by bit is whole by then. */
const LEAD_SECONDS = 2;
/** What ffmpeg takes off a seek's time where pictures are reordered (`dts_heuristic`). */
export const STEP_BACK_SECONDS = 3 / 23;
/** More than all roundings on the way, less than any two pictures are apart. */
const LANDING_SECONDS = 0.001;
/** What is there before the packet that ffmpeg is to land on: another that it lands on is then found as in the whole file. */
const MARGIN_SECONDS = 0.5;

/** Those that are kept: the first, and of the others each that stands a second or more behind the one before it. */
export function keptEntries<Entry extends ListedEntry>(listed: readonly Entry[]): Entry[] {
  const kept: Entry[] = [];
  for (const entry of listed) {
    const last = kept.at(-1);
    if (last === undefined || entry.decodeSeconds - last.decodeSeconds >= APART_SECONDS) kept.push(entry);
  }
  return kept;
}

/**
 * Which entry decoding begins at so that the frame at `firstSeconds` and all behind it come out whole: two seconds before
 * it or more, with another keyframe in between; of entries that were looked for, the last that is shown no later. null for the beginning of the file.
 */
export function entryBefore(
  { decodeSeconds, leadAt }: StreamEntries,
  keyframeSeconds: readonly number[],
  firstSeconds: number,
): number | null {
  if (leadAt !== undefined) {
    const last = keyframeSeconds.findLastIndex((time) => time <= firstSeconds + LANDING_SECONDS);
    return last > 0 ? last : null;
  }
  const another = keyframeSeconds.findLastIndex((time) => time <= firstSeconds) - 1;
  const latest = Math.min(firstSeconds - LEAD_SECONDS, keyframeSeconds[another] ?? Number.NEGATIVE_INFINITY);
  const entry = decodeSeconds.findLastIndex((time) => time <= latest);
  return entry > 0 ? entry : null;
}

/** The source as one whose entries are not to be trusted, where they were looked for: of the whole file it is entered two looks early, by time. */
export function withoutLookedEntries(source: Source): Source {
  if (source.video.entries?.leadAt === undefined) return source;
  const { entries: _, ...video } = source.video;
  return { ...source, video };
}

/** The same picture with one more entry that was looked for, on the file's own clock. */
export function withEntry(
  video: SourceVideo,
  { at, leadAt, decodeSeconds, shownSeconds }: LookedEntry,
): SourceVideo {
  const { entries, keyframeSeconds, startSeconds } = video;
  if (entries?.leadAt === undefined) return video;
  const place = entries.at.findIndex((noted) => noted >= at);
  if (place <= 0 || entries.at[place] === at) return video;
  return {
    ...video,
    keyframeSeconds: keyframeSeconds.toSpliced(place, 0, shownSeconds - startSeconds),
    entries: {
      ...entries,
      decodeSeconds: entries.decodeSeconds.toSpliced(place, 0, decodeSeconds - startSeconds),
      at: entries.at.toSpliced(place, 0, at),
      leadAt: entries.leadAt.toSpliced(place, 0, leadAt),
    },
  };
}

/**
 * What ffmpeg is asked for, in seconds from the first frame, so that the packet it lands on is this entry's: it takes the
 * last whose time of decoding is not later.
 */
export function seekSeconds({ decodeSeconds, stepsBack }: StreamEntries, entry: number): number {
  return decodeSeconds[entry]! + LANDING_SECONDS + (stepsBack ? STEP_BACK_SECONDS : 0);
}

/** A stretch of a transport stream around an entry, and what must be found in it. */
export interface StreamSpan extends ByteRange {
  entries: StreamEntries;
  /** When the film's first frame is shown on the file's own clock, which entries count from. */
  zeroSeconds: number;
  /** Where ffmpeg is to land, and when what lies there is decoded on the file's own clock; null where it reads from the beginning. */
  entry: { at: number; seconds: number } | null;
  /** On the file's own clock: pictures up to this time of decoding must be there; null where it goes to the file's end. */
  untilSeconds: number | null;
}

/**
 * What is read of a transport stream for the frames between two times, counted from the first frame; null where no entries are known. Where
 * only some entries were looked for, it is read until it ends (transcoder/stream-end.ts): its `end` is where it ends at the latest.
 */
export function streamSpan(
  { video, sizeBytes, durationSeconds }: Source,
  firstSeconds: number,
  endSeconds: number,
): StreamSpan | null {
  const { entries, keyframeSeconds, startSeconds } = video;
  if (entries === undefined) return null;
  const index = entryBefore(entries, keyframeSeconds, firstSeconds);
  const until = endSeconds + READ_AHEAD_SECONDS;
  const behind = entries.decodeSeconds.findIndex((time) => time > until);
  // The last pictures may be decoded a little before the film ends.
  const isToEnd = entries.leadAt === undefined ? behind < 0 : until > durationSeconds - READ_AHEAD_SECONDS;
  return {
    entries,
    zeroSeconds: startSeconds,
    start: index === null ? 0 : (entries.leadAt?.[index] ?? marginBefore(entries, index)),
    end: isToEnd ? sizeBytes : (entries.at[behind] ?? sizeBytes),
    entry:
      index === null
        ? null
        : { at: entries.at[index]!, seconds: startSeconds + entries.decodeSeconds[index]! },
    untilSeconds: isToEnd ? null : startSeconds + until,
  };
}

/** About half a second before an entry, by the bytes of the groups before it. */
function marginBefore({ at, decodeSeconds }: StreamEntries, index: number): number {
  const seconds = decodeSeconds[index]! - decodeSeconds[index - 1]!;
  const bytes = at[index]! - at[index - 1]!;
  return Math.floor(at[index]! - bytes * Math.min(1, MARGIN_SECONDS / seconds));
}
