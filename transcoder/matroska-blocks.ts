import { open } from "node:fs/promises";
import { type ByteRange, missing } from "../core/byte-ranges.ts";
import { cueRanges, type SourceEntries } from "../core/cue-index.ts";
import { type Element, readElement, readVint, unsignedOf } from "../core/ebml.ts";
import { LOOK_BYTES } from "../core/pieces-apart.ts";
import { READ_AHEAD_SECONDS, type TimeWindow } from "../core/source-window.ts";
import { inLanes } from "./lanes.ts";
import type { PartialFile } from "./partial-file.ts";
import type { PartialMaster } from "./scratch.ts";

/**
 * What lies in the clusters of a Matroska file, found by going from block to block: the index knows where a few keyframes are, and nothing of
 * the frames and the sound between.
 */

/** RFC 9559 5.1.3: frames lie in clusters, in blocks of their own or in groups with what is said of them. */
const CLUSTER = 0x1f43b675;
const TIMESTAMP = 0xe7;
const SIMPLE_BLOCK = 0xa3;
const BLOCK_GROUP = 0xa0;
const BLOCK = 0xa1;
const PARENTS: ReadonlySet<number> = new Set([CLUSTER, BLOCK_GROUP]);

/** An element's id and size, and of a block its track, its time and its flags. */
const HEAD_BYTES = 32;
/** Of a frame: a demuxer reads more than its head before it passes it over, where several frames are laced into one block. */
const KEPT_BYTES = 64;
/** Of a stretch: five minutes of many tracks have as many, and an empty one takes two bytes and a look. */
const MOST_ELEMENTS = 200_000;
/** A picture may lie before others that are shown earlier, which a decoder needs in order to show these: a few places. */
const REORDERED_SECONDS = 0.25;
/** Read behind it, since where pictures stand for long the next one is asked for, and comes out of a decoder a few later. */
const PICTURES_BEHIND = 3;
const PARALLEL_GROUPS = 4;
/** What is fetched at once of a group whose end is looked for. */
const STEP_BYTES = 2 ** 20;

interface Frame {
  track: number;
  /** On the file's own clock. */
  ticks: number;
  body: number;
  end: number;
  /** First byte of its block, or of the group that it is in. */
  start: number;
}

type ReadHead = (at: number) => Promise<Uint8Array>;
type Lookable = Pick<PartialMaster, "path" | "absent" | "fill" | "put" | "fetch">;

/**
 * Shows `see` each frame from a cluster's beginning on until it answers that it has seen enough. false where what lies there are no whole
 * elements up to `end`.
 */
async function walkFrames(
  read: ReadHead,
  { start, end }: ByteRange,
  see: (frame: Frame) => boolean,
): Promise<boolean> {
  let clusterTicks = 0;
  let group: Element | null = null;
  let at = start;
  for (let count = 0; at < end; count++) {
    const head = await read(at);
    const element = readElement(head, at, at);
    if (element === null || count > MOST_ELEMENTS) return false;
    const { id, body } = element;
    if (id === TIMESTAMP) clusterTicks = unsignedOf(head, at, element);
    if (id === BLOCK_GROUP) group = element;
    const frame =
      id === SIMPLE_BLOCK || id === BLOCK ? frameOf(head, at, element, clusterTicks, group) : null;
    if (frame !== null && see(frame)) return true;
    at = PARENTS.has(id) ? body : element.end;
  }
  return at === end;
}

/** RFC 9559 10.1: a block begins with its track, a number that says how long it is, and a time within its cluster. */
function frameOf(
  head: Uint8Array,
  at: number,
  { body, start, end }: Element,
  clusterTicks: number,
  group: Element | null,
): Frame | null {
  const track = readVint(head, body - at, false);
  const timeAt = track && body - at + track.length;
  if (track === null || timeAt === null || timeAt + 2 > head.length) return null;
  const relative = new DataView(head.buffer, head.byteOffset).getInt16(timeAt);
  const isGrouped = group !== null && start >= group.body && end <= group.end;
  const ticks = clusterTicks + relative;
  return { track: track.value, ticks, body, end, start: isGrouped ? group.start : start };
}

/**
 * What of a stretch of whole blocks is not the inside of a frame of this track: all that a demuxer reads who is asked for the others. null
 * where the stretch is none. All of it must be in the file.
 */
export async function besideFrames(
  path: string,
  stretch: ByteRange,
  track: number,
): Promise<ByteRange[] | null> {
  return withHeads(path, async (read) => {
    const insides: ByteRange[] = [];
    const isWhole = await walkFrames(read, stretch, (frame) => {
      // The last byte too, so that the end of what is left is the end of what was read.
      const inside = { start: frame.body + KEPT_BYTES, end: frame.end - 1 };
      if (frame.track === track && inside.start < inside.end) insides.push(inside);
      return false;
    });
    return isWhole ? missing([stretch], insides) : null;
  });
}

