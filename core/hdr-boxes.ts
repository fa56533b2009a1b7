import { readBoxes } from "./box-reader.ts";
import { box, concat, splice } from "./box-writer.ts";
import { masteringDisplayIntegers } from "./hdr-metadata.ts";
import { findSampleEntry, VISUAL_ENTRY_BYTES } from "./sample-entry.ts";
import type { HdrMetadata } from "./source.ts";

/**
 * An init segment whose sample entry also holds `mdcv` and `clli` (14496-12 12.1.6, 12.1.7; Apple HLS authoring 1.8), for
 * players that ask the container and not the stream. Those that are there already stay.
 */
export function withHdrBoxes(init: Uint8Array, hdr: HdrMetadata): Uint8Array {
  const { around, entry } = findSampleEntry(init);
  const there = new Set(readBoxes(init, entry.start + VISUAL_ENTRY_BYTES, entry.end).map(({ type }) => type));
  const more = [...mdcv(hdr), ...clli(hdr)].filter(({ type }) => !there.has(type)).map(({ bytes }) => bytes);
  return splice(init, [...around, entry], entry.end, entry.end, concat(more));
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
  return [{ type: "mdcv", bytes: box("mdcv", [body]) }];
}

function clli({ contentLight }: HdrMetadata): NewBox[] {
  if (contentLight === undefined) return [];
  const body = Buffer.alloc(4);
  body.writeUInt16BE(contentLight.max, 0);
  body.writeUInt16BE(contentLight.maxAverage, 2);
  return [{ type: "clli", bytes: box("clli", [body]) }];
}
