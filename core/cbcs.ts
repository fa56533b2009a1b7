import { createCipheriv, createDecipheriv } from "node:crypto";
import { Failure } from "./errors.ts";
import type { BlockPattern } from "./track-protection.ts";

/**
 * ISO/IEC 23001-7 10.4, `cbcs`: AES-128 in CBC over whole blocks, of pictures one in ten, chained within a protected range and begun
 * anew, with the track's one IV, at each of them. What is left over at a range's end stays as it is.
 */

const BLOCK_BYTES = 16;

/** Encrypts or decrypts a protected range in its place. */
export function cryptRange(
  way: "encrypt" | "decrypt",
  range: Uint8Array,
  { key, iv, pattern }: { key: Uint8Array; iv: Uint8Array; pattern: BlockPattern },
): void {
  const whole = Math.floor(range.length / BLOCK_BYTES);
  const period = pattern.crypt + pattern.skip;
  const isTaken = (block: number): boolean => period === 0 || block % period < pattern.crypt;
  const taken: number[] = [];
  for (let block = 0; block < whole; block++) if (isTaken(block)) taken.push(block * BLOCK_BYTES);
  const gathered = Buffer.alloc(taken.length * BLOCK_BYTES);
  taken.forEach((at, index) => {
    gathered.set(range.subarray(at, at + BLOCK_BYTES), index * BLOCK_BYTES);
  });
  const make = way === "encrypt" ? createCipheriv : createDecipheriv;
  const made = make("aes-128-cbc", key, iv).setAutoPadding(false).update(gathered);
  taken.forEach((at, index) => {
    range.set(made.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES), at);
  });
}

/** Some bytes of a sample that are left as they are, and some after them that are protected. */
export interface Subsample {
  clearBytes: number;
  protectedBytes: number;
}

/**
 * 10.4: nothing but slice data is protected, so a slice's header must be left. It states no length; the longest that x264
 * and x265 wrote had 12 bytes, and one that weighs each of its references stays below this (docs/decisions/clear-key.md).
 */
const CLEAR_LEAD_BYTES = 96;
/** Of the length before each NAL unit, as our encoders write it. */
const LENGTH_BYTES = 4;
/** 12.1: clear bytes are counted in 16 bits. */
const MOST_CLEAR_BYTES = 0xffff;

/** What a fragment says of one sample has to fit into 255 bytes; the slices of a picture after these stay as they are. */
const MOST_PROTECTED_SLICES = 32;

type NalFormat = "avc1" | "hvc1";

/** H.264 7.4.1 types 1 to 5; HEVC 7.4.2.2 types 0 to 31: units that hold a slice of a picture. */
const IS_SLICE: Record<NalFormat, (header: number) => boolean> = {
  avc1: (header) => (header & 0x1f) >= 1 && (header & 0x1f) <= 5,
  hvc1: (header) => ((header >> 1) & 0x3f) <= 31,
};

export function isNalFormat(sampleEntry: string): sampleEntry is NalFormat {
  return sampleEntry in IS_SLICE;
}

/** Which bytes of a coded picture are protected: its slices without their beginnings, and never what a demuxer must read. */
export function subsamplesOf(sample: Uint8Array, format: NalFormat): Subsample[] {
  const view = new DataView(sample.buffer, sample.byteOffset, sample.byteLength);
  const subsamples: Subsample[] = [];
  let clearBytes = 0;
  let slices = 0;
  const add = (protectedBytes: number): void => {
    for (; clearBytes > MOST_CLEAR_BYTES; clearBytes -= MOST_CLEAR_BYTES)
      subsamples.push({ clearBytes: MOST_CLEAR_BYTES, protectedBytes: 0 });
    subsamples.push({ clearBytes, protectedBytes });
    clearBytes = 0;
  };
  for (let at = 0; at < sample.length; ) {
    const unitBytes = LENGTH_BYTES + (at + LENGTH_BYTES < sample.length ? view.getUint32(at) : sample.length);
    if (at + unitBytes > sample.length)
      throw new Failure("ours", "encode_failed", "A coded picture is cut off and cannot be protected.");
    const isLong = unitBytes >= CLEAR_LEAD_BYTES + BLOCK_BYTES;
    const isTaken = isLong && slices < MOST_PROTECTED_SLICES && IS_SLICE[format](sample[at + LENGTH_BYTES]!);
    clearBytes += isTaken ? CLEAR_LEAD_BYTES : unitBytes;
    if (isTaken) {
      add(unitBytes - CLEAR_LEAD_BYTES);
      slices++;
    }
    at += unitBytes;
  }
  if (clearBytes > 0) add(0);
  return subsamples;
}
