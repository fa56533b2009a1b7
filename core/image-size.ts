import { Failure } from "./errors.ts";

export interface Size {
  width: number;
  height: number;
}

/** `size` made smaller until neither side is above `most`, in even numbers (4:2:0 needs them), never larger. */
export function fitWithin({ width, height }: Size, most: number): Size {
  const scale = Math.min(1, most / Math.max(width, height));
  const even = (side: number): number => Math.max(2, Math.round((side * scale) / 2) * 2);
  return { width: even(width), height: even(height) };
}

/** ITU-T T.81 table B.1. */
const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
/** Frame headers: C0..CF but for DHT, JPG and DAC. */
const NO_FRAME = new Set([0xc4, 0xc8, 0xcc]);

/** The size that a whole JPEG states. Throws where it has no beginning, no end or no frame. */
export function jpegSize(bytes: Uint8Array): Size {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isMarker = (at: number, marker: number): boolean => bytes[at] === 0xff && bytes[at + 1] === marker;
  if (!isMarker(0, SOI) || !isMarker(bytes.length - 2, EOI)) throw noPicture("it is cut off");
  // T.81 B.1.1.4: every segment before the scan begins with a marker and its own length.
  for (let at = 2; at + 9 <= bytes.length && bytes[at] === 0xff; at += 2 + view.getUint16(at + 2)) {
    const marker = bytes[at + 1] ?? 0;
    if (marker === SOS) break;
    if (marker >= 0xc0 && marker <= 0xcf && !NO_FRAME.has(marker))
      return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
  }
  throw noPicture("it states no size");
}

function noPicture(detail: string): Failure {
  return new Failure("ours", "encode_failed", `A made picture is not one: ${detail}.`);
}
