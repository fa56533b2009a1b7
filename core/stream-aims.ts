import { steadyRate } from "./film-ends.ts";
import type { StreamPicture } from "./stream-pictures.ts";
import { buildTimeline } from "./timeline.ts";

/**
 * Where to look into a transport stream for places to begin at. It has no index, and to find all of them is to read all of it: so one is
 * looked for shortly before every time that a chunk may begin at, and whatever is read for it is read by that chunk anyway.
 */

/** A picture to begin at, and where a cut is to begin so that what is decoded before it is seen to be earlier. */
export interface LookedEntry extends Pick<StreamPicture, "at" | "decodeSeconds" | "shownSeconds"> {
  leadAt: number;
}

/** A place of the file and the time of what is decoded there. */
export type Known = Pick<StreamPicture, "at" | "decodeSeconds">;

/** How far apart looks are, in segments, as far as they are not too many: chunks are as long. The first is nominal (core/chunks.ts), the second of long groups. */
const SEGMENTS_APART = [2, 5, 10, 20, 50];
/** A look at short groups reads two seconds or three, one at long groups five or ten: a film of hours is to be begun as soon as one of minutes. */
const MOST_LOOKS = 128;
const MOST_LONG_LOOKS = 64;
/** A picture stands so long before an entry, at least, where it is entered: more than what ffmpeg takes off where pictures are reordered. */
const LEAD_SECONDS = 0.25;
/** Shorter groups of pictures are looked for like these, longer ones like none. */
const SHORTEST_GROUP_SECONDS = 0.5;
const SHORT_GROUP_SECONDS = 1;
const LONGEST_GROUP_SECONDS = 3;
/** Where a look may land before what it aims at: what lies between is read. */
const NEAR_ENOUGH_SECONDS = 1;
/** Nearer to each other they are not worth their room in the record. */
const APART_SECONDS = 1;
/** Pictures are decoded a little earlier or later than in step with the first, by how they are reordered. */
const ON_TIME_SECONDS = 0.1;
/** Between entries so far apart the clock is seen once. */
const SEEN_SECONDS = 20;
/** Where it is not seen for longer the film might stand still (RELIABILITY T07). */
const LONGEST_STILL_SECONDS = 30;
/** Of a film, within bounds, as of others that are described by their ends (core/film-ends.ts). */
const TAIL = { share: 1 / 100, shortestSeconds: 2, longestSeconds: 10 };

/** Pictures to begin at, in the order of the file, of those that follow on one another: the film's first, and each that has others early enough before it. */
export function entriesAmong(pictures: readonly StreamPicture[]): LookedEntry[] {
  return pictures.flatMap(({ at, decodeSeconds, shownSeconds, isEntry }, index) => {
    if (!isEntry) return [];
    const lead = pictures
      .slice(0, index)
      .findLast((before) => before.decodeSeconds <= decodeSeconds - LEAD_SECONDS);
    // The film's first is not sought, but begun at.
    if (lead === undefined && index > 0) return [];
    return [{ at, decodeSeconds, shownSeconds, leadAt: lead?.at ?? at }];
  });
}

/** Those that stand a second or more behind the one before them. */
export function spaced(entries: readonly LookedEntry[]): LookedEntry[] {
  const kept: LookedEntry[] = [];
  for (const entry of entries) {
    const last = kept.at(-1);
    if (last === undefined || entry.decodeSeconds - last.decodeSeconds >= APART_SECONDS) kept.push(entry);
  }
  return kept;
}

/** How long groups of pictures are, by the entries of the beginning and the picture that it ends before. */
export function longestGroup(entries: readonly Known[], end: Known): number {
  const times = [...entries, end].map(({ decodeSeconds }) => decodeSeconds);
  const steps = times.slice(1).map((time, index) => time - times[index]!);
  return Math.max(SHORTEST_GROUP_SECONDS, ...steps);
}

/** How long a segment of the grid is that pictures of an even rate are put on; null where theirs is not. */
export function gridSeconds(pictures: readonly StreamPicture[]): number | null {
  const seconds = Float64Array.from(pictures, ({ shownSeconds }) => shownSeconds).sort();
  const rate = steadyRate({ seconds }, []);
  if (rate === null) return null;
  return (buildTimeline(rate, 1).framesPerSegment * rate.den) / rate.num;
}

