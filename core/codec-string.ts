import { type Box, readBoxes } from "./box-reader.ts";
import { Failure } from "./errors.ts";
import { readInit } from "./init-segment.ts";
import { AUDIO_ENTRY_BYTES, VISUAL_ENTRY_BYTES } from "./sample-entry.ts";

/** The RFC 6381 string of an init segment's one track, from its own configuration record. */
export function codecString(init: Uint8Array): string {
  const { sampleEntry, sampleEntryBytes: entry } = readInit(init);
  switch (sampleEntry) {
    case "avc1":
    case "avc3":
      return avcString(sampleEntry, child(entry, VISUAL_ENTRY_BYTES, "avcC"));
    case "hvc1":
    case "hev1":
      return hevcString(sampleEntry, child(entry, VISUAL_ENTRY_BYTES, "hvcC"));
    case "av01":
      return av1String(child(entry, VISUAL_ENTRY_BYTES, "av1C"));
    case "mp4a":
      return aacString(child(entry, AUDIO_ENTRY_BYTES, "esds"));
    default:
      throw unreadable(`no codec string is known for ${sampleEntry}`);
  }
}

/** ISO/IEC 14496-15 E.3: profile, constraint flags and level, two hex digits each. */
function avcString(entry: string, avcC: Uint8Array): string {
  return `${entry}.${[1, 2, 3].map((at) => hex(byte(avcC, at), 2).toLowerCase()).join("")}`;
}

/**
 * ISO/IEC 14496-15 E.3: profile space and profile, compatibility flags with their bits in reverse order, tier and
 * level, then the constraint bytes without the zero ones at their end.
 */
function hevcString(entry: string, hvcC: Uint8Array): string {
  const profile = byte(hvcC, 1);
  const space = ["", "A", "B", "C"][profile >> 6];
  const tier = profile & 0x20 ? "H" : "L";
  const compatibility = [2, 3, 4, 5].map((at) => byte(hvcC, at).toString(2).padStart(8, "0")).join("");
  const reversed = Number.parseInt([...compatibility].reverse().join(""), 2);
  const constraints = [6, 7, 8, 9, 10, 11].map((at) => byte(hvcC, at));
  while (constraints.at(-1) === 0) constraints.pop();
  return [
    entry,
    `${space}${profile & 0x1f}`,
    hex(reversed, 1),
    `${tier}${byte(hvcC, 12)}`,
    ...constraints.map((one) => hex(one, 1)),
  ].join(".");
}

/** AV1 in ISOBMFF, "Codecs Parameter String": profile, level with tier, bit depth; the rest is left at its defaults. */
function av1String(av1C: Uint8Array): string {
  const profile = byte(av1C, 1) >> 5;
  const level = String(byte(av1C, 1) & 0x1f).padStart(2, "0");
  const flags = byte(av1C, 2);
  const isHighBitDepth = (flags & 0x40) !== 0;
  const isTwelveBit = (flags & 0x20) !== 0;
  const bitDepth = isTwelveBit ? "12" : isHighBitDepth ? "10" : "08";
  return `av01.${profile}.${level}${flags & 0x80 ? "H" : "M"}.${bitDepth}`;
}

/** RFC 6381 3.3: `mp4a.`, the object type (40 = MPEG-4 audio), and the audio object type of the AudioSpecificConfig. */
function aacString(esds: Uint8Array): string {
  const decoderConfig = find(esds.subarray(4), 0x04);
  const objectType = hex(byte(decoderConfig, 0), 2);
  const specific = find(decoderConfig.subarray(13), 0x05);
  // 14496-3 1.6.2.1: five bits; 31 announces six more.
  const short = byte(specific, 0) >> 3;
  const audioObjectType =
    short === 31 ? 32 + (((byte(specific, 0) & 7) << 3) | (byte(specific, 1) >> 5)) : short;
  return `mp4a.${objectType}.${audioObjectType}`;
}

function child(entry: Uint8Array, headerBytes: number, type: string): Uint8Array {
  const found: Box | undefined = readBoxes(entry, headerBytes).find((box) => box.type === type);
  if (found === undefined) throw unreadable(`the sample entry has no ${type}`);
  return entry.subarray(found.body, found.end);
}

/** The content of the descriptor with this tag (14496-1 8.3.3: sizes of seven bits a byte), also inside an ES descriptor. */
function find(bytes: Uint8Array, tag: number): Uint8Array {
  for (let at = 0; at < bytes.length; ) {
    const current = byte(bytes, at++);
    let size = 0;
    for (let more = true; more; ) {
      const next = byte(bytes, at++);
      size = (size << 7) | (next & 0x7f);
      more = (next & 0x80) !== 0;
    }
    const content = bytes.subarray(at, at + size);
    if (current === tag) return content;
    // 14496-1 7.2.6.5: an ES descriptor's own fields are three bytes here; descriptors follow.
    if (current === 0x03) return find(content.subarray(3), tag);
    at += size;
  }
  throw unreadable("the esds box lacks a descriptor");
}

function byte(bytes: Uint8Array, at: number): number {
  const value = bytes[at];
  if (value === undefined) throw unreadable("a codec's configuration is cut off");
  return value;
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0");
}

function unreadable(detail: string): Failure {
  return new Failure("ours", "encode_failed", `The codec of produced media cannot be told: ${detail}.`);
}
