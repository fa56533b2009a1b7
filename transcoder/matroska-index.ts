import type { ByteRange } from "../core/byte-ranges.ts";
import { readCues, type SourceEntries, tickSeconds } from "../core/cue-index.ts";
import {
  childrenOf,
  ELEMENT_HEADER_BYTES,
  type Element,
  type Piece,
  readElement,
  unsignedOf,
} from "../core/ebml.ts";
import { areCommonTracks, pictureTrack } from "../core/matroska-tracks.ts";
import { clusterWindow } from "./cluster-window.ts";
import { readSpan } from "./file-spans.ts";
import type { PartialFile } from "./partial-file.ts";

type Readable = Pick<PartialFile, "path" | "sizeBytes" | "fill">;

/** Where the picture of a Matroska file can be entered, and what every program that opens the file reads first. */
export interface CueIndex {
  always: ByteRange[];
  entries: SourceEntries;
}

/** RFC 8794 11.2.1, RFC 9559 5.1: the file's own header, then one segment of everything. */
const EBML = 0x1a45dfa3;
const SEGMENT = 0x18538067;
const SEEK_HEAD = 0x114d9b74;
const SEEK = 0x4dbb;
const SEEK_ID = 0x53ab;
const SEEK_POSITION = 0x53ac;
const INFO = 0x1549a966;
const TRACKS = 0x1654ae6b;
const CUES = 0x1c53bb6b;
const CLUSTER = 0x1f43b675;

const LOOK_BYTES = 64 * 2 ** 10;
/** Covers, fonts and chapters may stand before the film, or be referred to: each is a request, and more of them nobody writes. */
const MOST_ELEMENTS = 100;
/** Of what is read here and taken apart in memory: three days of keyframes, a cue of 25 bytes each second. */
const LARGEST_ELEMENT_BYTES = 8 * 2 ** 20;

/**
 * Reads the index of a Matroska or WebM file through a few small requests. null where it is none, or has no index of its one
 * picture. Among what is always read are `probe.bytes` of the film's beginning, or its first frames where it is of common codecs and
 * these are less.
 */
export async function readCueIndex(
  file: Readable,
  probe: { bytes: number; frames: number },
  signal: AbortSignal,
): Promise<CueIndex | null> {
  const look = async (at: number): Promise<Element | null> => {
    if (at < 0 || at + ELEMENT_HEADER_BYTES > file.sizeBytes) return null;
    const span = { start: at, end: Math.min(file.sizeBytes, at + LOOK_BYTES) };
    await file.fill([span], signal);
    return readElement(await readSpan(file.path, { start: at, end: at + ELEMENT_HEADER_BYTES }), at, at);
  };
  const bodyOf = async ({ start, end }: Element): Promise<Piece | null> => {
    if (end > file.sizeBytes || end - start > LARGEST_ELEMENT_BYTES) return null;
    await file.fill([{ start, end }], signal);
    return { bytes: await readSpan(file.path, { start, end }), origin: start };
  };

  const header = await look(0);
  const segment = header?.id === EBML ? await look(header.end) : null;
  // A cut file is the demuxer's to name.
  if (segment?.id !== SEGMENT || segment.end > file.sizeBytes) return null;
  const first = await elementsBefore(CLUSTER, segment.body, look);
  const cluster = first?.at(-1);
  if (first === null || cluster === undefined) return null;
  const seekHead = first.find(({ id }) => id === SEEK_HEAD);
  const head = seekHead && (await bodyOf(seekHead));
  const positions = seekHead && head ? positionsIn(head, seekHead) : [];
  if (positions.length > MOST_ELEMENTS) return null;
  const referred: Element[] = [];
  for (const position of positions) {
    const element = await look(segment.body + position);
    // A second list of places, a damaged place: the demuxer may want to read there what is not known here.
    if (element === null || element.end > file.sizeBytes || element.id === SEEK_HEAD) return null;
    if (element.id !== CLUSTER) referred.push(element);
  }
  const known = [...first.slice(0, -1), ...referred];
  const [info, tracks, cues] = [INFO, TRACKS, CUES].map((id) => known.find((one) => one.id === id));
  if (info === undefined || tracks === undefined || cues === undefined) return null;
  const [infoBytes, trackBytes, cueBytes] = await Promise.all([info, tracks, cues].map(bodyOf));
  if (!infoBytes || !trackBytes || !cueBytes) return null;
  const picture = pictureTrack(trackBytes, tracks);
  if (picture === null) return null;
  const secondsOfTick = tickSeconds(infoBytes, info);
  const found = readCues(cueBytes, cues, picture.number, secondsOfTick, segment.body);
  if (found === null) return null;
  const entries = { cues: found, picture, secondsOfTick, sizeBytes: file.sizeBytes };
  const most = cluster.start + probe.bytes;
  const framesEnd = areCommonTracks(trackBytes, tracks)
    ? await endOfFrames(file, { ...entries, sizeBytes: Math.min(most, file.sizeBytes) }, probe.frames, signal)
    : most;
  const always = [{ start: 0, end: framesEnd }, ...referred.map(({ start, end }) => ({ start, end }))];
  return { always, entries };
}

/** Where so many first frames of the picture, and what lies beside them, end; no more than the file's size is told to be. */
async function endOfFrames(
  file: Readable,
  entries: SourceEntries,
  frames: number,
  signal: AbortSignal,
): Promise<number> {
  const { frameNanoseconds } = entries.picture;
  if (frameNanoseconds === null) return entries.sizeBytes;
  const startSeconds = entries.cues[0]!.seconds;
  const window = { startSeconds, endSeconds: startSeconds + (frames * frameNanoseconds) / 1e9 };
  return (await clusterWindow(file, entries, window, signal)).at(-1)!.end;
}

/** The elements from `at` on up to and with the first of this id; null where that one does not come. */
async function elementsBefore(
  id: number,
  at: number,
  look: (at: number) => Promise<Element | null>,
): Promise<Element[] | null> {
  const elements: Element[] = [];
  while (elements.length < MOST_ELEMENTS) {
    const element = await look(elements.at(-1)?.end ?? at);
    if (element === null) return null;
    elements.push(element);
    if (element.id === id) return elements;
  }
  return null;
}

/** Where the elements lie that a `SeekHead` names, counted from the segment's body (RFC 9559 5.1.1). */
function positionsIn(head: Piece, seekHead: Element): number[] {
  return childrenOf(head, seekHead, SEEK).flatMap((seek) => {
    const [position] = childrenOf(head, seek, SEEK_POSITION);
    const isNamed = childrenOf(head, seek, SEEK_ID).length > 0;
    return position === undefined || !isNamed ? [] : [unsignedOf(head.bytes, head.origin, position)];
  });
}
