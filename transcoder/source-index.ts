import { typeAt } from "../core/box-reader.ts";
import { type ByteRange, coveredBytes } from "../core/byte-ranges.ts";
import type { SourceEntries } from "../core/cue-index.ts";
import { readSampleTables, type SampleTrack, sampleRanges } from "../core/sample-table.ts";
import { type TimeWindow, windowRanges } from "../core/source-window.ts";
import { clusterWindow } from "./cluster-window.ts";
import { readSpan } from "./file-spans.ts";
import { readCueIndex } from "./matroska-index.ts";
import type { PartialFile } from "./partial-file.ts";

/** Where in a master what lies, known without reading it. */
export interface SourceIndex {
  /** What any program that opens the file reads first: all that is not samples, and the first samples of every track. */
  always: ByteRange[];
  /** Every sample of every track, where the container lists them; otherwise none. */
  tracks: SampleTrack[];
  /** Where it lists only places at which it may be entered. */
  entries: SourceEntries | null;
}

/** Where what lies that is read of one stream over `window`; null where the index does not tell. */
export async function rangesOver(
  file: Pick<PartialFile, "path" | "fill">,
  { tracks, entries }: SourceIndex,
  streamIndex: number,
  window: TimeWindow,
  signal: AbortSignal,
): Promise<ByteRange[] | null> {
  if (entries !== null) return clusterWindow(file, entries, window, signal);
  const track = tracks[streamIndex];
  return track === undefined ? null : windowRanges(track, window);
}

/** A box's size and type, and the 64 bits that may follow (ISO/IEC 14496-12 4.2). */
const BOX_HEADER_BYTES = 16;
/** What one look fetches at least: a header alone is not worth a request. */
const LOOK_BYTES = 64 * 2 ** 10;
/** A day of samples is far below it. */
const LARGEST_MOOV_BYTES = 256 * 2 ** 20;
const MOST_BOXES = 1_000;
/** ffmpeg's `probesize`: what its demuxer may read to tell what the streams are, and a little more. */
const PROBE_BYTES = 5_500_000;
/**
 * Of these codecs it knows all once a picture has been decoded and, where pictures last for different times, twenty have been seen, forty
 * of a coarse clock (libavformat/demux.c, `avformat_find_stream_info`); an H.264 decoder's delay is guessed from twenty decoded ones at most.
 */
const COMMON_ENTRIES = new Set([
  "avc1",
  "hvc1",
  "hev1",
  "av01",
  "mp4a",
  "ac-3",
  "ec-3",
  "sowt",
  "lpcm",
  "in24",
]);
const FIRST_SAMPLES = 48;

type Readable = Pick<PartialFile, "path" | "sizeBytes" | "fill">;

/**
 * Reads the index of an MP4, MOV, Matroska or WebM file through a few small requests, wherever it stands. null where it is
 * none of them, or one that a full demuxer must read (fragmented, several edits, without cues, …).
 */
export async function readSourceIndex(file: Readable, signal: AbortSignal): Promise<SourceIndex | null> {
  const sampled = await readSampleIndex(file, signal);
  if (sampled !== null) return sampled;
  const entered = await readCueIndex(file, { bytes: PROBE_BYTES, frames: FIRST_SAMPLES }, signal);
  if (entered === null) return null;
  return { always: entered.always, tracks: [], entries: entered.entries };
}

async function readSampleIndex(file: Readable, signal: AbortSignal): Promise<SourceIndex | null> {
  const boxes = await topLevelBoxes(file, signal);
  const [moov, another] = boxes?.filter(({ type }) => type === "moov") ?? [];
  if (boxes === null || moov === undefined || another !== undefined) return null;
  if (boxes.some(({ type }) => type === "moof")) return null;
  const { start, end } = moov;
  if (end - start > LARGEST_MOOV_BYTES) return null;
  await file.fill([{ start, end }], signal);
  const tracks = readSampleTables(await readSpan(file.path, { start, end }));
  if (tracks === null) return null;
  const headers = boxes.map((box) =>
    box.type === "mdat" ? { start: box.start, end: box.start + BOX_HEADER_BYTES } : box,
  );
  return { always: [...headers, ...firstSamples(tracks)], tracks, entries: null };
}

async function topLevelBoxes(
  file: Readable,
  signal: AbortSignal,
): Promise<(ByteRange & { type: string })[] | null> {
  const boxes: (ByteRange & { type: string })[] = [];
  for (let at = 0; at < file.sizeBytes; ) {
    if (file.sizeBytes - at < 8 || boxes.length >= MOST_BOXES) return null;
    await file.fill([{ start: at, end: Math.min(file.sizeBytes, at + LOOK_BYTES) }], signal);
    const header = await readSpan(file.path, {
      start: at,
      end: Math.min(file.sizeBytes, at + BOX_HEADER_BYTES),
    });
    const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
    const type = typeAt(header, 4);
    let size = view.getUint32(0);
    if (size === 1) size = header.length < BOX_HEADER_BYTES ? 0 : Number(view.getBigUint64(8));
    else if (size === 0) size = file.sizeBytes - at;
    // A cut file is the demuxer's to name; what does not begin like an MP4 is none.
    const isKnown = boxes.length > 0 || FIRST_BOXES.has(type);
    if (size < 8 || at + size > file.sizeBytes || !isKnown) return null;
    boxes.push({ type, start: at, end: at + size });
    at += size;
  }
  return boxes;
}

const FIRST_BOXES = new Set(["ftyp", "moov", "mdat", "wide", "free", "skip"]);

/**
 * Of common codecs what the first pictures and the sound beside them are, or `PROBE_BYTES` of samples in the order of the file where those
 * are fewer; and the first of every track wherever it lies.
 */
function firstSamples(tracks: readonly SampleTrack[]): ByteRange[] {
  const starts = tracks.flatMap(({ offsets }) => (offsets[0] === undefined ? [] : [offsets[0]]));
  const first = Math.min(...starts);
  const firsts = tracks.flatMap((track) => sampleRanges(track, 0, 0));
  const common = tracks.every(isCommon) ? tracks.flatMap(beginningOf(tracks)) : null;
  return common !== null && coveredBytes(common) < PROBE_BYTES
    ? common
    : [{ start: first, end: first + PROBE_BYTES }, ...firsts];
}

/** Whether a demuxer knows all of a track once it has seen its first samples. */
function isCommon({ entry, sizes }: SampleTrack): boolean {
  return sizes.length > 0 && COMMON_ENTRIES.has(typeAt(entry, 4));
}

/** Of each track what is decoded no later than the last of the first samples that any has. */
function beginningOf(tracks: readonly SampleTrack[]): (track: SampleTrack) => ByteRange[] {
  const seconds = tracks.map(({ decodeTicks, timescale }) => {
    const last = Math.min(FIRST_SAMPLES, decodeTicks.length) - 1;
    return decodeTicks[last]! / timescale;
  });
  const end = Math.max(...seconds);
  return (track) => {
    const behind = track.decodeTicks.findIndex((ticks) => ticks / track.timescale > end);
    return sampleRanges(track, 0, behind < 0 ? track.sizes.length - 1 : behind - 1);
  };
}
