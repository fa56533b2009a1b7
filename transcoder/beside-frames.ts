import { type ByteRange, missing } from "../core/byte-ranges.ts";
import type { SourceEntries } from "../core/cue-index.ts";
import { LOOK_BYTES } from "../core/pieces-apart.ts";
import { inLanes } from "./lanes.ts";
import { HEAD_BYTES, type ReadHead, walkFrames, withHeads } from "./matroska-blocks.ts";
import type { PartialMaster } from "./scratch.ts";

/** What lies between the pictures of a Matroska file: all that is needed of it by who makes a sound. */

/** Of a frame: a demuxer reads more than its head before it passes it over, where several frames are laced into one block. */
const KEPT_BYTES = 64;
const PARALLEL_GROUPS = 4;

type Lookable = Pick<PartialMaster, "path" | "absent" | "fill" | "put" | "fetch">;

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