/** From when on the end is read, before the last picture. */
export function tailSeconds(shownSeconds: number): number {
  const { share, shortestSeconds, longestSeconds } = TAIL;
  return Math.min(longestSeconds, Math.max(shortestSeconds, shownSeconds * share));
}

/** What a look is for: the last entry up to `untilSeconds`, or the first behind it, of those from `fromSeconds` on. Times of decoding. */
export interface Aim {
  fromSeconds: number;
  untilSeconds: number;
}

/** The stream that looks are for: the film's first entry, how long groups are taken to be, and how long a segment of its grid is. */
export interface Rhythm {
  first: Known;
  groupSeconds: number;
  segmentSeconds: number;
}

/**
 * One look for every time at which a chunk may begin, between what has been read of the beginning and of the end. Where groups are long only what comes behind
 * that time is met, since to be sure of the last before it would be to read half of the film.
 */
export function aimsBetween(
  { first, groupSeconds: group, segmentSeconds }: Rhythm,
  from: Known,
  until: Known,
): Aim[] {
  const filmSeconds = until.decodeSeconds - first.decodeSeconds;
  const isLong = group > LONGEST_GROUP_SECONDS;
  const [lengths, most] = isLong ? [SEGMENTS_APART.slice(1), MOST_LONG_LOOKS] : [SEGMENTS_APART, MOST_LOOKS];
  const segments = lengths.find((length) => filmSeconds <= length * segmentSeconds * most) ?? lengths.at(-1)!;
  const apart = segments * segmentSeconds;
  const early = isLong ? SHORTEST_GROUP_SECONDS : group;
  // Where groups are short it costs little to have some pictures before a chunk's first, which interlaced ones are made whole by.
  const before = group <= SHORT_GROUP_SECONDS ? LEAD_SECONDS : 0;
  return Array.from({ length: Math.ceil(filmSeconds / apart) }, (_, index) => {
    const time = first.decodeSeconds + index * apart - before;
    return { fromSeconds: time - early, untilSeconds: time + ON_TIME_SECONDS };
  }).filter(
    ({ fromSeconds, untilSeconds }) => fromSeconds > from.decodeSeconds && untilSeconds < until.decodeSeconds,
  );
}

/** Whether a look goes on behind an entry: where another is to come that is no later than it may be. */
export function hasNearer({ decodeSeconds }: Known, { untilSeconds }: Aim, group: number): boolean {
  return decodeSeconds + group <= untilSeconds;
}

/** Whether nothing more is looked for behind a picture, once something has been found. */
export function isBehind({ decodeSeconds }: Known, { untilSeconds }: Aim): boolean {
  return decodeSeconds > untilSeconds;
}

/** Where what is decoded at `seconds` lies, if bytes go with time between two places: half as early as is still near. */
export function placeBetween(low: Known, high: Known, seconds: number): number {
  const share =
    (seconds - NEAR_ENOUGH_SECONDS / 2 - low.decodeSeconds) / (high.decodeSeconds - low.decodeSeconds);
  return Math.floor(low.at + Math.min(1, Math.max(0, share)) * (high.at - low.at));
}

/** Whether a look that landed here is near what it aims at, and before it. */
export function isNear({ decodeSeconds }: Known, seconds: number): boolean {
  return decodeSeconds <= seconds && decodeSeconds > seconds - NEAR_ENOUGH_SECONDS;
}

/** Places between entries to see by, a few seconds apart, that the clock goes on: one that begins anew hides all up to where it is as late again. */
export function placesBetween(entries: readonly Known[]): number[] {
  return entries.slice(1).flatMap((until, index) => {
    const from = entries[index]!;
    const count = Math.round((until.decodeSeconds - from.decodeSeconds) / SEEN_SECONDS);
    const step = (until.at - from.at) / (count + 1);
    return Array.from({ length: count }, (_, place) => Math.floor(from.at + (place + 1) * step));
  });
}

/** Whether what is known of a stream goes on in the order of the file, and never for long without being seen. Times of decoding. */
export function goesOn(known: readonly Known[]): boolean {
  const inOrder = known.toSorted((a, b) => a.at - b.at);
  return inOrder.slice(1).every(({ decodeSeconds }, index) => {
    const step = decodeSeconds - inOrder[index]!.decodeSeconds;
    return step >= 0 && step <= LONGEST_STILL_SECONDS;
  });
}
