import { type Box, readBoxes } from "./box-reader.ts";
import type { ByteRange } from "./byte-ranges.ts";

/**
 * The sample tables of a plain (not fragmented) MP4 or MOV file: where every sample lies and when it is shown, read from
 * `moov` alone, so that hours of film are described without reading them (ISO/IEC 14496-12 8.5, 8.6, 8.7).
 */

export interface SampleTrack {
  /** Place of the track among those of the file: ffmpeg's stream index. */
  index: number;
  handler: string;
  timescale: number;
  /** The one sample entry, header included: the codec and its configuration (14496-12 8.5.2). */
  entry: Uint8Array;
  /** One row a sample, in the order of decoding. */
  offsets: Float64Array;
  sizes: Uint32Array;
  /** Both in ticks; times of showing after the edit list. */
  decodeTicks: Float64Array;
  shownTicks: Float64Array;
  durations: Uint32Array;
  isKeyframe: Uint8Array;
  /** false: an edit list leaves the sample out. */
  isShown: Uint8Array;
}

/** Longer tables than this are no film's; a day at 60 per second has five million rows. */
const MOST_SAMPLES = 12_000_000;

/**
 * The tracks of a `moov` box (`moov` holds it whole, header included), or null where it has anything that only a full
 * demuxer gets right: fragments, several edits, several descriptions of samples, references to other files, rows that
 * contradict each other.
 */
export function readSampleTables(moov: Uint8Array): SampleTrack[] | null {
  try {
    const [box] = readBoxes(moov);
    if (box?.type !== "moov") return null;
    const inMoov = readBoxes(moov, box.body, box.end);
    if (inMoov.some(({ type }) => type === "mvex")) return null;
    const mvhd = inMoov.find(({ type }) => type === "mvhd");
    if (mvhd === undefined) return null;
    const movieTimescale = headerTimescale(moov, mvhd);
    const tracks = inMoov
      .filter(({ type }) => type === "trak")
      .map((trak, index) => readTrack(moov, trak, index, movieTimescale));
    return tracks.every((track) => track !== null) ? tracks : null;
  } catch {
    // Damage is the demuxer's to name.
    return null;
  }
}

function readTrack(moov: Uint8Array, trak: Box, index: number, movieTimescale: number): SampleTrack | null {
  const inTrak = readBoxes(moov, trak.body, trak.end);
  const mdia = childrenOf(moov, inTrak, "mdia");
  const mdhd = mdia?.find(({ type }) => type === "mdhd");
  const hdlr = mdia?.find(({ type }) => type === "hdlr");
  const minf = mdia && childrenOf(moov, mdia, "minf");
  const stbl = minf && childrenOf(moov, minf, "stbl");
  if (mdhd === undefined || hdlr === undefined || stbl === undefined) return null;
  const find = (type: string): Table | null => {
    const found = stbl.find((box) => box.type === type);
    return found === undefined ? null : new Table(moov, found);
  };
  const entries = find("stsd");
  const stsd = stbl.find(({ type }) => type === "stsd");
  if (entries === null || stsd === undefined || entries.u32(4) !== 1) return null;
  const placed = placeSamples(find("stsz"), find("stsc"), find("stco"), find("co64"));
  if (placed === null) return null;
  const count = placed.sizes.length;
  const times = timeSamples(count, find("stts"), find("ctts"));
  const timescale = headerTimescale(moov, mdhd);
  const edts = childrenOf(moov, inTrak, "edts")?.find(({ type }) => type === "elst");
  const edit = edts === undefined ? PLAIN : readEdit(new Table(moov, edts), timescale / movieTimescale);
  if (times === null || edit === null || timescale === 0) return null;
  const { decodeTicks, shownTicks, isShown } = applyEdit(times, edit);
  return {
    index,
    handler: String.fromCharCode(...moov.subarray(hdlr.body + 8, hdlr.body + 12)),
    timescale,
    entry: moov.slice(stsd.body + 8, stsd.end),
    ...placed,
    decodeTicks,
    shownTicks,
    durations: times.durations,
    isKeyframe: markKeyframes(count, find("stss")),
    isShown,
  };
}

