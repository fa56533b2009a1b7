import { sourceFailure } from "../core/errors.ts";
import {
  areInOrder,
  entryFinder,
  gridSeconds,
  isBehind,
  type Known,
  type LookedEntry,
  longestGroup,
  type Rhythm,
  tailSeconds,
} from "../core/stream-aims.ts";
import { keptEntries } from "../core/stream-entries.ts";
import type { StreamPicture } from "../core/stream-pictures.ts";
import { BEGINNING_BYTES, LARGEST_CUT_BYTES } from "./cut-stream.ts";
import { lookFor } from "./stream-entry.ts";
import { openStream, picturesFrom, type ReadableStream } from "./stream-pictures.ts";

/** The beginning of a transport stream and its end, which tell its rhythm and how long it is, if all between goes on as they do. */
export interface StreamEnds {
  stream: ReadableStream;
  rhythm: Rhythm;
  /** Where the beginning can be entered, the film's first picture first, and the picture that it ends before. */
  entries: LookedEntry[];
  headEnd: Known;
  /** Where the end is entered, and the film's last picture. */
  tail: LookedEntry;
  last: Known;
}

/** Smaller ones are read whole: their beginning alone is a sixth of them or more. */
const SMALLEST_BYTES = 2 ** 25;
/** What a demuxer looks at to tell the streams, and pictures enough to tell a rhythm by. */
const HEAD = { bytes: BEGINNING_BYTES, pictures: 64, mostBytes: 2 ** 26 };
/** What the last pictures lie in. */
const LAST_BYTES = 2 ** 20;
/** How long before the end it is looked for, most groups being short. */
const TAIL_LOOKS_SECONDS = [2, 10, 30];

/**
 * Looks at both ends of a transport stream, and leaves them in the file. null where it is none, or none whose pictures can be told apart; throws a
 * `source` Failure where what is found leaves a doubt. Either way the whole is to be read.
 */
export async function lookAtEnds(
  master: ReadableStream["file"],
  signal: AbortSignal,
): Promise<StreamEnds | null> {
  if (master.sizeBytes < SMALLEST_BYTES) return null;
  const stream = await openStream(master, HEAD.bytes, signal);
  if (stream === null) return null;
  const head = await lookAtHead(stream, signal);
  const last = await lastPicture(stream, signal);
  const tail = await tailEntry(stream, head.headEnd, last, signal);
  if (head.headEnd.at + master.sizeBytes - tail.at > LARGEST_CUT_BYTES) throw doubt("its ends are too large");
  await master.fill([{ start: tail.at, end: master.sizeBytes }], signal, 0);
  return { stream, ...head, tail, last };
}

async function lookAtHead(
  stream: ReadableStream,
  signal: AbortSignal,
): Promise<Pick<StreamEnds, "entries" | "headEnd" | "rhythm">> {
  const pictures: StreamPicture[] = [];
  for await (const picture of picturesFrom(stream, 0, signal)) {
    pictures.push(picture);
    if (picture.at > HEAD.mostBytes) break;
    if (picture.at >= HEAD.bytes && pictures.length > HEAD.pictures) break;
  }
  const headEnd = pictures.pop();
  const from = pictures.findIndex(({ isEntry }) => isEntry);
  const entered = from < 0 ? [] : pictures.slice(from);
  const finder = entryFinder(true);
  const entries = keptEntries(entered.flatMap((picture) => finder.add(picture) ?? []));
  const [first] = entries;
  if (headEnd === undefined || first === undefined) throw doubt("it cannot be entered at its beginning");
  if (!areInOrder(entered)) throw doubt("its pictures have no times of decoding, or the clock goes back");
  // What an open group shows before its first picture is no part of the film.
  const segmentSeconds = gridSeconds(
    entered.filter(({ shownSeconds }) => shownSeconds >= first.shownSeconds),
  );
  if (segmentSeconds === null) throw doubt("its pictures have no even rate");
  return {
    entries,
    headEnd,
    rhythm: { first, groupSeconds: longestGroup(entries, headEnd), segmentSeconds },
  };
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
    if (entry !== null && entry.decodeSeconds >= fromSeconds && !isBehind(entry, wanted)) return entry;
  }
  throw doubt("it cannot be entered near its end");
}

/** For whoever takes a transport stream to be read whole instead. */
export function doubt(what: string): Error {
  return sourceFailure("source_damaged", `A look into the stream leaves a doubt: ${what}.`);
}
