import { type Box, readBoxes } from "./box-reader.ts";
import { concat, fullBox, halfWord, splice, word } from "./box-writer.ts";
import type { Subsample } from "./cbcs.ts";
import { Failure } from "./errors.ts";
import type { Fragment } from "./fragments.ts";

/**
 * Which bytes of each sample of a fragment are protected: `senc` in its `traf`, with `saiz` and `saio` that say where it lies (ISO/IEC
 * 23001-7 7; 14496-12 8.7.8, 8.7.9). There are no IVs in it: the track has one for all.
 */

/** 23001-7 12.1: `senc` holds subsamples. */
const HAS_SUBSAMPLES = 0x02;
/** Of `senc` before what it says of the first sample: header, version and flags, count. */
const SENC_FIELDS = 16;
const SUBSAMPLE_BYTES = 6;
/** 8.7.8.3: sizes are bytes. */
const MOST_SUBSAMPLES = Math.floor((0xff - 2) / SUBSAMPLE_BYTES);
const TRUN_DATA_OFFSET = 0x01;

const sizeOf = (subsamples: readonly Subsample[]): number => 2 + SUBSAMPLE_BYTES * subsamples.length;

/** A fragment (`moof` and `mdat` from its first byte on) that says so; its data lies as much further on. */
export function withAuxiliary(fragment: Uint8Array, samples: readonly (readonly Subsample[])[]): Uint8Array {
  if (samples.some(({ length }) => length > MOST_SUBSAMPLES))
    throw new Failure("ours", "encode_failed", "A coded picture has too many slices to be protected.");
  const { moof, traf } = trafOf(fragment);
  const saiz = fullBox("saiz", 0, 0, [
    Uint8Array.of(0),
    word(samples.length),
    Uint8Array.from(samples, sizeOf),
  ]);
  const saio = (offset: number): Uint8Array => fullBox("saio", 0, 0, [word(1), word(offset)]);
  // 8.7.9.3: from the beginning of the `moof`.
  const offset = traf.end - moof.start + SENC_FIELDS;
  const told = samples.map((subsamples) =>
    concat([
      halfWord(subsamples.length),
      ...subsamples.flatMap(({ clearBytes, protectedBytes }) => [halfWord(clearBytes), word(protectedBytes)]),
    ]),
  );
  const senc = fullBox("senc", 0, HAS_SUBSAMPLES, [word(samples.length), ...told]);
  const added = concat([senc, saiz, saio(offset)]);
  return moveData(splice(fragment, [moof, traf], traf.end, traf.end, added), added.length);
}

/** The fragment without what `withAuxiliary` put into it. */
export function withoutAuxiliary(fragment: Uint8Array): Uint8Array {
  const { moof, traf } = trafOf(fragment);
  const boxes = readBoxes(fragment, traf.body, traf.end);
  const first = boxes.find(({ type }) => type === "senc");
  const last = boxes.find(({ type }) => type === "saio");
  if (first === undefined || last === undefined) return fragment;
  const plain = splice(fragment, [moof, traf], first.start, last.end, new Uint8Array());
  return moveData(plain, first.start - last.end);
}

/**
 * What a fragment at `offset` of a buffer says of its samples; null where it says nothing. Throws where what it says cannot be: not
 * every sample, other sizes than theirs, or `saio` and `saiz` that lead elsewhere.
 */
export function readAuxiliary(
  bytes: Uint8Array,
  { offset, bytes: length, samples }: Pick<Fragment, "offset" | "bytes" | "samples">,
): Subsample[][] | null {
  const fragment = bytes.subarray(offset, offset + length);
  const { moof, traf } = trafOf(fragment);
  const boxes = new Map(readBoxes(fragment, traf.body, traf.end).map((box) => [box.type, box]));
  const [senc, saiz, saio] = [boxes.get("senc"), boxes.get("saiz"), boxes.get("saio")];
  if (senc === undefined) return null;
  const view = new DataView(fragment.buffer, fragment.byteOffset, fragment.byteLength);
  if (saiz === undefined || saio === undefined || view.getUint32(senc.body + 4) !== samples.length)
    throw broken("not all samples are told of");
  if (moof.start + view.getUint32(saio.body + 8) !== senc.body + 8) throw broken("saio leads elsewhere");
  let at = senc.body + 8;
  return samples.map(({ sizeBytes }, index) => {
    const count = view.getUint16(at);
    const subsamples = Array.from({ length: count }, (_, nth) => ({
      clearBytes: view.getUint16(at + 2 + nth * SUBSAMPLE_BYTES),
      protectedBytes: view.getUint32(at + 4 + nth * SUBSAMPLE_BYTES),
    }));
    const told = subsamples.reduce((sum, one) => sum + one.clearBytes + one.protectedBytes, 0);
    if (told !== sizeBytes || fragment[saiz.body + 9 + index] !== sizeOf(subsamples))
      throw broken(`sample ${index} is of another size`);
    at += sizeOf(subsamples);
    return subsamples;
  });
}

/** 14496-12 8.8.8: where the data of a `trun` begins, from the `moof` on. */
function moveData(fragment: Uint8Array, by: number): Uint8Array {
  const { traf } = trafOf(fragment);
  const view = new DataView(fragment.buffer, fragment.byteOffset, fragment.byteLength);
  for (const { type, body } of readBoxes(fragment, traf.body, traf.end)) {
    if (type !== "trun" || (view.getUint32(body) & TRUN_DATA_OFFSET) === 0) continue;
    view.setInt32(body + 8, view.getInt32(body + 8) + by);
  }
  return fragment;
}

function trafOf(fragment: Uint8Array): { moof: Box; traf: Box } {
  const moof = readBoxes(fragment).find(({ type }) => type === "moof");
  const traf = moof && readBoxes(fragment, moof.body, moof.end).find(({ type }) => type === "traf");
  if (moof === undefined || traf === undefined) throw broken("no track in a fragment");
  return { moof, traf };
}

function broken(detail: string): Failure {
  return new Failure("ours", "encode_failed", `Protected media does not parse: ${detail}.`);
}
