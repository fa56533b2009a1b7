import { type Box, damaged, one, readBoxes, viewOf, withinBounds } from "./box-reader.ts";
import { NO_DEFAULTS, type SampleDefaults } from "./init-segment.ts";

/** Reads the fragments that ffmpeg and we ourselves write. */

export interface SampleFacts {
  durationTicks: number;
  sizeBytes: number;
  isSync: boolean;
  compositionOffsetTicks: number;
  /** First byte within the buffer that was read. */
  offset: number;
}

export interface Fragment {
  /** First byte of the `moof` within the buffer, and bytes of `moof` and `mdat` together. */
  offset: number;
  bytes: number;
  sequenceNumber: number;
  /** Where the four bytes of the sequence number stand within the buffer. */
  sequenceNumberOffset: number;
  baseDecodeTime: number;
  samples: SampleFacts[];
}

/**
 * The fragments of a buffer that holds whole `moof`+`mdat` pairs; `styp`, `sidx` and the like are passed over.
 * `defaults` are the init segment's, needed only where fragments rely on them (ours and ffmpeg's do not).
 */
export function readFragments(bytes: Uint8Array, defaults: SampleDefaults = NO_DEFAULTS): Fragment[] {
  const boxes = readBoxes(bytes);
  return boxes.flatMap((moof, index) => {
    if (moof.type !== "moof") return [];
    const mdat = boxes[index + 1];
    if (mdat?.type !== "mdat") throw damaged("a moof without its mdat");
    return [withinBounds(() => readFragment(bytes, moof, mdat, defaults))];
  });
}

function readFragment(bytes: Uint8Array, moof: Box, mdat: Box, trackDefaults: SampleDefaults): Fragment {
  const view = viewOf(bytes);
  const inMoof = readBoxes(bytes, moof.body, moof.end);
  const mfhd = one(bytes, inMoof, "mfhd");
  const traf = one(bytes, inMoof, "traf");
  const inTraf = readBoxes(bytes, traf.body, traf.end);
  const tfdt = one(bytes, inTraf, "tfdt");
  const defaults = readTfhd(bytes, one(bytes, inTraf, "tfhd"), trackDefaults);
  const samples: SampleFacts[] = [];
  let next = mdat.body;
  for (const trun of inTraf.filter((box) => box.type === "trun"))
    next = readTrun(bytes, trun, moof, next, defaults, samples);
  const outside = samples.some((one) => one.offset < mdat.body || one.offset + one.sizeBytes > mdat.end);
  if (samples.length === 0 || outside) throw damaged("samples outside their mdat");
  return {
    offset: moof.start,
    bytes: mdat.end - moof.start,
    sequenceNumber: view.getUint32(mfhd.body + 4),
    sequenceNumberOffset: mfhd.body + 4,
    baseDecodeTime:
      bytes[tfdt.body] === 1 ? Number(view.getBigUint64(tfdt.body + 4)) : view.getUint32(tfdt.body + 4),
    samples,
  };
}

/** 14496-12 8.8.7: optional fields in this order, present where their flag is set. */
function readTfhd(bytes: Uint8Array, tfhd: Box, trackDefaults: SampleDefaults): SampleDefaults {
  const view = viewOf(bytes);
  const flags = view.getUint32(tfhd.body) & 0xffffff;
  // ISO/IEC 23000-19 7.5.16 forbids it: a fragment must not know where in a file it lies.
  if (flags & 0x01) throw damaged("a fragment with an absolute data offset");
  let at = tfhd.body + 8;
  const next = (flag: number, otherwise: number): number => {
    if ((flags & flag) === 0) return otherwise;
    at += 4;
    return view.getUint32(at - 4);
  };
  next(0x02, 0);
  return {
    durationTicks: next(0x08, trackDefaults.durationTicks),
    sizeBytes: next(0x10, trackDefaults.sizeBytes),
    flags: next(0x20, trackDefaults.flags),
  };
}

/** 14496-12 8.8.3.1: sample_is_non_sync_sample. */
const NON_SYNC = 0x10000;

const TRUN_ROW_FLAGS = [0x100, 0x200, 0x400, 0x800];

/** 14496-12 8.8.8. `next` is where its data begins unless it says so; returns where the data of the one after it does. */
function readTrun(
  bytes: Uint8Array,
  trun: Box,
  moof: Box,
  next: number,
  defaults: SampleDefaults,
  into: SampleFacts[],
): number {
  const view = viewOf(bytes);
  const flags = view.getUint32(trun.body) & 0xffffff;
  const count = view.getUint32(trun.body + 4);
  let at = trun.body + 8;
  const read = (flag: number, otherwise: number): number => {
    if ((flags & flag) === 0) return otherwise;
    at += 4;
    return view.getUint32(at - 4);
  };
  const dataOffset = read(0x01, 0) | 0;
  const firstFlags = read(0x04, defaults.flags);
  const rowBytes = 4 * TRUN_ROW_FLAGS.filter((flag) => flags & flag).length;
  if (rowBytes === 0 && defaults.sizeBytes === 0) throw damaged("samples without a size");
  if (at + rowBytes * count > trun.end || count > bytes.length) throw damaged("a trun box is cut off");
  let offset = flags & 0x01 ? moof.start + dataOffset : next;
  for (let index = 0; index < count; index++) {
    const durationTicks = read(0x100, defaults.durationTicks);
    const sizeBytes = read(0x200, defaults.sizeBytes);
    const sampleFlags = read(0x400, index === 0 ? firstFlags : defaults.flags);
    // Version 1 offsets are signed; version 0 ones never reach the sign bit in practice.
    const compositionOffsetTicks = read(0x800, 0) | 0;
    const isSync = (sampleFlags & NON_SYNC) === 0;
    into.push({ durationTicks, sizeBytes, isSync, compositionOffsetTicks, offset });
    offset += sizeBytes;
  }
  return offset;
}
