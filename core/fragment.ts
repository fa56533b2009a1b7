import { ascii, box, concat, doubleWord, word } from "./box-writer.ts";
import type { Fragment } from "./fragments.ts";

/** Writes the boxes that we own: of frames that each stand alone, or of one closed group of pictures, cut where the video is cut. */

export interface SegmentInput {
  sequenceNumber: number;
  /** In ticks of the track's timescale. */
  baseDecodeTime: number;
  sampleDurationTicks: number;
  /** Coded frames, in order. */
  frames: readonly Uint8Array[];
  /**
   * Of a closed group of pictures: how much later than it is decoded each is shown (may be negative). Only the first stands
   * alone then. Absent: all do, and are shown as they are decoded.
   */
  compositionOffsetTicks?: readonly number[];
  trackId?: number;
}

/** 14496-12 8.8.3.1: depends on nothing, is a sync sample: every AAC frame, every IDR picture. */
const SYNC_SAMPLE_FLAGS = 0x02000000;
/** 14496-12 8.8.3.1: depends on others, is no sync sample. */
const DEPENDENT_SAMPLE_FLAGS = 0x01010000;
const DEFAULT_BASE_IS_MOOF = 0x020000;
const DEFAULT_DURATION = 0x08;
const DEFAULT_FLAGS = 0x20;
const TRUN_DATA_OFFSET = 0x01;
const TRUN_FIRST_SAMPLE_FLAGS = 0x04;
const TRUN_SAMPLE_SIZES = 0x200;
const TRUN_COMPOSITION_OFFSETS = 0x800;
/** Offsets of version 1 are signed (14496-12 8.8.8). */
const TRUN_SIGNED = 0x01000000;

/** One CMAF segment (`moof` + `mdat`) of frames that all have the same duration (ISO/IEC 23000-19 7.3.2). */
export function writeSegment(input: SegmentInput): Uint8Array {
  const trackId = input.trackId ?? 1;
  const sizes = input.frames.map((frame) => frame.length);
  const payload = sizes.reduce((sum, size) => sum + size, 0);
  const moof = (dataOffset: number): Uint8Array =>
    box("moof", [
      box("mfhd", [word(0), word(input.sequenceNumber)]),
      box("traf", [
        box("tfhd", [
          word(DEFAULT_BASE_IS_MOOF | DEFAULT_DURATION | DEFAULT_FLAGS),
          word(trackId),
          word(input.sampleDurationTicks),
          word(input.compositionOffsetTicks === undefined ? SYNC_SAMPLE_FLAGS : DEPENDENT_SAMPLE_FLAGS),
        ]),
        box("tfdt", [word(0x01000000), doubleWord(input.baseDecodeTime)]),
        box("trun", sampleRun(sizes, dataOffset, input.compositionOffsetTicks)),
      ]),
    ]);
  const MDAT_HEADER = 8;
  const head = moof(moof(0).length + MDAT_HEADER);
  return concat([head, word(payload + MDAT_HEADER), ascii("mdat"), ...input.frames]);
}

/** What stands in a `trun` (14496-12 8.8.8): optional fields in this order, each where its flag is set. */
function sampleRun(
  sizes: readonly number[],
  dataOffset: number,
  offsets: readonly number[] | undefined,
): Uint8Array[] {
  const flags = TRUN_DATA_OFFSET | TRUN_SAMPLE_SIZES;
  if (offsets === undefined) return [flags, sizes.length, dataOffset, ...sizes].map(word);
  return [
    TRUN_SIGNED | flags | TRUN_FIRST_SAMPLE_FLAGS | TRUN_COMPOSITION_OFFSETS,
    ...[sizes.length, dataOffset, SYNC_SAMPLE_FLAGS],
    ...sizes.flatMap((size, index) => [size, offsets[index]!]),
  ].map(word);
}

/** Overwrites a fragment's sequence number in the buffer that it was read from. */
export function setSequenceNumber(bytes: Uint8Array, fragment: Fragment, sequenceNumber: number): void {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(fragment.sequenceNumberOffset, sequenceNumber);
}
