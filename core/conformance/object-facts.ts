import { readBoxes } from "../box-reader.ts";
import { type Fragment, readFragments } from "../fragments.ts";
import { readInit } from "../init-segment.ts";
import { readAuxiliary } from "../sample-auxiliary.ts";
import { readProtection, type TrackProtection } from "../track-protection.ts";
import { type CodecFacts, readCodecFacts } from "./codec-facts.ts";

/** How an object came to us; null where the way it was read does not tell (a folder, a bucket). */
export interface Transport {
  contentType: string | null;
  gzip: boolean | null;
  redirected: boolean | null;
  tls: boolean | null;
}

/** One `moof` + `mdat`, without its samples: memory stays small however long the title. */
export interface FragmentFacts {
  offset: number;
  bytes: number;
  sequenceNumber: number;
  baseDecodeTime: number;
  durationTicks: number;
  sampleCount: number;
  startsWithSync: boolean;
  /** Decode times of the first and the last sync sample (null: none), and the largest gap between two, in ticks. */
  firstSyncTicks: number | null;
  lastSyncTicks: number | null;
  syncGapTicks: number;
  /** Earliest presentation time less `baseDecodeTime`: what pictures are late (or early) by. */
  compositionTicks: number;
  /** Byte after the first sample, within the object: where an I-frame's range may end. */
  firstSampleEnd: number;
  /** Shortest sample: the frame duration of video. */
  sampleTicks: number;
  /** First bytes of the first NAL units of the first sample: what kind of picture it is, in H.264 and HEVC. */
  firstNals: number[];
  /** It says which bytes of its samples are encrypted, and what it says can be (of samples without IVs of their own). */
  tellsSamples: boolean;
}

export interface TrackFacts extends CodecFacts {
  kind: "video" | "audio" | "other";
  timescale: number;
  sampleEntry: string;
  width: number;
  height: number;
  channels: number;
  brands: string[];
  /** How its samples are encrypted; null where they are not. `ivBytes` of the IV that they share; 0 where each has its own. */
  protection: (Omit<TrackProtection, "iv"> & { ivBytes: number }) | null;
}

/** What a gate needs to know of one object of a package: facts, never its bytes. */
export interface ObjectFacts extends Transport {
  path: string;
  bytes: number;
  /** Of playlists, manifests and text tracks. */
  text: string | null;
  init: TrackFacts | null;
  fragments: FragmentFacts[];
  /** Most tracks that its `moov` or any `moof` holds. */
  tracks: number;
  /** Why it does not parse; null where it does. */
  damage: string | null;
}

export const UNKNOWN_TRANSPORT: Transport = { contentType: null, gzip: null, redirected: null, tls: null };

/** Facts of a text object (playlist, MPD, WebVTT). */
export function describeText(path: string, text: string, bytes: number, transport: Transport): ObjectFacts {
  return { path, bytes, text, init: null, fragments: [], tracks: 0, damage: null, ...transport };
}

/** Facts of an MP4 object: an init segment, media segments, or both in one file. */
export function describeMedia(path: string, bytes: Uint8Array, transport: Transport): ObjectFacts {
  const facts: ObjectFacts = { ...describeText(path, "", bytes.length, transport), text: null };
  try {
    const boxes = readBoxes(bytes);
    const moov = boxes.find((box) => box.type === "moov");
    const count = (type: string, of: string): number[] =>
      boxes
        .filter((box) => box.type === type)
        .map((box) => readBoxes(bytes, box.body, box.end).filter((child) => child.type === of).length);
    facts.tracks = Math.max(0, ...count("moov", "trak"), ...count("moof", "traf"));
    if (facts.tracks > 1) return { ...facts, damage: `${facts.tracks} tracks in one segment` };
    if (moov !== undefined) facts.init = describeInit(bytes.subarray(0, moov.end));
    facts.fragments = readFragments(bytes).map((fragment) => describeFragment(bytes, fragment));
    if (moov === undefined && facts.fragments.length === 0) facts.damage = "neither moov nor moof";
  } catch (thrown) {
    facts.damage = thrown instanceof Error ? thrown.message : String(thrown);
  }
  return facts;
}

function describeFragment(bytes: Uint8Array, fragment: Fragment): FragmentFacts {
  let firstSyncTicks: number | null = null;
  let lastSyncTicks: number | null = null;
  let syncGapTicks = 0;
  let time = fragment.baseDecodeTime;
  let earliest = Number.POSITIVE_INFINITY;
  let sampleTicks = Number.POSITIVE_INFINITY;
  for (const sample of fragment.samples) {
    if (sample.isSync) {
      if (lastSyncTicks !== null) syncGapTicks = Math.max(syncGapTicks, time - lastSyncTicks);
      firstSyncTicks ??= time;
      lastSyncTicks = time;
    }
    earliest = Math.min(earliest, time + sample.compositionOffsetTicks);
    time += sample.durationTicks;
    sampleTicks = Math.min(sampleTicks, sample.durationTicks);
  }
  const first = fragment.samples[0]!;
  return {
    offset: fragment.offset,
    bytes: fragment.bytes,
    sequenceNumber: fragment.sequenceNumber,
    baseDecodeTime: fragment.baseDecodeTime,
    durationTicks: time - fragment.baseDecodeTime,
    sampleCount: fragment.samples.length,
    startsWithSync: first.isSync,
    firstSyncTicks,
    lastSyncTicks,
    syncGapTicks,
    compositionTicks: earliest - fragment.baseDecodeTime,
    firstSampleEnd: first.offset + first.sizeBytes,
    sampleTicks,
    firstNals: nalHeaders(bytes.subarray(first.offset, first.offset + first.sizeBytes)),
    tellsSamples: tellsSamples(bytes, fragment),
  };
}

function tellsSamples(bytes: Uint8Array, fragment: Fragment): boolean {
  try {
    return readAuxiliary(bytes, fragment) !== null;
  } catch {
    return false;
  }
}

/** Parameter sets and messages come before the picture: more than these nobody writes. */
const MOST_NALS = 8;

/** ISO/IEC 14496-15 4.3.3: each unit behind four bytes of its length. Of other codecs' samples it means nothing. */
function nalHeaders(sample: Uint8Array): number[] {
  const view = new DataView(sample.buffer, sample.byteOffset, sample.byteLength);
  const headers: number[] = [];
  for (let at = 0; at + 5 <= sample.length && headers.length < MOST_NALS; ) {
    headers.push(sample[at + 4]!);
    at += 4 + view.getUint32(at);
  }
  return headers;
}

function describeInit(bytes: Uint8Array): TrackFacts {
  const { kind, timescale, sampleEntry, width, height, channels, sampleEntryBytes } = readInit(bytes);
  const ftyp = readBoxes(bytes).find((box) => box.type === "ftyp");
  const text = ftyp ? String.fromCharCode(...bytes.subarray(ftyp.body, ftyp.end)) : "";
  const words = text.match(/.{4}/gs) ?? [];
  return {
    kind,
    timescale,
    sampleEntry,
    width,
    height,
    channels,
    // 14496-12 4.3: major brand, minor version, compatible brands.
    brands: words.filter((_, index) => index !== 1),
    protection: describeProtection(bytes),
    ...readCodecFacts(bytes, sampleEntry, sampleEntryBytes),
  };
}

function describeProtection(init: Uint8Array): TrackFacts["protection"] {
  const found = readProtection(init);
  if (found === null) return null;
  const { iv, ...said } = found;
  return { ...said, ivBytes: iv.length };
}
