import { steadyRate } from "./film-ends.ts";
import { LONGEST_GAP_SECONDS } from "./probed-picture.ts";
import { rational } from "./rational.ts";
import type { StreamPicture } from "./stream-pictures.ts";
import { buildTimeline } from "./timeline.ts";
import { CLOCK_HZ } from "./transport-packets.ts";

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
/** Pictures are decoded a little earlier or later than in step with the first, by how they are reordered. */
const ON_TIME_SECONDS = 0.1;
/** Of a film, unseen between two places that are known. */
const UNSEEN_SECONDS = 15;
/** A step of time over so few bytes is looked into no more. */
const SMALLEST_STEP_BYTES = 2 ** 16;
/** A chunk's stretch is a file by itself (transcoder/cut-stream.ts), and longer than the chunk. */
const LARGEST_STRETCH_BYTES = 2 ** 28;
/** Of a film, within bounds, as of others that are described by their ends (core/film-ends.ts). */
const TAIL = { share: 1 / 100, shortestSeconds: 2, longestSeconds: 10 };

/** Finds entries among pictures that are given as they follow on one another. */
export interface EntryFinder {
  /** The entry that a picture is; null of one that is none, and of one before which too little has been seen. */
  add(picture: StreamPicture): LookedEntry | null;
}

/** `isFilmStart`: the first picture is the film's, which is begun at and not sought. Whatever is given, a picture costs as much as the one before it. */
export function entryFinder(isFilmStart: boolean): EntryFinder {
  const pictures: StreamPicture[] = [];
  let next = 0;
  return {
    add(picture) {
      const { at, decodeSeconds, shownSeconds, isEntry } = picture;
      while (next < pictures.length && pictures[next]!.decodeSeconds <= decodeSeconds - LEAD_SECONDS) next++;
      const lead = pictures[next - 1] ?? (isFilmStart && pictures.length === 0 ? picture : undefined);
      pictures.push(picture);
      return isEntry && lead !== undefined ? { at, decodeSeconds, shownSeconds, leadAt: lead.at } : null;
    },
  };
}

/** Whether each picture is decoded behind the one before it, as a search by time takes for granted. Where times of decoding are left out, reordered ones are not. */
export function areInOrder(pictures: readonly Known[]): boolean {
  return pictures.every(
    ({ decodeSeconds }, index) => index === 0 || pictures[index - 1]!.decodeSeconds < decodeSeconds,
  );
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
  const steps = seconds
    .slice(1)
    .map((time, index) => time - seconds[index]!)
    .sort();
  const stepTicks = Math.round((steps[steps.length >> 1] ?? 0) * CLOCK_HZ);
  const rate = stepTicks > 0 ? steadyRate({ seconds }, [rational(CLOCK_HZ, stepTicks)]) : null;
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
  const bytesPerSegment = ((until.at - first.at) / filmSeconds) * segmentSeconds;
  const fitting = lengths.filter((length) => length * bytesPerSegment <= LARGEST_STRETCH_BYTES);
  const segments =
    fitting.find((length) => filmSeconds <= length * segmentSeconds * most) ?? fitting.at(-1) ?? lengths[0]!;
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

/** Between two places by bytes, where these do not go with time. */
export function halfwayBetween(low: Known, high: Known): number {
  return Math.floor((low.at + high.at) / 2);
}

/** Whether a look that landed here is near what it aims at, and before it. */
export function isNear({ decodeSeconds }: Known, seconds: number): boolean {
  return decodeSeconds <= seconds && decodeSeconds > seconds - NEAR_ENOUGH_SECONDS;
}

/** A step of time in a stream that nobody has seen into. */
export interface Unseen {
  from: Known;
  until: Known;
}

/** The steps between places that are known, in the order of the file. */
export function stepsBetween(known: readonly Known[]): Unseen[] {
  const inOrder = known.toSorted((a, b) => a.at - b.at);
  return inOrder.slice(1).map((until, index) => ({ from: inOrder[index]!, until }));
}

/** How many bytes of a stream may lie unseen: those of a few seconds, on average. A clock that begins anew might hide as much of the film. */
export function mostUnseenBytes(first: Known, last: Known): number {
  return (UNSEEN_SECONDS * (last.at - first.at)) / (last.decodeSeconds - first.decodeSeconds);
}

/** Whether a step is one in which nothing can be hidden that matters: ffmpeg takes a longer one for a jump of the clock, and moves the sound behind it. */
export function isSeen({ from, until }: Unseen, mostBytes: number): boolean {
  return until.decodeSeconds - from.decodeSeconds <= LONGEST_GAP_SECONDS && until.at - from.at <= mostBytes;
}

/** Whether the clock does not go back. */
export function goesOn({ from, until }: Unseen): boolean {
  return until.decodeSeconds >= from.decodeSeconds;
}

/** Where to look into a step: between bytes as far apart; null where these are so few that it is one of the clock itself. */
export function middleOf({ from, until }: Unseen): number | null {
  return until.at - from.at < SMALLEST_STEP_BYTES ? null : Math.floor((from.at + until.at) / 2);
}
