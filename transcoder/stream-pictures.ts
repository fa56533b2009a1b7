import {
  pictureFinder,
  pictureOfProgramme,
  type StreamCoding,
  type StreamPicture,
} from "../core/stream-pictures.ts";
import {
  type PacketShape,
  packetShape,
  peekPacket,
  readTransportPacket,
  SHAPE_BYTES,
} from "../core/transport-packets.ts";
import { mappedStreams, tableReader } from "../core/transport-tables.ts";
import { readSpan } from "./file-spans.ts";
import type { PartialFile } from "./partial-file.ts";

/** A transport stream whose pictures are read one by one, from any place on. Its first packet stands where the file begins. */
export interface ReadableStream {
  file: Pick<PartialFile, "path" | "sizeBytes" | "fill" | "absent">;
  shape: PacketShape;
  packetId: number;
  /** null: nobody asks which of them can be entered. */
  coding: StreamCoding | null;
}

/** What is read first of a place, how much more each time for whoever goes on, and what at once at most. */
const FIRST_BYTES = 2 ** 16;
const MORE = 4;
const MOST_BYTES = 2 ** 20;
/** More than any picture has, with the sound beside it. */
const LONGEST_PICTURE_BYTES = 2 ** 24;

/** How packets lie in a file that begins with one, and whose beginning is there; null of any other. */
export async function shapeOf(path: string): Promise<PacketShape | null> {
  return packetShape(await readSpan(path, { start: 0, end: SHAPE_BYTES }));
}

/** null of whatever is no transport stream of one plain programme with one picture, by its first `beginningBytes`. */
export async function openStream(
  file: ReadableStream["file"],
  beginningBytes: number,
  signal: AbortSignal,
): Promise<ReadableStream | null> {
  await file.fill([{ start: 0, end: SHAPE_BYTES }], signal);
  const shape = await shapeOf(file.path);
  if (shape === null) return null;
  const tables = tableReader();
  for await (const piece of piecesFrom(file, shape, 0, signal)) {
    if (piece.at > beginningBytes) return null;
    for (const packetAt of packetsIn(piece.bytes, shape)) {
      const packet = readTransportPacket(piece.bytes, packetAt);
      if (packet === null || tables.add(packet) !== null) return null;
    }
    const map = tables.map();
    if (map === null) continue;
    const picture = pictureOfProgramme(mappedStreams(map));
    return picture && { file, shape, ...picture };
  }
  return null;
}

/**
 * The pictures that begin at a place of the file or behind it, as far as it is read. Ends where the packets do not lie in a row any more, or no picture begins
 * for long: another place might be as far from one, and so on.
 */
export async function* picturesFrom(
  { file, shape, packetId, coding }: ReadableStream,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<StreamPicture, undefined> {
  const finder = pictureFinder(packetId, coding);
  let lastAt = from;
  for await (const { bytes, at } of piecesFrom(file, shape, from, signal)) {
    const found: StreamPicture[] = [];
    let isInRow = true;
    for (const packetAt of packetsIn(bytes, shape)) {
      const peeked = peekPacket(bytes, packetAt);
      if (peeked === null) {
        isInRow = false;
        break;
      }
      if (finder.wants(peeked))
        found.push(...finder.add(readTransportPacket(bytes, packetAt)!, at + packetAt - shape.leadBytes));
    }
    yield* found;
    lastAt = found.at(-1)?.at ?? lastAt;
    if (!isInRow || at - lastAt > LONGEST_PICTURE_BYTES) return;
  }
}

/** What lies from a packet on, the last few bytes of a file perhaps less than one. */
async function* piecesFrom(
  file: ReadableStream["file"],
  { unitBytes }: PacketShape,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<{ bytes: Uint8Array; at: number }, undefined> {
  let wanted = FIRST_BYTES;
  for (let at = Math.max(0, from - (from % unitBytes)); at < file.sizeBytes; ) {
    const end = Math.min(file.sizeBytes, at + Math.ceil(wanted / unitBytes) * unitBytes);
    await file.fill([{ start: at, end }], signal, 0);
    yield { bytes: await readSpan(file.path, { start: at, end }), at };
    at = end;
    wanted = Math.min(MOST_BYTES, MORE * wanted);
  }
}

/** Where whole packets have their sync bytes. */
function* packetsIn(bytes: Uint8Array, { unitBytes, leadBytes }: PacketShape): Generator<number> {
  for (let offset = 0; offset + unitBytes <= bytes.length; offset += unitBytes) yield offset + leadBytes;
}
