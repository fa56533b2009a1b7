import { open } from "node:fs/promises";
import { type ByteRange, inLoads, inPieces, joined } from "../core/byte-ranges.ts";
import { readTransportPacket, type TransportPacket } from "../core/transport-packets.ts";
import { LARGEST_CUT_BYTES } from "./cut-stream.ts";
import { asDiskFailure } from "./disk-failure.ts";
import { readSpan, readSpans } from "./file-spans.ts";
import { shapeOf } from "./stream-pictures.ts";

/** What lies between the pictures of a transport stream: all that is needed of it by who makes a sound. */

/** ISO/IEC 13818-1 2.4.3.3: packets that fill a constant rate up, and hold nothing. */
const NULL_PACKETS = 0x1fff;
const READ_AT_ONCE_BYTES = 2 ** 20;
const MOST_SPANS_AT_ONCE = 1024;

/**
 * Where the packets lie in a stretch that are not of this picture, and its first and last one whatever they are, which tell the stretch by what is left
 * of it. null where its packets do not lie in a row. All of it must be in the file.
 */
export async function besidePictures(
  path: string,
  stretch: ByteRange,
  packetId: number,
): Promise<ByteRange[] | null> {
  const shape = await shapeOf(path);
  if (shape === null) return null;
  const { unitBytes } = shape;
  const whole = { start: stretch.start, end: stretch.end - ((stretch.end - stretch.start) % unitBytes) };
  const beside: ByteRange[] = [];
  for (const piece of inPieces([whole], unitsOf(unitBytes))) {
    const bytes = await readSpan(path, piece);
    for (let offset = 0; offset < bytes.length; offset += unitBytes) {
      const packet = readTransportPacket(bytes, offset + shape.leadBytes);
      if (packet === null) return null;
      const at = piece.start + offset;
      const isBorder = at === whole.start || at + unitBytes === whole.end;
      if (isBorder || !isLeftOut(packet.packetId, packetId)) beside.push({ start: at, end: at + unitBytes });
    }
  }
  return joined(beside);
}

/**
 * Writes a stream's first bytes as they are, and of `ranges` behind them all packets but the picture's, to `to`. Answers what speaks against using it, as a
 * packet that is missing does; null where nothing does.
 */
export async function cutSounds(
  from: string,
  ranges: readonly ByteRange[],
  { packetId, beginningBytes }: { packetId: number; beginningBytes: number },
  to: string,
): Promise<string | null> {
  const shape = await shapeOf(from);
  if (shape === null) return "its packets were not found where it begins";
  const { unitBytes } = shape;
  const beginning = { start: 0, end: beginningBytes - (beginningBytes % unitBytes) };
  const behind = joined(ranges).flatMap(({ start, end }) =>
    end <= beginning.end ? [] : [{ start: Math.max(start, beginning.end), end }],
  );
  const counters = counterCheck();
  let written = 0;
  const out = await open(to, "wx");
  const copy = async (spans: readonly ByteRange[], keepsPictures: boolean): Promise<string | null> => {
    for (const load of inLoads(inPieces(spans, unitsOf(unitBytes)), READ_AT_ONCE_BYTES, MOST_SPANS_AT_ONCE)) {
      const bytes = await readSpans(from, load);
      const kept: Uint8Array[] = [];
      for (let offset = 0; offset + unitBytes <= bytes.length; offset += unitBytes) {
        const packet = readTransportPacket(bytes, offset + shape.leadBytes);
        if (packet === null) return "its packets do not lie in a row";
        const isOut = isLeftOut(packet.packetId, packetId);
        if (!isOut && !counters.follows(packet)) return "packets beside its pictures are missing";
        if (keepsPictures || !isOut) kept.push(bytes.subarray(offset, offset + unitBytes));
      }
      const cut = Buffer.concat(kept);
      written += cut.length;
      if (written > LARGEST_CUT_BYTES)
        return "what lies beside its pictures is too much for a file by itself";
      await out.writeFile(cut);
    }
    return null;
  };
  try {
    return (await copy([beginning], true)) ?? (await copy(behind, false));
  } catch (thrown) {
    throw asDiskFailure(thrown);
  } finally {
    await out.close();
  }
}

function isLeftOut(packetId: number, picture: number): boolean {
  return packetId === picture || packetId === NULL_PACKETS;
}

/** Whether each packet with a payload follows on the one before it of its identifier (2.4.3.3), or says itself that it does not. */
function counterCheck() {
  const last = new Map<number, number>();
  return {
    follows({ packetId, counter, hasPayload, isDiscontinuity }: TransportPacket): boolean {
      const before = last.get(packetId);
      if (hasPayload) last.set(packetId, counter);
      return before === undefined || !hasPayload || isDiscontinuity || counter === (before + 1) % 16;
    },
  };
}

function unitsOf(unitBytes: number): number {
  return Math.floor(READ_AT_ONCE_BYTES / unitBytes) * unitBytes;
}
