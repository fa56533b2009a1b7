/** A reader of transport stream packets (ISO/IEC 13818-1 2.4.3): what their headers say, and nothing of what they carry. */

/** Bytes of a packet; a time stamp of four may stand before each (Blu-ray, AVCHD). */
const PACKET_BYTES = 188;
const STAMP_BYTES = 4;
const SYNC_BYTE = 0x47;
/** So many in their places are no chance. */
const SYNCS_NEEDED = 5;
/** Of the clock that times are stated by (ISO/IEC 13818-1 2.4.3.7). */
export const CLOCK_HZ = 90_000;

/** How packets lie in a file: `unitBytes` apart, each behind `leadBytes` of a time stamp. */
export interface PacketShape {
  unitBytes: number;
  leadBytes: number;
}

/** How many bytes `packetShape` needs to see. */
export const SHAPE_BYTES = SYNCS_NEEDED * (PACKET_BYTES + STAMP_BYTES);

/** The shape of the packets that begin at the first of these bytes; null where none do. */
export function packetShape(bytes: Uint8Array): PacketShape | null {
  for (const leadBytes of [0, STAMP_BYTES]) {
    const unitBytes = PACKET_BYTES + leadBytes;
    const syncs = Array.from({ length: SYNCS_NEEDED }, (_, index) => bytes[leadBytes + index * unitBytes]);
    if (syncs.every((byte) => byte === SYNC_BYTE)) return { unitBytes, leadBytes };
  }
  return null;
}

export interface TransportPacket {
  packetId: number;
  /** Something of its own begins in it: a packet of a stream, or a section of a table. */
  isStart: boolean;
  /** A receiver could not mend it, or it is scrambled. */
  isUnreadable: boolean;
  /** Counts the packets with a payload of one identifier, modulo 16. */
  counter: number;
  hasPayload: boolean;
  /** The writer says that clock or counter jump here. */
  isDiscontinuity: boolean;
  /** Within the bytes that were given; empty where it holds none, or says that it holds more than fits. */
  payload: Uint8Array;
}

/** The identifier of the packet whose sync byte is at `at`, and whether something of its own begins in it; null where there is none. */
export function peekPacket(
  bytes: Uint8Array,
  at: number,
): Pick<TransportPacket, "packetId" | "isStart"> | null {
  if (at + PACKET_BYTES > bytes.length || bytes[at] !== SYNC_BYTE) return null;
  const second = bytes[at + 1]!;
  return { packetId: ((second & 0x1f) << 8) | bytes[at + 2]!, isStart: (second & 0x40) !== 0 };
}

/** The packet whose sync byte is at `at`; null where there is none. */
export function readTransportPacket(bytes: Uint8Array, at: number): TransportPacket | null {
  const peeked = peekPacket(bytes, at);
  if (peeked === null) return null;
  const [second, fourth] = [bytes[at + 1]!, bytes[at + 3]!];
  const hasAdaptation = (fourth & 0x20) !== 0;
  const hasPayload = (fourth & 0x10) !== 0;
  const adaptationBytes = hasAdaptation ? bytes[at + 4]! : 0;
  const payloadAt = at + 4 + (hasAdaptation ? 1 + adaptationBytes : 0);
  const end = at + PACKET_BYTES;
  return {
    ...peeked,
    isUnreadable: (second & 0x80) !== 0 || (fourth & 0xc0) !== 0,
    counter: fourth & 0x0f,
    hasPayload,
    isDiscontinuity: adaptationBytes > 0 && (bytes[at + 5]! & 0x80) !== 0,
    payload: hasPayload && payloadAt < end ? bytes.subarray(payloadAt, end) : bytes.subarray(end, end),
  };
}

export interface StampedTimes {
  decodeSeconds: number;
  shownSeconds: number;
}

/**
 * When what begins in this payload is decoded and shown, in seconds of the 33-bit clock (2.4.3.7): where no time of decoding is stated,
 * that of showing. null where no packet of a stream begins in it, or it states no time.
 */
export function stampedTimes(payload: Uint8Array): StampedTimes | null {
  if (!isStreamPacket(payload) || payload.length < 14) return null;
  const stated = payload[7]! >> 6;
  if (stated < 2) return null;
  const hasDecode = stated === 3 && payload.length >= 19;
  const shownSeconds = timeAt(payload, 9) / CLOCK_HZ;
  return { shownSeconds, decodeSeconds: hasDecode ? timeAt(payload, 14) / CLOCK_HZ : shownSeconds };
}

/** What a packet of a stream that begins in this payload carries, as far as it lies in there. */
export function carriedBy(payload: Uint8Array): Uint8Array {
  return isStreamPacket(payload) ? payload.subarray(9 + (payload[8] ?? 0)) : payload.subarray(payload.length);
}

function isStreamPacket(payload: Uint8Array): boolean {
  return payload[0] === 0 && payload[1] === 0 && payload[2] === 1;
}

/** 33 bits in five bytes, with markers between. */
function timeAt(bytes: Uint8Array, at: number): number {
  const high = (bytes[at]! >> 1) & 0x07;
  const middle = ((bytes[at + 1]! << 8) | bytes[at + 2]!) >> 1;
  const low = ((bytes[at + 3]! << 8) | bytes[at + 4]!) >> 1;
  return high * 2 ** 30 + middle * 2 ** 15 + low;
}
