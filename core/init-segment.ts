import { type Box, damaged, one, readBoxes, typeAt, viewOf, withinBounds } from "./box-reader.ts";

/** Reads the init segments that ffmpeg and we ourselves write. */

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

export const NO_DEFAULTS: SampleDefaults = { durationTicks: 0, sizeBytes: 0, flags: 0 };
