import type { ByteRange } from "./byte-ranges.ts";
import type { Cue } from "./cue-index.ts";
import { frameTiming } from "./frame-rate.ts";
import { MOST_FRAMES, type PacketTable, type StreamSpan } from "./packet-table.ts";
import type { ProbeReport, ProbeStream } from "./probe-report.ts";
import { type Rational, toNumber } from "./rational.ts";
import type { ShownFrames } from "./shown-frames.ts";

/**
 * A film whose index lists keyframes and no other frame (core/cue-index.ts), described by its beginning and its end: where the file states
 * one rate for all frames, and those of both ends stand as that rate puts them, it is known how many there are. Whether one between is missing
 * is not: whoever encodes them puts them in their places by their times. Where a keyframe is off the rhythm of the beginning, recordings
 * were joined.
 */

export interface FilmEnds {
  /** From the first frame on, on the file's own clock. */
  headSeconds: number;
  /** When the keyframe is shown from which the rest is read, and where it lies. */
  tailFromSeconds: number;
  tail: ByteRange;
}

/** Of the film, within bounds: a sound may end before the picture does. */
const SHARE = 1 / 100;
const SHORTEST_SECONDS = 2;
const LONGEST_SECONDS = 10;
/** Beyond this the whole is read: between keyframes so far apart the film might stand still for any time (RELIABILITY T07). */
const LONGEST_GROUP_SECONDS = 30;
/** Fewer frames of one end tell no rhythm. */
const FEWEST_FRAMES = 12;
/** The last that were read may follow others that were not, by as many as an encoder reorders (ITU-T H.264 A.3.1). */
const MOST_REORDERED = 16;
const FRAMES_OF_END = 2 * (FEWEST_FRAMES + MOST_REORDERED);
/** Of the frames that a file says it has, those that joins may take or add. */
const LARGEST_OFF = 0.02;
/** Of a frame: what times rounded to milliseconds are off at 120 a second, twice. */
const TOLERANCE = 0.25;

/** Which ends of a film to look at; null where they meet, or it is entered too rarely. */
export function filmEnds(cues: readonly Cue[], frameNanoseconds: number, sizeBytes: number): FilmEnds | null {
  const first = cues[0]?.seconds ?? 0;
  const last = cues.at(-1)?.seconds ?? 0;
  const isRare = cues.some(
    (cue, at) => at > 0 && cue.seconds - cues[at - 1]!.seconds > LONGEST_GROUP_SECONDS,
  );
  const shortest = Math.max(SHORTEST_SECONDS, (FRAMES_OF_END * frameNanoseconds) / 1e9);
  const seconds = Math.max(shortest, Math.min(LONGEST_SECONDS, (last - first) * SHARE));
  const tail = cues.findLast((cue) => cue.seconds <= last - seconds);
  if (isRare || tail === undefined || tail.seconds <= first + 2 * seconds) return null;
  return {
    headSeconds: seconds,
    tailFromSeconds: tail.seconds,
    tail: { start: tail.clusterAt, end: sizeBytes },
  };
}

/**
 * The packets of the whole film from those of its ends, as a list of all would have them where each frame is there. null where the ends leave
 * a doubt: another rate than `frameRate`, a track that is not in both, a count that the file states otherwise.
 */
export function reckonPackets(
  { streams = [] }: ProbeReport,
  picture: ProbeStream,
  [head, tail]: readonly [PacketTable, PacketTable],
  cues: readonly Pick<Cue, "seconds">[],
  frameRate: Rational,
): PacketTable | null {
  const reckoning = reckonFrames(head.frames, tail.frames, cues, toNumber(frameRate));
  if (reckoning === null || ![head, tail].every(({ hasAllTimes }) => hasAllTimes)) return null;
  const { frames, reckoned } = reckoning;
  const stated = Number(tagOf(picture, "NUMBER_OF_FRAMES") ?? frames.seconds.length);
  const off = Math.abs(stated - frames.seconds.length);
  // Where recordings were joined, the places are as many as the time has room for.
  if (!(off <= (reckoned === "even" ? 0 : LARGEST_OFF * stated))) return null;
  const spans = new Map<number, StreamSpan>();
  for (const stream of streams) {
    const span = spanOf(stream, head.spans.get(stream.index), tail.spans.get(stream.index));
    if (span === null) return null;
    if (span !== undefined) spans.set(stream.index, span);
  }
  const encrypted = new Set([...head.encrypted, ...tail.encrypted]);
  const base = { hasAllTimes: true, timelessFrames: 0, entries: [] };
  return { ...base, frames, spans, encrypted, reckoned };
}