/**
 * Brings all that lies beside the frames of a track in the groups of pictures in which something is lacking, by a request for each frame at most, and
 * answers what it has left out. Of a group that cannot be gone through nothing is left out.
 */
export async function fillBeside(
  master: Lookable,
  { cues, picture, sizeBytes }: SourceEntries,
  lacking: readonly ByteRange[],
  signal: AbortSignal,
): Promise<ByteRange[]> {
  const leftOut: ByteRange[] = [];
  // Each by itself, since one request waits for the one before; from its first cluster on, whatever is there of it.
  const groups = cues
    .map(({ clusterAt }, index) => ({ start: clusterAt, end: cues[index + 1]?.clusterAt ?? sizeBytes }))
    .filter((group) => lacking.some(({ start, end }) => end > group.start && start < group.end));
  await withHeads(master.path, (readThere) =>
    inLanes(groups, PARALLEL_GROUPS, async (group) => {
      const insides = await lookThrough(master, group, picture.number, readThere, signal);
      if (insides === null) return;
      await master.fill(missing([group], insides), signal, 0);
      leftOut.push(...insides);
    }),
  );
  return leftOut;
}

/** The insides of a track's frames in a group, whose heads are there then; null where it cannot be gone through. */
async function lookThrough(
  master: Lookable,
  group: ByteRange,
  track: number,
  readThere: ReadHead,
  signal: AbortSignal,
): Promise<ByteRange[] | null> {
  const holes = master.absent([group]);
  const looks: (ByteRange & { bytes: Uint8Array })[] = [];
  const read: ReadHead = async (at) => {
    const until = Math.min(group.end, at + HEAD_BYTES + KEPT_BYTES);
    const last = looks.at(-1);
    if (last !== undefined && last.start <= at && until <= last.end)
      return last.bytes.subarray(at - last.start, at - last.start + HEAD_BYTES);
    if (!holes.some(({ start, end }) => end > at && start < until)) return readThere(at);
    const look = { start: at, end: Math.min(group.end, at + LOOK_BYTES) };
    const bytes = Buffer.concat(await master.fetch(look, signal));
    looks.push({ ...look, bytes });
    return bytes.subarray(0, HEAD_BYTES);
  };
  const insides: ByteRange[] = [];
  const isWhole = await walkFrames(read, group, (frame) => {
    const inside = { start: frame.body + KEPT_BYTES, end: frame.end };
    if (frame.track === track && inside.start < inside.end) insides.push(inside);
    return false;
  });
  // Noted together: each by itself would have all that is here gone over once more.
  if (looks.length > 0) await master.put(looks, Buffer.concat(looks.map(({ bytes }) => bytes)));
  return isWhole ? insides : null;
}

/**
 * What is read of the file when anything in it is decoded over `window`: from the cluster that is entered on to the first pictures that are
 * shown after it, which are looked for in the group that it ends in. `cueRanges` alone would know the next keyframes only, ten seconds on or more.
 */
export async function clusterWindow(
  file: Pick<PartialFile, "path" | "fill">,
  { cues, picture, secondsOfTick, sizeBytes }: SourceEntries,
  window: TimeWindow,
  signal: AbortSignal,
): Promise<ByteRange[]> {
  const [most] = cueRanges(cues, window, sizeBytes);
  const last = cues.findLast(({ seconds }) => seconds <= window.endSeconds) ?? cues[0];
  if (most === undefined || last === undefined) return [];
  const from = Math.max(most.start, last.clusterAt);
  const lastTicks = (window.endSeconds + READ_AHEAD_SECONDS + REORDERED_SECONDS) / secondsOfTick;
  let there = from;
  let end = most.end;
  let behind = 0;
  await withHeads(file.path, async (readThere) => {
    const read: ReadHead = async (at) => {
      const until = Math.min(most.end, at + HEAD_BYTES);
      if (until > there) {
        const further = { start: there, end: Math.min(most.end, until + STEP_BYTES) };
        await file.fill([further], signal);
        there = further.end;
      }
      return readThere(at);
    };
    await walkFrames(read, { start: from, end: most.end }, ({ track, ticks, start }) => {
      if (track !== picture.number || ticks <= lastTicks || ++behind <= PICTURES_BEHIND) return false;
      end = start;
      return true;
    });
  });
  return [{ start: most.start, end }];
}

async function withHeads<T>(path: string, use: (read: ReadHead) => Promise<T>): Promise<T> {
  const file = await open(path, "r");
  try {
    return await use(async (at) => {
      const head = new Uint8Array(HEAD_BYTES);
      const { bytesRead } = await file.read(head, 0, HEAD_BYTES, at);
      return head.subarray(0, bytesRead);
    });
  } finally {
    await file.close();
  }
}
