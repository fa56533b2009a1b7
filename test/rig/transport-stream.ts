/** Transport streams made by hand, packet by packet, as ISO/IEC 13818-1 writes them. */

export interface MadePacket {
  packetId: number;
  payload: readonly number[];
  isStart?: boolean;
  counter?: number;
  /** The second byte's error bit, the fourth's scrambling bits, the adaptation field's discontinuity bit. */
  isDamaged?: boolean;
  isScrambled?: boolean;
  isDiscontinuity?: boolean;
}

/** A packet of 188 bytes whose payload stands at its end. */
export function packet({ packetId, payload, isStart = true, counter = 0, ...flags }: MadePacket): Uint8Array {
  const bytes = new Uint8Array(188).fill(0xff);
  const stuffing = 188 - 4 - payload.length;
  bytes[0] = 0x47;
  bytes[1] = (flags.isDamaged ? 0x80 : 0) | (isStart ? 0x40 : 0) | (packetId >> 8);
  bytes[2] = packetId & 0xff;
  bytes[3] = (flags.isScrambled ? 0x80 : 0) | 0x30 | counter;
  bytes[4] = stuffing - 1;
  bytes[5] = flags.isDiscontinuity ? 0x80 : 0;
  bytes.set(payload, 188 - payload.length);
  return bytes;
}

/** The 33-bit clock at so many seconds, behind four bits that say of what (2.4.3.7). */
export const clock = (marker: number, seconds: number): number[] => {
  const ticks = BigInt(Math.round(seconds * 90_000));
  const bits = (from: bigint, count: bigint): number => Number((ticks >> from) & ((1n << count) - 1n));
  return [
    (marker << 4) | (bits(30n, 3n) << 1) | 1,
    bits(22n, 8n),
    (bits(15n, 7n) << 1) | 1,
    bits(7n, 8n),
    (bits(0n, 7n) << 1) | 1,
  ];
};
