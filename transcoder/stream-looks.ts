import { coveredBytes } from "../core/byte-ranges.ts";
import { sourceFailure } from "../core/errors.ts";
import {
  aimsBetween,
  entriesAmong,
  goesOn,
  gridSeconds,
  isBehind,
  type Known,
  type LookedEntry,
  longestGroup,
  placesBetween,
  type Rhythm,
  spaced,
  tailSeconds,
} from "../core/stream-aims.ts";
import type { StreamPicture } from "../core/stream-pictures.ts";
import { inLanes } from "./lanes.ts";
import { lookFor } from "./stream-entry.ts";
import { openStream, picturesFrom, type ReadableStream } from "./stream-pictures.ts";

/** A transport stream as looks into it found it: its beginning, its end, and where it can be entered between. */
export interface StreamLooks {
  packetId: number;
  /** Whole packets from the file's first byte up to a picture, and from one that can be entered to the file's end. */
  headEnd: number;
  tailAt: number;
  /** In the order of the file: the film's first, and of all others those that were looked for. */
  entries: LookedEntry[];
}

/** Smaller ones are read whole: their beginning alone is a sixth of them or more. */
const SMALLEST_BYTES = 2 ** 25;
/** ffmpeg's `probesize` and a little more, and pictures enough to tell a rhythm by. */
const HEAD = { bytes: 5_500_000, pictures: 64, mostBytes: 2 ** 26 };
/** What the last pictures lie in. */
const LAST_BYTES = 2 ** 20;
/** Of the file: more is not worth what is not known then. */
const LARGEST_SHARE = 0.5;
const PARALLEL_LOOKS = 4;
/** How long before the end it is looked for, most groups being short. */
const TAIL_LOOKS_SECONDS = [2, 10, 30];

/**
 * Looks into a transport stream here and there. null where it is none, or none whose pictures can be told apart; throws a `source` Failure
 * where what is found leaves a doubt. Either way the whole is to be read.
 */
export async function lookAlong(
  master: ReadableStream["file"],
  signal: AbortSignal,
): Promise<StreamLooks | null> {
  if (master.sizeBytes < SMALLEST_BYTES) return null;
  const stream = await openStream(master, HEAD.bytes, signal);
  if (stream === null) return null;
  const head = await lookAtHead(stream, signal);
  const { rhythm } = head;
  const last = await lastPicture(stream, signal);
  const tail = await tailEntry(stream, head.last, last, signal);
  await master.fill([{ start: tail.at, end: master.sizeBytes }], signal, 0);
  const found: LookedEntry[] = [];
  await inLanes(aimsBetween(rhythm, head.last, tail), PARALLEL_LOOKS, async (aim) => {
    const entry = await lookFor(stream, [head.last, tail], { ...aim, group: rhythm.groupSeconds }, signal);
    if (entry !== null) found.push(entry);
  });
  const entries = inOrder([...head.entries, ...found, tail]);
  const seen: Known[] = [...entries, last];
  await inLanes(placesBetween(entries), PARALLEL_LOOKS, async (place) => {
    seen.push(await pictureFrom(stream, place, signal));
  });
  if (!goesOn(seen)) throw doubt("its clock jumps, or it stands still for long");
  const whole = { start: 0, end: master.sizeBytes };
  const absent = coveredBytes(master.absent([whole]));
  if (absent < (1 - LARGEST_SHARE) * master.sizeBytes) return null;
  return { packetId: stream.packetId, headEnd: head.last.at, tailAt: tail.at, entries };
}

interface Head {
  entries: LookedEntry[];
  /** Where it begins the beginning ends. */
  last: StreamPicture;
  rhythm: Rhythm;
}

async function lookAtHead(stream: ReadableStream, signal: AbortSignal): Promise<Head> {
  const pictures: StreamPicture[] = [];
  for await (const picture of picturesFrom(stream, 0, signal)) {
    pictures.push(picture);
    if (picture.at > HEAD.mostBytes) break;
    if (picture.at >= HEAD.bytes && pictures.length > HEAD.pictures) break;
  }
  const last = pictures.pop();
  const from = pictures.findIndex(({ isEntry }) => isEntry);
  const entered = from < 0 ? [] : pictures.slice(from);
  const entries = spaced(entriesAmong(entered));
  const [first] = entries;
  if (last === undefined || first === undefined) throw doubt("it cannot be entered at its beginning");
  // What an open group shows before its first picture is no part of the film.
  const segmentSeconds = gridSeconds(
    entered.filter(({ shownSeconds }) => shownSeconds >= first.shownSeconds),
  );
  if (segmentSeconds === null) throw doubt("its pictures have no even rate");
  return { entries, last, rhythm: { first, groupSeconds: longestGroup(entries, last), segmentSeconds } };
}

async function lastPicture(stream: ReadableStream, signal: AbortSignal): Promise<Known> {
  let last: StreamPicture | undefined;
  for await (const picture of picturesFrom(stream, stream.file.sizeBytes - LAST_BYTES, signal))
    last = picture;
  if (last === undefined) throw doubt("no picture was found at its end");
  return last;
}

/** The last picture to begin at from which on the end is long enough. */
async function tailEntry(
  stream: ReadableStream,
  first: Known,
  last: Known,
  signal: AbortSignal,
): Promise<LookedEntry> {
  const untilSeconds = last.decodeSeconds - tailSeconds(last.decodeSeconds - first.decodeSeconds);
  for (const earlier of TAIL_LOOKS_SECONDS) {
    const fromSeconds = untilSeconds - earlier;
    if (fromSeconds <= first.decodeSeconds) break;
    const wanted = { fromSeconds, untilSeconds, group: 0 };
    const entry = await lookFor(stream, [first, last], wanted, signal);
    if (entry !== null && !isBehind(entry, wanted)) return entry;
  }
  throw doubt("it cannot be entered near its end");
}

async function pictureFrom(stream: ReadableStream, at: number, signal: AbortSignal): Promise<Known> {
  const pictures = picturesFrom(stream, at, signal);
  const { value: picture } = await pictures.next();
  await pictures.return(undefined);
  if (picture === undefined) throw doubt("it is interrupted");
  return picture;
}

function inOrder(entries: readonly LookedEntry[]): LookedEntry[] {
  const byPlace = new Map(entries.map((entry) => [entry.at, entry]));
  return [...byPlace.values()].sort((a, b) => a.at - b.at);
}

function doubt(what: string): Error {
  return sourceFailure("source_damaged", `A look into the stream leaves a doubt: ${what}.`);
}
