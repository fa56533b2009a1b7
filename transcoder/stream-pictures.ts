import {
  pictureFinder,
  pictureOfProgramme,
  type StreamCoding,
  type StreamPicture,
} from "../core/stream-pictures.ts";
import {
  type PacketShape,
  packetShape,
  readTransportPacket,
  SHAPE_BYTES,
  type TransportPacket,
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

/** What is read first of a place, and at once at most: twice as much each time, for whoever goes on. */
const FIRST_BYTES = 2 ** 16;
const MOST_BYTES = 2 ** 20;

/** null of whatever is no transport stream of one plain programme with one picture, by its first `beginningBytes`. */
export async function openStream(
  file: ReadableStream["file"],
  beginningBytes: number,
  signal: AbortSignal,
): Promise<ReadableStream | null> {
  await file.fill([{ start: 0, end: SHAPE_BYTES }], signal);
  const shape = packetShape(await readSpan(file.path, { start: 0, end: SHAPE_BYTES }));
  if (shape === null) return null;
  const tables = tableReader();
  for await (const packets of packetsFrom(file, shape, 0, signal)) {
    for (const { packet, at } of packets) if (at > beginningBytes || tables.add(packet) !== null) return null;
    const map = tables.map();
    if (map === null) continue;
    const picture = pictureOfProgramme(mappedStreams(map));
    return picture && { file, shape, ...picture };
  }
  return null;
}

/** The pictures that begin at a place of the file or behind it, as far as it is read. Ends where the packets do not lie in a row any more. */
export async function* picturesFrom(
  { file, shape, packetId, coding }: ReadableStream,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<StreamPicture, undefined> {
  const finder = pictureFinder(packetId, coding);
  for await (const packets of packetsFrom(file, shape, from, signal))
    yield* packets.flatMap(({ packet, at }) => finder.add(packet, at));
}

interface PlacedPacket {
  packet: TransportPacket;
  at: number;
}

/** Packet by packet what is read at once: each by itself would wait for a turn of the loop. */
async function* packetsFrom(
  file: ReadableStream["file"],
  { unitBytes, leadBytes }: PacketShape,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<PlacedPacket[], undefined> {
  let wanted = FIRST_BYTES;
  for (let at = Math.max(0, from - (from % unitBytes)); at < file.sizeBytes; ) {
    const end = Math.min(file.sizeBytes, at + Math.ceil(wanted / unitBytes) * unitBytes);
    await file.fill([{ start: at, end }], signal, 0);
    const bytes = await readSpan(file.path, { start: at, end });
    const packets: PlacedPacket[] = [];
    for (let offset = 0; offset + unitBytes <= bytes.length; offset += unitBytes) {
      const packet = readTransportPacket(bytes, offset + leadBytes);
      if (packet !== null) packets.push({ packet, at: at + offset });
    }
    yield packets;
    if (packets.length * unitBytes < bytes.length) return;
    at = end;
    wanted = Math.min(MOST_BYTES, 2 * wanted);
  }
}
