import { type Box, readBoxes } from "./box-reader.ts";
import { Failure } from "./errors.ts";

/** Where a sample entry lies: every box around it grows with it. */
const WAY = ["moov", "trak", "mdia", "minf", "stbl", "stsd"] as const;
/** A full box's version and flags, and `stsd`'s count of entries (14496-12 8.5.2). */
const STSD_HEADER_BYTES = 8;

/**
 * An init segment with another sample entry: `change` is given the one that is there, header included, and answers with all
 * of the new one but its size. Only for init segments, where no box holds offsets into the file.
 */
export function withEntry(init: Uint8Array, change: (entry: Uint8Array) => Uint8Array): Uint8Array {
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
  const changed = Buffer.from(change(init.slice(entry.start, entry.end)));
  changed.writeUInt32BE(changed.length, 0);
  const grown = Buffer.concat([init.subarray(0, entry.start), changed, init.subarray(entry.end)]);
  const added = changed.length - (entry.end - entry.start);
  for (const box of around) grown.writeUInt32BE(box.end - box.start + added, box.start);
  return new Uint8Array(grown);
}
