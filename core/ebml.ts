import type { ByteRange } from "./byte-ranges.ts";

/** Reads EBML (RFC 8794), the framing of Matroska and WebM: elements of an id, a size and a body. */

export interface Element {
  id: number;
  /** First byte of its id, first of its body, and one past its last; within the file. */
  start: number;
  body: number;
  end: number;
}

/** An id of four bytes and a size of eight. */
export const ELEMENT_HEADER_BYTES = 12;

/**
 * The element that begins at `at` of a file, from bytes of it that begin at `origin`. null where its header is cut off or damaged,
 * or it does not say how long it is.
 */
export function readElement(bytes: Uint8Array, origin: number, at: number): Element | null {
  const id = readVint(bytes, at - origin, true);
  const size = id && readVint(bytes, at - origin + id.length, false);
  if (id === null || size === null) return null;
  const body = at + id.length + size.length;
  // RFC 8794 6.2: all bits set is a size that nobody knew yet.
  if (size.value === 2 ** (7 * size.length) - 1) return null;
  return { id: id.value, start: at, body, end: body + size.value };
}

/** A body that is empty takes two bytes: a few megabytes of them would be hundreds in memory. No index has as many. */
const MOST_ELEMENTS = 500_000;

/** The elements in a body, whose bytes are all there. null where one of them leads out of it, or they are more than any film's. */
export function readElements(bytes: Uint8Array, origin: number, { start, end }: ByteRange): Element[] | null {
  const elements: Element[] = [];
  for (let at = start; at < end; ) {
    const element = readElement(bytes, origin, at);
    if (element === null || element.end > end || elements.length === MOST_ELEMENTS) return null;
    elements.push(element);
    at = element.end;
  }
  return elements;
}

/** A part of the file in memory. */
export interface Piece {
  bytes: Uint8Array;
  /** Where it begins in the file. */
  origin: number;
}

/** Elements with this id in another's body; damage is the demuxer's to name, and is none here. */
export function childrenOf({ bytes, origin }: Piece, { body, end }: Element, id: number): Element[] {
  const all = readElements(bytes, origin, { start: body, end }) ?? [];
  return all.filter((element) => element.id === id);
}

/** An unsigned integer of up to eight bytes (RFC 8794 7.2). */
export function unsignedOf(bytes: Uint8Array, origin: number, { body, end }: Element): number {
  return bytes.subarray(body - origin, end - origin).reduce((value, byte) => value * 256 + byte, 0);
}

/** RFC 8794 4: the place of the first set bit tells the length; ids keep that bit. null where it is cut off, or longer than eight bytes. */
export function readVint(
  bytes: Uint8Array,
  at: number,
  keepsMarker: boolean,
): { value: number; length: number } | null {
  const first = bytes[at];
  if (first === undefined || first === 0) return null;
  const length = Math.clz32(first) - 23;
  if (at + length > bytes.length) return null;
  let value = keepsMarker ? first : first & (0xff >> length);
  for (let index = 1; index < length; index++) value = value * 256 + bytes[at + index]!;
  return { value, length };
}
