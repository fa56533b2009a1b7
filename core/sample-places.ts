import type { Box } from "./box-reader.ts";

/** Rows of a track's tables, and what they say of each sample: where it lies, when it is shown, whether it is a keyframe. */

/** Longer tables than this are no film's; a day at 60 per second has five million rows. */
const MOST_SAMPLES = 12_000_000;

/** A full box's fields, counted from behind version and flags (bytes 0..3 of the body). */
export class Table {
  readonly #view: DataView;
  readonly version: number;
  constructor(bytes: Uint8Array, box: Box) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset + box.body, box.end - box.body);
    this.version = this.#view.getUint8(0);
  }
  u32(at: number): number {
    return this.#view.getUint32(at);
  }
  i32(at: number): number {
    return this.#view.getInt32(at);
  }
  u64(at: number): number {
    // Not by way of a BigInt, of which the offsets of a large file would make one a sample.
    return this.u32(at) * 2 ** 32 + this.u32(at + 4);
  }
  i64(at: number): number {
    return Number(this.#view.getBigInt64(at));
  }
  /** So many words of 32 bits from `from` on. */
  words(from: number, count: number): Uint32Array {
    const words = new Uint32Array(count);
    for (let at = 0; at < count; at++) words[at] = this.#view.getUint32(from + 4 * at);
    return words;
  }
}

/** 8.7.3, 8.7.4, 8.7.5: sizes, and chunks of consecutive samples with an offset each. */
export function placeSamples(stsz: Table | null, stsc: Table | null, stco: Table | null, co64: Table | null) {
  const chunks = stco ?? co64;
  if (stsz === null || stsc === null || chunks === null) return null;
  const count = stsz.u32(8);
  if (count > MOST_SAMPLES) return null;
  const uniform = stsz.u32(4);
  const sizes = uniform === 0 ? stsz.words(12, count) : new Uint32Array(count).fill(uniform);
  const offsets = new Float64Array(count);
  const rows = stsc.u32(4);
  const chunkCount = chunks.u32(4);
  let sample = 0;
  for (let row = 0; row < rows; row++) {
    const first = stsc.u32(8 + 12 * row);
    const next = row + 1 < rows ? stsc.u32(8 + 12 * (row + 1)) : chunkCount + 1;
    const perChunk = stsc.u32(12 + 12 * row);
    if (stsc.u32(16 + 12 * row) !== 1) return null;
    for (let chunk = first; chunk < next && sample < count; chunk++) {
      let offset = stco === null ? chunks.u64(8 * chunk) : chunks.u32(4 + 4 * chunk);
      for (let inChunk = 0; inChunk < perChunk && sample < count; inChunk++) {
        offsets[sample] = offset;
        offset += sizes[sample++]!;
      }
    }
  }
  return sample === count ? { sizes, offsets } : null;
}

export interface SampleTimes {
  decode: Float64Array;
  shown: Float64Array;
  durations: Uint32Array;
}

/** 8.6.1.2, 8.6.1.3: runs of equal durations, and of equal distances from decoding to showing. */
export function timeSamples(count: number, stts: Table | null, ctts: Table | null): SampleTimes | null {
  if (stts === null) return null;
  const decode = new Float64Array(count);
  const durations = new Uint32Array(count);
  let sample = 0;
  let ticks = 0;
  for (let row = 0; row < stts.u32(4); row++) {
    const duration = stts.u32(12 + 8 * row);
    // Quick-time writers have left negative durations; a demuxer knows what to make of them.
    if (duration > 0x7fffffff) return null;
    for (let left = stts.u32(8 + 8 * row); left > 0 && sample < count; left--) {
      decode[sample] = ticks;
      durations[sample++] = duration;
      ticks += duration;
    }
  }
  if (sample !== count) return null;
  const shown = decode.slice();
  if (ctts === null) return { decode, shown, durations };
  sample = 0;
  for (let row = 0; row < ctts.u32(4); row++) {
    // Signed in version 1, and in practice in version 0 too.
    const offset = ctts.i32(12 + 8 * row);
    for (let left = ctts.u32(8 + 8 * row); left > 0 && sample < count; left--) shown[sample++]! += offset;
  }
  return { decode, shown, durations };
}

/** 8.6.2: every sample is a keyframe where there is no `stss`. */
export function markKeyframes(count: number, stss: Table | null): Uint8Array {
  if (stss === null) return new Uint8Array(count).fill(1);
  const marks = new Uint8Array(count);
  for (let row = 0; row < stss.u32(4); row++) marks[stss.u32(8 + 4 * row) - 1] = 1;
  return marks;
}
