import { coveredBytes } from "../core/byte-ranges.ts";
import {
  aimsBetween,
  goesOn,
  isSeen,
  type LookedEntry,
  middleOf,
  mostUnseenBytes,
  stepsBetween,
  type Unseen,
} from "../core/stream-aims.ts";
import { inLanes } from "./lanes.ts";
import { doubt, type StreamEnds } from "./stream-ends.ts";
import { lookFor } from "./stream-entry.ts";
import { picturesFrom, type ReadableStream } from "./stream-pictures.ts";

/** A transport stream as looks into it found it: its beginning, its end, and where it can be entered between. */
export interface StreamLooks {
  packetId: number;
  /** Whole packets from the file's first byte up to a picture, and from one that can be entered to the file's end. */
  headEnd: number;
  tailAt: number;
  /** In the order of the file: the film's first, and of all others those that were looked for. */
  entries: LookedEntry[];
}

/** Of the file: more is not worth what is not known then. */
const LARGEST_SHARE = 0.5;
const PARALLEL_LOOKS = 4;
/** As many cost no more than to be put off. */
const FEW_LOOKS = 12;

/** What the ends tell by themselves, with nothing seen between them. */
export function endsAlone(ends: StreamEnds): StreamLooks {
  return looksOf(ends, [...ends.entries, ends.tail]);
}

/** Whether whoever waits for a film's first picture had better not wait for these looks. */
export function areMany({ rhythm, headEnd, tail }: StreamEnds): boolean {
  return aimsBetween(rhythm, headEnd, tail).length > FEW_LOOKS;
}

/** Looks into a transport stream here and there between its ends. Throws a `source` Failure where what is found leaves a doubt: then the whole is to be read. */
export async function lookBetween(ends: StreamEnds, signal: AbortSignal): Promise<StreamLooks> {
  const { stream, rhythm, headEnd, tail, last } = ends;
  const master = stream.file;
  const checkShare = (): void => {
    const absent = coveredBytes(master.absent([{ start: 0, end: master.sizeBytes }]));
    if (absent < (1 - LARGEST_SHARE) * master.sizeBytes) throw doubt("half of it would be read");
  };
  const entries = [...ends.entries, tail];
  await inLanes(aimsBetween(rhythm, headEnd, tail), PARALLEL_LOOKS, async (aim) => {
    const entry = await lookFor(stream, [headEnd, tail], { ...aim, group: rhythm.groupSeconds }, signal);
    if (entry === null) throw doubt("its picture cannot be entered for long, or its clock goes back");
    entries.push(entry);
    checkShare();
  });
  const mostBytes = mostUnseenBytes(rhythm.first, last);
  await inLanes(stepsBetween([...entries, last]), PARALLEL_LOOKS, (step) =>
    seeInto(stream, step, mostBytes, signal),
  );
  checkShare();
  return looksOf(ends, entries);
}

function looksOf({ stream, headEnd, tail }: StreamEnds, entries: readonly LookedEntry[]): StreamLooks {
  return { packetId: stream.packetId, headEnd: headEnd.at, tailAt: tail.at, entries: inOrder(entries) };
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
