import { Failure } from "./errors.ts";

/**
 * Reads the boxes of fragmented MP4 (ISO/IEC 14496-12, CMAF) as ffmpeg and we ourselves write it: what the
 * gate, the cutter and the playlists need to know, and no more.
 */

/** One box within a buffer: `start` is its first byte, `body` the first after its header, `end` one past it. */
export interface Box {
  type: string;
  start: number;
  body: number;
  end: number;
}

/** The boxes between two positions, in order. Throws where a size leads out of the range. */
export function readBoxes(bytes: Uint8Array, from = 0, to = bytes.length): Box[] {
  const view = viewOf(bytes);
  const boxes: Box[] = [];
  for (let at = from; at < to; ) {
    if (at + 8 > to) throw damaged("a box header is cut off");
    let size = view.getUint32(at);
    let header = 8;
    if (size === 1) {
      // 14496-12 4.2: a size of 1 means that 64 bits follow the type.
      if (at + 16 > to) throw damaged("a box header is cut off");
      size = Number(view.getBigUint64(at + 8));
      header = 16;
    } else if (size === 0) size = to - at;
    if (size < header || at + size > to) throw damaged(`box ${typeAt(bytes, at + 4)} is cut off`);
    boxes.push({ type: typeAt(bytes, at + 4), start: at, body: at + header, end: at + size });
    at += size;
  }
  return boxes;
}

/** A field that lies outside the buffer is damage like any other. */
export function withinBounds<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof RangeError ? damaged("a box is shorter than its fields") : error;
  }
}

export function one(bytes: Uint8Array, boxes: readonly Box[], type: string): Box {
  const found = boxes.filter((box) => box.type === type);
  if (found.length !== 1 || found[0]!.end > bytes.length)
    throw damaged(`${found.length} ${type} boxes where one belongs`);
  return found[0]!;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function typeAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

export function damaged(detail: string): Failure {
  return new Failure("ours", "encode_failed", `Produced media does not parse: ${detail}.`);
}
