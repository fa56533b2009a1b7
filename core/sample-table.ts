import { type Box, readBoxes } from "./box-reader.ts";
import type { ByteRange } from "./byte-ranges.ts";
import { applyEdit, PLAIN, readEdit } from "./edit-list.ts";
import { markKeyframes, placeSamples, Table, timeSamples } from "./sample-places.ts";

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

function childrenOf(bytes: Uint8Array, boxes: readonly Box[], type: string): Box[] | undefined {
  const box = boxes.find((one) => one.type === type);
  return box && readBoxes(bytes, box.body, box.end);
}

/** `mvhd` and `mdhd` agree on where it stands (8.2.2, 8.4.2). */
function headerTimescale(bytes: Uint8Array, box: Box): number {
  const table = new Table(bytes, box);
  return table.u32(table.version === 1 ? 20 : 12);
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
