import { readBoxes } from "./box-reader.ts";
import { Failure } from "./errors.ts";
import { readFragments } from "./fragments.ts";
import { readInit } from "./init-segment.ts";
import { VISUAL_ENTRY_BYTES } from "./sample-entry.ts";

/**
 * The coded pictures of MP4 segments as one plain stream, without times: what a decoder that is never restarted gets when
 * a player changes the rung, parameter sets included. Runs of two rungs are simply put one after the other.
 */
export type ElementaryFormat = "h264" | "hevc" | "obu";

const START_CODE = Uint8Array.of(0, 0, 0, 1);
/** AV1 5.3.1: an OBU of type 2 with its size, which is nought. */
const TEMPORAL_DELIMITER = Uint8Array.of(0x12, 0x00);

/** The stream's format for a sample entry; null where it is none of those that we make. */
export function elementaryFormat(sampleEntry: string): ElementaryFormat | null {
  if (/^avc[13]$/.test(sampleEntry)) return "h264";
  if (/^(hvc1|hev1)$/.test(sampleEntry)) return "hevc";
  return sampleEntry === "av01" ? "obu" : null;
}

/** The pictures of whole fragments (`moof` with `mdat`) that go with this init segment. */
export function elementaryStream(init: Uint8Array, fragments: Uint8Array): Uint8Array {
  const { sampleEntry, sampleEntryBytes } = readInit(init);
  const format = elementaryFormat(sampleEntry);
  if (format === null) throw broken(`${sampleEntry} is no picture`);
  const samples = readFragments(fragments).flatMap((fragment) =>
    fragment.samples.map(({ offset, sizeBytes }) => fragments.subarray(offset, offset + sizeBytes)),
  );
  // A temporal unit is stored without its delimiter (AV1 in ISOBMFF 2.4); the keyframes hold their sequence header.
  if (format === "obu") return Buffer.concat(samples.flatMap((sample) => [TEMPORAL_DELIMITER, sample]));
  const sets = format === "h264" ? avcSets(sampleEntryBytes) : hevcSets(sampleEntryBytes);
  const units = [...sets, ...samples.flatMap(unitsOf)];
  return Buffer.concat(units.flatMap((unit) => [START_CODE, unit]));
}

/** 14496-15 5.3.3.1: SPSs after five bytes, five bits of count; PPSs after them. */
function avcSets(entry: Uint8Array): Uint8Array[] {
  const avcC = configuration(entry, "avcC");
  const { sets, end } = countedUnits(avcC, 6, avcC[5]! & 0x1f);
  return [...sets, ...countedUnits(avcC, end + 1, avcC[end]!).sets];
}

/** 14496-15 8.3.3.1: after 22 bytes the number of arrays, each of a type byte, a count and its units. */
function hevcSets(entry: Uint8Array): Uint8Array[] {
  const hvcC = configuration(entry, "hvcC");
  const all: Uint8Array[] = [];
  for (let array = 0, at = 23; array < hvcC[22]!; array++) {
    const { sets, end } = countedUnits(hvcC, at + 3, (hvcC[at + 1]! << 8) | hvcC[at + 2]!);
    all.push(...sets);
    at = end;
  }
  return all;
}

/** Units of two bytes of length each. */
function countedUnits(bytes: Uint8Array, from: number, count: number): { sets: Uint8Array[]; end: number } {
  const sets: Uint8Array[] = [];
  let at = from;
  for (let index = 0; index < count; index++) {
    const length = (bytes[at]! << 8) | bytes[at + 1]!;
    sets.push(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  if (at > bytes.length) throw broken("a configuration record is cut off");
  return { sets, end: at };
}

/** The NAL units of a sample: four bytes of length each, as our encoders write them. */
function unitsOf(sample: Uint8Array): Uint8Array[] {
  const view = new DataView(sample.buffer, sample.byteOffset, sample.byteLength);
  const units: Uint8Array[] = [];
  for (let at = 0; at < sample.length; ) {
    const length = at + 4 <= sample.length ? view.getUint32(at) : Number.POSITIVE_INFINITY;
    if (at + 4 + length > sample.length) throw broken("a coded picture is cut off");
    units.push(sample.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return units;
}

function configuration(entry: Uint8Array, type: string): Uint8Array {
  const box = readBoxes(entry, VISUAL_ENTRY_BYTES).find((child) => child.type === type);
  if (box === undefined) throw broken(`no ${type}`);
  return entry.subarray(box.body, box.end);
}

function broken(detail: string): Failure {
  return new Failure("ours", "encode_failed", `Produced pictures cannot be read: ${detail}.`);
}
