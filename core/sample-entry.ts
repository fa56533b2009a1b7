import { type Box, readBoxes } from "./box-reader.ts";
import { concat, splice, word } from "./box-writer.ts";
import { Failure } from "./errors.ts";

/** Where a sample entry lies: every box around it grows with it. */
const WAY = ["moov", "trak", "mdia", "minf", "stbl", "stsd"] as const;
/** A full box's version and flags, and `stsd`'s count of entries (14496-12 8.5.2). */
const STSD_HEADER_BYTES = 8;
/** Length of a visual and of an audio sample entry before their child boxes, header included (14496-12 12.1.3, 12.2.3). */
export const VISUAL_ENTRY_BYTES = 86;
export const AUDIO_ENTRY_BYTES = 36;

/** The one sample entry of an init segment, and the boxes that it lies in, outermost first. */
export function findSampleEntry(init: Uint8Array): { around: Box[]; entry: Box } {
  const around: Box[] = [];
  let inside = readBoxes(init);
  for (const type of WAY) {
    const box = inside.find((one) => one.type === type);
    if (box === undefined) throw new Failure("ours", "encode_failed", `The init segment has no ${type}.`);
    around.push(box);
    inside = readBoxes(init, box.body + (type === "stsd" ? STSD_HEADER_BYTES : 0), box.end);
  }
  const entry = inside[0];
  if (entry === undefined)
    throw new Failure("ours", "encode_failed", "The init segment has no sample entry.");
  return { around, entry };
}

/**
 * An init segment with another sample entry: `change` is given the one that is there, header included, and answers with all
 * of the new one but its size. Only for init segments, where no box holds offsets into the file.
 */
export function withEntry(init: Uint8Array, change: (entry: Uint8Array) => Uint8Array): Uint8Array {
  const { around, entry } = findSampleEntry(init);
  const changed = change(init.slice(entry.start, entry.end));
  return splice(init, around, entry.start, entry.end, concat([word(changed.length), changed.subarray(4)]));
}
