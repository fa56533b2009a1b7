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

export interface InitFacts {
  trackId: number;
  kind: "video" | "audio" | "other";
  timescale: number;
  /** Four-letter sample entry (`avc1`, `mp4a`); of a protected track what it is beneath (core/track-protection.ts). */
  sampleEntry: string;
  width: number;
  height: number;
  channels: number;
  /** The sample entry's bytes, header included, for codec strings, and where they stand in the init segment. */
  sampleEntryBytes: Uint8Array;
  sampleEntryOffset: number;
  /** What a fragment's samples are where it does not say (`trex`). */
  sampleDefaults: SampleDefaults;
}

/** Duration, size and flags of samples that state none of their own. */
export interface SampleDefaults {
  durationTicks: number;
  sizeBytes: number;
  flags: number;
}

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

/** Splits a fragmented file into its init segment (all before the first `moof`) and the rest. */
export function splitInit(file: Uint8Array): { init: Uint8Array; rest: Uint8Array } {
  const boxes = readBoxes(file);
  const first = boxes.find((box) => box.type === "moof" || box.type === "styp" || box.type === "sidx");
  const moov = boxes.find((box) => box.type === "moov");
  if (moov === undefined || first === undefined || first.start < moov.end)
    throw damaged("no init segment before the fragments");
  return { init: file.slice(0, first.start), rest: file.slice(first.start) };
}

/** What an init segment says of its one track. */
export function readInit(init: Uint8Array): InitFacts {
  return withinBounds(() => readInitBoxes(init));
}

function readInitBoxes(init: Uint8Array): InitFacts {
  const view = viewOf(init);
  const moov = one(init, readBoxes(init), "moov");
  const trak = one(init, readBoxes(init, moov.body, moov.end), "trak");
  const inTrak = readBoxes(init, trak.body, trak.end);
  const tkhd = one(init, inTrak, "tkhd");
  const mdia = one(init, inTrak, "mdia");
  const inMdia = readBoxes(init, mdia.body, mdia.end);
  const mdhd = one(init, inMdia, "mdhd");
  const handler = typeAt(init, one(init, inMdia, "hdlr").body + 8);
  const minf = one(init, inMdia, "minf");
  const stbl = one(init, readBoxes(init, minf.body, minf.end), "stbl");
  const stsd = one(init, readBoxes(init, stbl.body, stbl.end), "stsd");
  const entry = readBoxes(init, stsd.body + 8, stsd.end)[0];
  if (entry === undefined) throw damaged("no sample entry");
  const kind = handler === "vide" ? "video" : handler === "soun" ? "audio" : "other";
  return {
    trackId: view.getUint32(tkhd.body + (init[tkhd.body] === 1 ? 20 : 12)),
    kind,
    timescale: view.getUint32(mdhd.body + (init[mdhd.body] === 1 ? 20 : 12)),
    sampleEntry: originalFormat(init, entry),
    width: kind === "video" ? view.getUint16(entry.body + 24) : 0,
    height: kind === "video" ? view.getUint16(entry.body + 26) : 0,
    channels: kind === "audio" ? view.getUint16(entry.body + 16) : 0,
    sampleEntryBytes: init.slice(entry.start, entry.end),
    sampleEntryOffset: entry.start,
    sampleDefaults: readTrex(init, moov),
  };
}

/** Children of a visual and of an audio entry begin after their fields (14496-12 12.1.3, 12.2.3). */
const PROTECTED_FIELDS: Record<string, number> = { encv: 86, enca: 36 };

/** 14496-12 8.12.2: the entry of a protected track has another name, and `frma` in its `sinf` says what it was. */
function originalFormat(init: Uint8Array, entry: Box): string {
  const fields = PROTECTED_FIELDS[entry.type];
  if (fields === undefined) return entry.type;
  const sinf = one(init, readBoxes(init, entry.start + fields, entry.end), "sinf");
  return typeAt(init, one(init, readBoxes(init, sinf.body, sinf.end), "frma").body);
}

/** 14496-12 8.8.3: version, track and sample description come first. */
function readTrex(init: Uint8Array, moov: Box): SampleDefaults {
  const mvex = readBoxes(init, moov.body, moov.end).find((box) => box.type === "mvex");
  const trex = mvex && readBoxes(init, mvex.body, mvex.end).find((box) => box.type === "trex");
  if (trex === undefined) return NO_DEFAULTS;
  const view = viewOf(init);
  return {
    durationTicks: view.getUint32(trex.body + 12),
    sizeBytes: view.getUint32(trex.body + 16),
    flags: view.getUint32(trex.body + 20),
  };
}

const NO_DEFAULTS: SampleDefaults = { durationTicks: 0, sizeBytes: 0, flags: 0 };

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

/** A field that lies outside the buffer is damage like any other. */
function withinBounds<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof RangeError ? damaged("a box is shorter than its fields") : error;
  }
}

function one(bytes: Uint8Array, boxes: readonly Box[], type: string): Box {
  const found = boxes.filter((box) => box.type === type);
  if (found.length !== 1 || found[0]!.end > bytes.length)
    throw damaged(`${found.length} ${type} boxes where one belongs`);
  return found[0]!;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function typeAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function damaged(detail: string): Failure {
  return new Failure("ours", "encode_failed", `Produced media does not parse: ${detail}.`);
}
