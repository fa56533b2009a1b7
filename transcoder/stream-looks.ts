import { coveredBytes } from "../core/byte-ranges.ts";
import { sourceFailure } from "../core/errors.ts";
import {
  aimsBetween,
  areInOrder,
  entryFinder,
  goesOn,
  gridSeconds,
  isBehind,
  isSeen,
  type Known,
  type LookedEntry,
  longestGroup,
  middleOf,
  mostUnseenBytes,
  type Rhythm,
  stepsBetween,
  tailSeconds,
  type Unseen,
} from "../core/stream-aims.ts";
import { keptEntries } from "../core/stream-entries.ts";
import type { StreamPicture } from "../core/stream-pictures.ts";
import { BEGINNING_BYTES, LARGEST_CUT_BYTES } from "./cut-stream.ts";
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
/** What a demuxer looks at to tell the streams, and pictures enough to tell a rhythm by. */
const HEAD = { bytes: BEGINNING_BYTES, pictures: 64, mostBytes: 2 ** 26 };
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
  if (head.last.at + master.sizeBytes - tail.at > LARGEST_CUT_BYTES) throw doubt("its ends are too large");
  await master.fill([{ start: tail.at, end: master.sizeBytes }], signal, 0);
  const checkShare = (): void => {
    const absent = coveredBytes(master.absent([{ start: 0, end: master.sizeBytes }]));
    if (absent < (1 - LARGEST_SHARE) * master.sizeBytes) throw doubt("half of it would be read");
  };
  const entries = [...head.entries, tail];
  await inLanes(aimsBetween(rhythm, head.last, tail), PARALLEL_LOOKS, async (aim) => {
    const entry = await lookFor(stream, [head.last, tail], { ...aim, group: rhythm.groupSeconds }, signal);
    if (entry === null) throw doubt("its picture cannot be entered for long, or its clock goes back");
    entries.push(entry);
    checkShare();
  });
  const mostBytes = mostUnseenBytes(rhythm.first, last);
  await inLanes(stepsBetween([...entries, last]), PARALLEL_LOOKS, (step) =>
    seeInto(stream, step, mostBytes, signal),
  );
  checkShare();
  return { packetId: stream.packetId, headEnd: head.last.at, tailAt: tail.at, entries: inOrder(entries) };
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
  const finder = entryFinder(true);
  const entries = keptEntries(entered.flatMap((picture) => finder.add(picture) ?? []));
  const [first] = entries;
  if (last === undefined || first === undefined) throw doubt("it cannot be entered at its beginning");
  if (!areInOrder(entered)) throw doubt("its pictures have no times of decoding, or the clock goes back");
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
    if (entry !== null && entry.decodeSeconds >= fromSeconds && !isBehind(entry, wanted)) return entry;
  }
  throw doubt("it cannot be entered near its end");
}

/** Sees that the clock goes on between two places that are known, by one in the middle of what is not, and of what is not then. */
async function seeInto(
  stream: ReadableStream,
  step: Unseen,
  mostBytes: number,
  signal: AbortSignal,
): Promise<void> {
  if (!goesOn(step)) throw doubt("its clock goes back");
  if (isSeen(step, mostBytes)) return;
  const at = middleOf(step);
  if (at === null) throw doubt("its clock jumps, or the picture stands still for long");
  const pictures = picturesFrom(stream, at, signal);
  const { value: middle } = await pictures.next();
  await pictures.return(undefined);
  if (middle === undefined) throw doubt("it is interrupted");
  // A picture that is as large as all that is left: nothing begins between.
  if (middle.at >= step.until.at) throw doubt("its clock jumps, or the picture stands still for long");
  await seeInto(stream, { from: step.from, until: middle }, mostBytes, signal);
  await seeInto(stream, { from: middle, until: step.until }, mostBytes, signal);
}

function inOrder(entries: readonly LookedEntry[]): LookedEntry[] {
  const byPlace = new Map(entries.map((entry) => [entry.at, entry]));
  return [...byPlace.values()].sort((a, b) => a.at - b.at);
}

function doubt(what: string): Error {
  return sourceFailure("source_damaged", `A look into the stream leaves a doubt: ${what}.`);
}
