import { open } from "node:fs/promises";
import type { ByteRange } from "../core/byte-ranges.ts";
import { type Element, readElement, readVint, unsignedOf } from "../core/ebml.ts";

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
export const HEAD_BYTES = 32;
/** Of a stretch: five minutes of many tracks have as many, and an empty one takes two bytes and a look. */
const MOST_ELEMENTS = 200_000;
interface Frame {
  track: number;
  /** On the file's own clock. */
  ticks: number;
  body: number;
  end: number;
  /** First byte of its block, or of the group that it is in. */
  start: number;
}

export type ReadHead = (at: number) => Promise<Uint8Array>;

/**
 * Shows `see` each frame from a cluster's beginning on until it answers that it has seen enough. false where what lies there are no whole
 * elements up to `end`.
 */
export async function walkFrames(
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

/** Runs `use` with what reads heads from a local file. */
export async function withHeads<T>(path: string, use: (read: ReadHead) => Promise<T>): Promise<T> {
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
