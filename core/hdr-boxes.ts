import { readBoxes } from "./box-reader.ts";
import { masteringDisplayIntegers } from "./hdr-metadata.ts";
import { withEntry } from "./init-entry.ts";
import type { HdrMetadata } from "./source.ts";

/** Length of a visual sample entry before its child boxes, header included (14496-12 12.1.3). */
const VISUAL_ENTRY_BYTES = 86;

/**
 * An init segment whose sample entry also holds `mdcv` and `clli` (14496-12 12.1.6, 12.1.7; Apple HLS authoring 1.8), for
 * players that ask the container and not the stream. Those that are there already stay.
 */
export function withHdrBoxes(init: Uint8Array, hdr: HdrMetadata): Uint8Array {
  return withEntry(init, (entry) => {
    const there = new Set(readBoxes(entry, VISUAL_ENTRY_BYTES).map(({ type }) => type));
    const more = [...mdcv(hdr), ...clli(hdr)].filter(({ type }) => !there.has(type));
    return Buffer.concat([entry, ...more.map(({ bytes }) => bytes)]);
  });
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