/** A full box's fields, counted from behind version and flags (bytes 0..3 of the body). */
class Table {
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
    return Number(this.#view.getBigUint64(at));
  }
  i64(at: number): number {
    return Number(this.#view.getBigInt64(at));
  }
}

function childrenOf(bytes: Uint8Array, boxes: readonly Box[], type: string): Box[] | undefined {
  const box = boxes.find((one) => one.type === type);
  return box && readBoxes(bytes, box.body, box.end);
}

/** `mvhd` and `mdhd` agree on where it stands (8.2.2, 8.4.2). */
function headerTimescale(bytes: Uint8Array, box: Box): number {
  const table = new Table(bytes, box);
  return table.u32(table.version === 1 ? 20 : 12);
}

/** 8.7.3, 8.7.4, 8.7.5: sizes, and chunks of consecutive samples with an offset each. */
function placeSamples(stsz: Table | null, stsc: Table | null, stco: Table | null, co64: Table | null) {
  const chunks = stco ?? co64;
  if (stsz === null || stsc === null || chunks === null) return null;
  const count = stsz.u32(8);
  if (count > MOST_SAMPLES) return null;
  const uniform = stsz.u32(4);
  const sizes = new Uint32Array(count);
  for (let at = 0; at < count; at++) sizes[at] = uniform || stsz.u32(12 + 4 * at);
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

interface SampleTimes {
  decode: Float64Array;
  shown: Float64Array;
  durations: Uint32Array;
}

/** 8.6.1.2, 8.6.1.3: runs of equal durations, and of equal distances from decoding to showing. */
function timeSamples(count: number, stts: Table | null, ctts: Table | null): SampleTimes | null {
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
function markKeyframes(count: number, stss: Table | null): Uint8Array {
  if (stss === null) return new Uint8Array(count).fill(1);
  const marks = new Uint8Array(count);
  for (let row = 0; row < stss.u32(4); row++) marks[stss.u32(8 + 4 * row) - 1] = 1;
  return marks;
}

/** What an edit list of at most one empty and one real edit says, in ticks of the track. */
interface Edit {
  delayTicks: number;
  startTicks: number;
  lengthTicks: number;
}

const PLAIN: Edit = { delayTicks: 0, startTicks: 0, lengthTicks: 0 };

/** 8.6.6. null: more edits than that, or another speed than 1. */
function readEdit(elst: Table, ticksPerMovieTick: number): Edit | null {
  const count = elst.u32(4);
  const wide = elst.version === 1;
  const edit = { ...PLAIN };
  for (let row = 0; row < count; row++) {
    const at = 8 + row * (wide ? 20 : 12);
    const length = wide ? elst.u64(at) : elst.u32(at);
    const mediaTime = wide ? elst.i64(at + 8) : elst.i32(at + 4);
    const rate = elst.u32(at + (wide ? 16 : 8));
    if (rate !== 0x10000) return null;
    if (mediaTime === -1 && row === 0) edit.delayTicks = Math.round(length * ticksPerMovieTick);
    else if (mediaTime >= 0 && row === count - 1) {
      edit.startTicks = mediaTime;
      edit.lengthTicks = Math.round(length * ticksPerMovieTick);
    } else return null;
  }
  return edit;
}

function applyEdit({ decode, shown }: SampleTimes, { delayTicks, startTicks, lengthTicks }: Edit) {
  const shift = delayTicks - startTicks;
  const isShown = new Uint8Array(shown.length);
  const end = lengthTicks > 0 ? startTicks + lengthTicks : Number.POSITIVE_INFINITY;
  for (let at = 0; at < shown.length; at++)
    isShown[at] = Number(shown[at]! >= startTicks && shown[at]! < end);
  return {
    decodeTicks: decode.map((ticks) => ticks + shift),
    shownTicks: shown.map((ticks) => ticks + shift),
    isShown,
  };
}

/** Where the samples of a track lie that are decoded from `first` on up to `last` (both indices, inclusive). */
export function sampleRanges(track: SampleTrack, first: number, last: number): ByteRange[] {
  const ranges: ByteRange[] = [];
  for (let at = Math.max(0, first); at <= Math.min(last, track.sizes.length - 1); at++) {
    const start = track.offsets[at]!;
    const end = start + track.sizes[at]!;
    const before = ranges.at(-1);
    if (before !== undefined && before.end === start) before.end = end;
    else ranges.push({ start, end });
  }
  return ranges;
}
