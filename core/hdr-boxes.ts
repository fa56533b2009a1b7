import { type Box, readBoxes } from "./box-reader.ts";
import { Failure } from "./errors.ts";
import { masteringDisplayIntegers } from "./hdr-metadata.ts";
import type { HdrMetadata } from "./source.ts";

/** Where a sample entry lies: every box around it grows with it. */
const WAY = ["moov", "trak", "mdia", "minf", "stbl", "stsd"] as const;
/** Length of a visual sample entry before its child boxes, header included (14496-12 12.1.3). */
const VISUAL_ENTRY_BYTES = 86;
/** A full box's version and flags, and `stsd`'s count of entries (14496-12 8.5.2). */
const STSD_HEADER_BYTES = 8;

/**
 * An init segment whose sample entry also holds `mdcv` and `clli` (14496-12 12.1.6, 12.1.7; Apple HLS authoring 1.8), for
 * players that ask the container and not the stream. Those that are there already stay. Only for init segments, where
 * no box holds offsets into the file.
 */
export function withHdrBoxes(init: Uint8Array, hdr: HdrMetadata): Uint8Array {
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
  const there = new Set(readBoxes(init, entry.start + VISUAL_ENTRY_BYTES, entry.end).map(({ type }) => type));
  const more = [...mdcv(hdr), ...clli(hdr)].filter(({ type }) => !there.has(type)).map(({ bytes }) => bytes);
  const added = more.reduce((sum, bytes) => sum + bytes.length, 0);
  const grown = Buffer.concat([init.subarray(0, entry.end), ...more, init.subarray(entry.end)]);
  for (const box of [...around, entry]) grown.writeUInt32BE(box.end - box.start + added, box.start);
  return new Uint8Array(grown);
}

interface NewBox {
  type: string;
  bytes: Uint8Array;
}

function mdcv({ masteringDisplay }: HdrMetadata): NewBox[] {
  if (masteringDisplay === undefined) return [];
  const { chromaticities, max, min } = masteringDisplayIntegers(masteringDisplay);
  const body = Buffer.alloc(24);
  chromaticities.flat().forEach((value, index) => {
    body.writeUInt16BE(value, index * 2);
  });
  body.writeUInt32BE(max, 16);
  body.writeUInt32BE(min, 20);
  return [newBox("mdcv", body)];
}

function clli({ contentLight }: HdrMetadata): NewBox[] {
  if (contentLight === undefined) return [];
  const body = Buffer.alloc(4);
  body.writeUInt16BE(contentLight.max, 0);
  body.writeUInt16BE(contentLight.maxAverage, 2);
  return [newBox("clli", body)];
}

function newBox(type: string, body: Buffer): NewBox {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(header.length + body.length, 0);
  header.write(type, 4, "latin1");
  return { type, bytes: Buffer.concat([header, body]) };
}
