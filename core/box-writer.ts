import type { Box } from "./box-reader.ts";

/** Puts boxes together (ISO/IEC 14496-12 4.2), and others into them. */

export function box(type: string, content: readonly Uint8Array[]): Uint8Array {
  const size = content.reduce((sum, part) => sum + part.length, 8);
  return concat([word(size), ascii(type), ...content]);
}

/** A box that begins with a version and 24 bits of flags. */
export function fullBox(
  type: string,
  version: number,
  flags: number,
  content: readonly Uint8Array[],
): Uint8Array {
  return box(type, [word(version * 2 ** 24 + flags), ...content]);
}

export function halfWord(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}

export function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  // Two's complement, where it is negative.
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

export function doubleWord(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * A copy with `inside` in place of the bytes from `from` to `to`; the boxes `around` that place state their new sizes. Only
 * where no box holds offsets that this would move.
 */
export function splice(
  bytes: Uint8Array,
  around: readonly Box[],
  from: number,
  to: number,
  inside: Uint8Array,
): Uint8Array {
  const whole = concat([bytes.subarray(0, from), inside, bytes.subarray(to)]);
  const view = new DataView(whole.buffer);
  for (const { start, end } of around) view.setUint32(start, end - start + inside.length - (to - from));
  return whole;
}
