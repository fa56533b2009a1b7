import { carriedBy, type StampedTimes, stampedTimes, type TransportPacket } from "./transport-packets.ts";
import type { MappedStream } from "./transport-tables.ts";

/** The pictures of a transport stream one by one, as their packets come, from any place of the file on. */

/** What pictures may be coded as for it to be seen which of them a decoder can begin at. */
export type StreamCoding = "mpeg2" | "h264" | "hevc";

/** ISO/IEC 13818-1 table 2-34. MPEG-1's pictures begin as MPEG-2's do. */
const CODINGS: ReadonlyMap<number, StreamCoding> = new Map([
  [0x01, "mpeg2"],
  [0x02, "mpeg2"],
  [0x1b, "h264"],
  [0x24, "hevc"],
]);

export interface StreamPicture extends StampedTimes {
  /** Where the packet lies that it begins in. */
  at: number;
  /** Everything from it on, in the order of showing, comes out whole of a decoder that begins here. */
  isEntry: boolean;
}

/** The one picture of a programme; null where there is none, or another, or of another coding. */
export function pictureOfProgramme(
  streams: readonly MappedStream[],
): { packetId: number; coding: StreamCoding } | null {
  const pictures = streams.flatMap(({ packetId, type }) => {
    const coding = CODINGS.get(type);
    return coding === undefined ? [] : [{ packetId, coding }];
  });
  return pictures.length === 1 ? pictures[0]! : null;
}

export interface PictureFinder {
  /** Whether anything is told by a packet: one of another stream, or that goes on with what is known, need not be given. */
  wants(packet: Pick<TransportPacket, "packetId" | "isStart">): boolean;
  /** The pictures of which it is known now what they are, in the order of the file. `at`: where the packet lies. */
  add(packet: TransportPacket, at: number): StreamPicture[];
}

/** What stands before the first slice of a picture: sets of parameters and a few messages. */
const LONGEST_HEAD_BYTES = 2 ** 14;

/** Finds the pictures of one identifier in the packets that it is given; of no coding, none of them is an entry. What a packet without a time begins is no picture of its own. */
export function pictureFinder(packetId: number, coding: StreamCoding | null): PictureFinder {
  let open: (StampedTimes & { at: number; head: Uint8Array }) | null = null;
  const close = (isEntry: boolean): StreamPicture[] => {
    if (open === null) return [];
    const { head: _, ...picture } = open;
    open = null;
    return [{ ...picture, isEntry }];
  };
  return {
    wants: (packet) => packet.packetId === packetId && (packet.isStart || open !== null),
    add(packet, at) {
      if (packet.packetId !== packetId || !packet.hasPayload) return [];
      const { isStart, payload } = packet;
      const closed = isStart ? close(false) : [];
      const times = isStart ? stampedTimes(payload) : null;
      if (times !== null) open = { ...times, at, head: Uint8Array.from(carriedBy(payload)) };
      else if (open !== null) open = { ...open, head: Buffer.concat([open.head, payload]) };
      if (open === null) return closed;
      const isEntry = coding === null ? false : beginsAsEntry(open.head, coding);
      if (isEntry !== null) return [...closed, ...close(isEntry)];
      return open.head.length > LONGEST_HEAD_BYTES ? [...closed, ...close(false)] : closed;
    },
  };
}

/** Whether a coded picture is one to begin at; null where not enough of it is there to tell. */
function beginsAsEntry(bytes: Uint8Array, coding: StreamCoding): boolean | null {
  const look = { mpeg2: mpeg2Entry, h264: h264Entry, hevc: hevcEntry }[coding];
  let hasSequence = false;
  for (let at = 0; at + 3 < bytes.length; at++) {
    if (bytes[at] !== 0 || bytes[at + 1] !== 0 || bytes[at + 2] !== 1) continue;
    hasSequence ||= bytes[at + 3] === MPEG2_SEQUENCE;
    const isEntry = look(bytes, at + 3, hasSequence);
    if (isEntry !== null) return isEntry;
  }
  return null;
}

type Look = (bytes: Uint8Array, at: number, hasSequence: boolean) => boolean | null;

const MPEG2_SEQUENCE = 0xb3;
const MPEG2_PICTURE = 0x00;

/** ISO/IEC 13818-2 6.2.3: behind ten bits that number it, three tell a picture's kind. What is shown before an I picture hangs on others. */
const mpeg2Entry: Look = (bytes, at, hasSequence) => {
  if (bytes[at] !== MPEG2_PICTURE || at + 2 >= bytes.length) return null;
  return hasSequence && ((bytes[at + 2]! >> 3) & 7) === 1;
};

/** ITU-T H.264 table 7-1: the first slice is of an IDR picture (5), or of another (1 to 4). */
const h264Entry: Look = (bytes, at) => {
  const kind = bytes[at]! & 0x1f;
  return kind === 0 || kind > 5 ? null : kind === 5;
};

/** ITU-T H.265 table 7-1: slices are below 32, those of pictures of random access 16 to 21. */
const hevcEntry: Look = (bytes, at) => {
  const kind = (bytes[at]! >> 1) & 0x3f;
  return kind >= 32 ? null : kind >= 16 && kind <= 21;
};
