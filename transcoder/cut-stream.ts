import { open } from "node:fs/promises";
import { type ByteRange, inPieces } from "../core/byte-ranges.ts";
import type { StreamSpan } from "../core/stream-entries.ts";
import { checkTransport } from "../core/transport-check.ts";
import { packetShape, SHAPE_BYTES } from "../core/transport-packets.ts";
import { asDiskFailure } from "./disk-failure.ts";
import { readSpan } from "./file-spans.ts";

/**
 * A transport stream is entered by reading here and there until the time is near, which holes would lead astray. So what is
 * read of it in parts is a small file without holes: the beginning, which tells what the streams are, and one stretch. ffmpeg
 * gets the same arguments as for the whole, and lands on the same packet.
 */

/** ffmpeg's `probesize` and a little more: all that it looks at to tell what the streams are lies in it. */
export const BEGINNING_BYTES = 5_500_000;
const LONGEST_PACKET_BYTES = 192;
const COPIED_AT_ONCE_UNITS = 4096;
/** Beside the master's own parts, for every slot; rare keyframes make longer ones, which are read whole. */
export const LARGEST_CUT_BYTES = 2 ** 29;

/** What of the master must be there for a stretch to be cut; null where the file would be too large. */
export function bytesOfCut({ start, end }: StreamSpan): ByteRange[] | null {
  const beginning = Math.min(start, BEGINNING_BYTES);
  if (beginning + end - start > LARGEST_CUT_BYTES) return null;
  return [
    { start: 0, end: beginning },
    // Packets are cut where they begin, which may be a little earlier.
    { start: Math.max(0, start - LONGEST_PACKET_BYTES), end },
  ];
}

/** Writes the beginning and the stretch of the master at `from` to `to`. Answers what speaks against using it; null where nothing does. */
export async function cutStream(from: string, span: StreamSpan, to: string): Promise<string | null> {
  const origin = span.entries.at[0] ?? 0;
  const shape = packetShape(await readSpan(from, { start: origin, end: origin + SHAPE_BYTES }));
  if (shape === null) return "its packets were not found where its first picture begins";
  const { unitBytes } = shape;
  // What stands before the first packet belongs to the file, and keeps all others in their places.
  const firstAt = origin % unitBytes;
  const inRow = (at: number): number => at - ((((at - firstAt) % unitBytes) + unitBytes) % unitBytes);
  const start = Math.max(firstAt, inRow(span.start));
  const beginning = { start: firstAt, end: Math.min(start, inRow(BEGINNING_BYTES)) };
  const check = checkTransport(span, shape);
  const out = await open(to, "wx");
  const copy = async (range: ByteRange): Promise<boolean> => {
    for (const piece of inPieces([range], COPIED_AT_ONCE_UNITS * unitBytes)) {
      const bytes = await readSpan(from, piece);
      await out.writeFile(bytes);
      // A file may end in the middle of a packet.
      if (!check.add(bytes.subarray(0, bytes.length - (bytes.length % unitBytes)))) return false;
    }
    return true;
  };
  try {
    await out.writeFile(await readSpan(from, { start: 0, end: firstAt }));
    const isPlain = await copy(beginning);
    check.cut(start);
    if (isPlain) await copy({ start, end: span.end });
    return check.doubt();
  } catch (thrown) {
    throw asDiskFailure(thrown);
  } finally {
    await out.close();
  }
}
