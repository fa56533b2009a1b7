import { type Box, readBoxes, readInit } from "./box-reader.ts";
import { Failure } from "./errors.ts";

/** Length of a visual and an audio sample entry before their child boxes, header included (14496-12 12.1.3, 12.2.3). */
const VISUAL_ENTRY_BYTES = 86;
const AUDIO_ENTRY_BYTES = 36;

/** The RFC 6381 string of an init segment's one track, from its own configuration record. */
export function codecString(init: Uint8Array): string {
  const { sampleEntry, sampleEntryBytes: entry } = readInit(init);
  if (sampleEntry === "avc1") return avcString(entry);
  if (sampleEntry === "mp4a") return aacString(entry);
  throw new Failure("ours", "encode_failed", `No codec string is known for ${sampleEntry}.`);
}

/** ISO/IEC 14496-15 E.3: profile, constraint flags and level, two hex digits each. */
function avcString(entry: Uint8Array): string {
  const avcC = child(entry, VISUAL_ENTRY_BYTES, "avcC");
  const hex = [1, 2, 3].map((at) => entry[avcC.body + at]!.toString(16).padStart(2, "0"));
  return `avc1.${hex.join("")}`;
}

/** RFC 6381 3.3: `mp4a.`, the object type (40 = MPEG-4 audio), and the audio object type of the AudioSpecificConfig. */
function aacString(entry: Uint8Array): string {
  const esds = child(entry, AUDIO_ENTRY_BYTES, "esds");
  const descriptors = entry.subarray(esds.body + 4, esds.end);
  const decoderConfig = find(descriptors, 0x04);
  const objectType = decoderConfig[0]!.toString(16).padStart(2, "0");
  const specific = find(decoderConfig.subarray(13), 0x05);
  // 14496-3 1.6.2.1: five bits; 31 announces six more.
  const short = specific[0]! >> 3;
  const audioObjectType = short === 31 ? 32 + (((specific[0]! & 7) << 3) | (specific[1]! >> 5)) : short;
  return `mp4a.${objectType}.${audioObjectType}`;
}

function child(entry: Uint8Array, headerBytes: number, type: string): Box {
  const found = readBoxes(entry, headerBytes).find((box) => box.type === type);
  if (found === undefined) throw new Failure("ours", "encode_failed", `The sample entry has no ${type}.`);
  return found;
}

/** The content of the descriptor with this tag (14496-1 8.3.3: sizes of seven bits a byte), also inside an ES descriptor. */
function find(bytes: Uint8Array, tag: number): Uint8Array {
  for (let at = 0; at < bytes.length; ) {
    const current = bytes[at++]!;
    let size = 0;
    for (let more = true; more; ) {
      const byte = bytes[at++] ?? 0;
      size = (size << 7) | (byte & 0x7f);
      more = (byte & 0x80) !== 0;
    }
    const content = bytes.subarray(at, at + size);
    if (current === tag) return content;
    // 14496-1 7.2.6.5: an ES descriptor's own fields are three bytes here; descriptors follow.
    if (current === 0x03) return find(content.subarray(3), tag);
    at += size;
  }
  throw new Failure("ours", "encode_failed", "The esds box lacks a descriptor.");
}
