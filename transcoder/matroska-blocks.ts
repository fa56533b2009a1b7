import { type FileHandle, open } from "node:fs/promises";
import { type ByteRange, missing } from "../core/byte-ranges.ts";
import { ELEMENT_HEADER_BYTES, type Element, readElement, readVint } from "../core/ebml.ts";

/** RFC 9559 5.1.3: frames lie in clusters, in blocks of their own or in groups with what is said of them. */
const CLUSTER = 0x1f43b675;
const SIMPLE_BLOCK = 0xa3;
const BLOCK_GROUP = 0xa0;
const BLOCK = 0xa1;
const PARENTS: ReadonlySet<number> = new Set([CLUSTER, BLOCK_GROUP]);

/** Of a frame: a demuxer reads its block's track, time and flags, and whether frames are laced, before it passes it over. */
const KEPT_BYTES = 64;
/** Of a stretch: more are in no film. */
const MOST_ELEMENTS = 1_000_000;

/**
 * What of a stretch of whole clusters is not the inside of a frame of this track: all that a demuxer reads who is asked for the others. null
 * where the stretch is not one of whole elements. All of it must be in the file.
 */
export async function besideFrames(
  path: string,
  stretch: ByteRange,
  track: number,
): Promise<ByteRange[] | null> {
  const file = await open(path, "r");
  try {
    const insides: ByteRange[] = [];
    let at = stretch.start;
    for (let count = 0; at < stretch.end; count++) {
      const element = await elementAt(file, at);
      if (element === null || element.end > stretch.end || count > MOST_ELEMENTS) return null;
      const { id, body, end } = element;
      // The last byte too, so that the end of what is left is the end of what was read.
      const inside = { start: body + KEPT_BYTES, end: end - 1 };
      const isFrame = (id === SIMPLE_BLOCK || id === BLOCK) && inside.start < inside.end;
      if (isFrame && (await trackAt(file, body)) === track) insides.push(inside);
      at = PARENTS.has(id) ? body : end;
    }
    return missing([stretch], insides);
  } finally {
    await file.close();
  }
}

async function elementAt(file: FileHandle, at: number): Promise<Element | null> {
  const header = new Uint8Array(ELEMENT_HEADER_BYTES);
  const { bytesRead } = await file.read(header, 0, header.length, at);
  return readElement(header.subarray(0, bytesRead), at, at);
}

/** RFC 9559 10.1: a block begins with its track, a number that says how long it is. */
async function trackAt(file: FileHandle, at: number): Promise<number | null> {
  const bytes = new Uint8Array(8);
  await file.read(bytes, 0, bytes.length, at);
  return readVint(bytes, 0, false)?.value ?? null;
}