/** The rate of the frames of a beginning, whose last may follow others that were not read; null where they have none. */
export function steadyRate(
  { seconds }: Pick<ShownFrames, "seconds">,
  declared: readonly (Rational | null)[],
): Rational | null {
  const read = withoutLast(seconds);
  if (read.length < FEWEST_FRAMES) return null;
  const { frameRate, variable } = frameTiming(read, 0, declared);
  return variable ? null : frameRate;
}

function withoutLast(seconds: Float64Array): Float64Array {
  return seconds.subarray(0, Math.max(0, seconds.length - MOST_REORDERED));
}

function reckonFrames(
  head: ShownFrames,
  tail: ShownFrames,
  cues: readonly Pick<Cue, "seconds">[],
  framesPerSecond: number,
): { frames: ShownFrames; reckoned: NonNullable<PacketTable["reckoned"]> } | null {
  const [first] = head.seconds;
  const last = tail.seconds.at(-1);
  if (first === undefined || last === undefined) return null;
  if (![withoutLast(head.seconds), tail.seconds].every((end) => isUnbroken(end, framesPerSecond)))
    return null;
  const offPlace = (seconds: number): number => {
    const place = (seconds - first) * framesPerSecond;
    return Math.abs(place - Math.round(place));
  };
  const keyframeSeconds = Float64Array.from(cues, ({ seconds }) => seconds);
  // The list begins where the film does, or is none of all that it can be entered at.
  if (Math.abs(keyframeSeconds[0]! - first) * framesPerSecond >= TOLERANCE) return null;
  const isEven = keyframeSeconds.every((seconds) => offPlace(seconds) < TOLERANCE);
  const { lastDurationSeconds } = tail;
  // Of an even film the last frame has a place whatever is said of its length.
  const standsSeconds = (isEven ? 0 : lastDurationSeconds) || 1 / framesPerSecond;
  const shownSeconds = last - first + standsSeconds;
  const count = Math.round(shownSeconds * framesPerSecond);
  // No film is as long: what is wrong with it is told by reading it.
  if (count > MOST_FRAMES) return null;
  const stepSeconds = (last - first) / (count - 1);
  const seconds = Float64Array.from({ length: count }, (_, index) => first + index * stepSeconds);
  const frames = { seconds, keyframeSeconds, lastDurationSeconds };
  return { frames, reckoned: isEven ? "even" : "moved" };
}

/** One frame behind the other, none missing, each where the rate puts it. */
function isUnbroken(seconds: Float64Array, framesPerSecond: number): boolean {
  const [first = 0] = seconds;
  return (
    seconds.length >= FEWEST_FRAMES &&
    seconds.every((time, index) => Math.abs((time - first) * framesPerSecond - index) < TOLERANCE)
  );
}

/** From when to when a track is shown; undefined where it holds nothing that is, null where the ends do not tell. */
function spanOf(
  stream: ProbeStream,
  head: StreamSpan | undefined,
  tail: StreamSpan | undefined,
): StreamSpan | undefined | null {
  if (stream.codec_type === "subtitle") {
    // Texts come when they come; that there are any is told by how long they are.
    const endSeconds = secondsOf(tagOf(stream, "DURATION"));
    return endSeconds === null ? null : endSeconds === 0 ? undefined : { startSeconds: 0, endSeconds };
  }
  const isPlayed = stream.codec_type === "video" || stream.codec_type === "audio";
  if (!isPlayed || stream.disposition?.attached_pic === 1) return undefined;
  // A sound that ends before the picture does is in no tail: how long it is is said elsewhere, or must be seen.
  const endSeconds = tail?.endSeconds ?? secondsOf(tagOf(stream, "DURATION"));
  if (head === undefined || endSeconds === null) return null;
  return { startSeconds: head.startSeconds, endSeconds: Math.max(head.endSeconds, endSeconds) };
}

/** What programs note of each track when they have written all of it; some name a language behind the tag's name. */
function tagOf({ tags = {} }: ProbeStream, name: string): string | null {
  const key = Object.keys(tags).find((one) => one === name || one.startsWith(`${name}-`));
  return key === undefined ? null : tags[key]!;
}

function secondsOf(text: string | null): number | null {
  const match = /^(\d{1,3}):(\d\d):(\d\d(?:\.\d+)?)$/.exec(text ?? "");
  return match === null ? null : Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3]);
}
