import { readBoxes } from "../box-reader.ts";
import { codecString } from "../codec-string.ts";
import { AUDIO_ENTRY_BYTES, VISUAL_ENTRY_BYTES } from "../sample-entry.ts";
import { readSps } from "./sps.ts";

/** What the decoder configuration in an init segment says of the elementary stream. */
export interface CodecFacts {
  /** RFC 6381; null where the sample entry is not one that we know. */
  codec: string | null;
  /** H.264 profile_idc, HEVC general_profile_idc, AV1 seq_profile; 0 for sound. */
  profile: number;
  /** Level as people write it, times ten (4.1 is 41); 0 for sound. */
  level: number;
  highTier: boolean;
  /** Coded as whole frames; null where the configuration does not tell. */
  progressive: boolean | null;
  /** H.264: num_ref_frames; 0 elsewhere. */
  referenceFrames: number;
  /** ISO/IEC 23091-2 codes; null where not stated. */
  primaries: number | null;
  transfer: number | null;
  /** Payload types of the SEI messages in hvcC (HEVC D.2: 137 mastering display, 144 content light). */
  messages: number[];
  /** Names of the boxes beside the configuration (`mdcv`, `clli`, `ludt`, …). */
  boxes: string[];
  /** AAC: whether SBR is signalled explicitly; null for everything else. */
  explicitSbr: boolean | null;
}

const VISUAL = new Set(["avc1", "avc3", "hvc1", "hev1", "dvh1", "dvhe", "av01", "mjpg"]);

/** Reads the configuration record of an init segment's one sample entry. */
export function readCodecFacts(init: Uint8Array, sampleEntry: string, entry: Uint8Array): CodecFacts {
  const header = VISUAL.has(sampleEntry) ? VISUAL_ENTRY_BYTES : AUDIO_ENTRY_BYTES;
  const children = entry.length >= header ? readBoxes(entry, header) : [];
  const child = (type: string): Uint8Array | null => {
    const box = children.find((one) => one.type === type);
    return box ? entry.subarray(box.body, box.end) : null;
  };
  const facts: CodecFacts = {
    codec: codecOf(init),
    profile: 0,
    level: 0,
    highTier: false,
    progressive: null,
    referenceFrames: 0,
    ...colour(child("colr")),
    messages: [],
    boxes: [...children.map((box) => box.type), ...userBoxes(init)],
    explicitSbr: null,
  };
  const avcC = child("avcC");
  if (avcC) return { ...facts, ...fromAvc(avcC, facts) };
  const hvcC = child("hvcC");
  // 14496-15 8.3.3.1: profile byte, 6 + 5 bytes of flags and constraints, level in thirtieths.
  if (hvcC) {
    return {
      ...facts,
      profile: hvcC[1]! & 0x1f,
      messages: seiMessages(hvcC),
      highTier: (hvcC[1]! & 0x20) !== 0,
      level: Math.round(hvcC[12]! / 3),
      // general_progressive_source_flag without general_interlaced_source_flag.
      progressive: (hvcC[6]! & 0xc0) === 0x80 ? true : (hvcC[6]! & 0x40) === 0 ? null : false,
    };
  }
  const av1C = child("av1C");
  if (av1C) {
    const index = av1C[1]! & 0x1f;
    const level = 20 + (index >> 2) * 10 + (index & 3);
    return { ...facts, profile: av1C[1]! >> 5, level, highTier: av1C[2]! >> 7 === 1, progressive: true };
  }
  const sbr = facts.codec === "mp4a.40.5" || facts.codec === "mp4a.40.29";
  return facts.codec?.startsWith("mp4a.40") ? { ...facts, explicitSbr: sbr } : facts;
}

function codecOf(init: Uint8Array): string | null {
  try {
    return codecString(init);
  } catch {
    return null;
  }
}

function fromAvc(avcC: Uint8Array, known: CodecFacts): Partial<CodecFacts> {
  const length = (avcC[6]! << 8) | avcC[7]!;
  const sps = readSps(avcC.subarray(8, 8 + length));
  return {
    profile: avcC[1]!,
    level: avcC[3]!,
    progressive: sps.frameMbsOnly,
    referenceFrames: sps.referenceFrames,
    primaries: known.primaries,
    transfer: known.transfer,
  };
}

/** HEVC table 7-1: PREFIX_SEI_NUT. */
const PREFIX_SEI = 39;

/** 14496-15 8.3.3.1: after 22 bytes the arrays of NAL units, each with its type, count and lengths. */
function seiMessages(hvcC: Uint8Array): number[] {
  const view = new DataView(hvcC.buffer, hvcC.byteOffset, hvcC.byteLength);
  const found: number[] = [];
  let at = 23;
  for (let arrays = hvcC[22] ?? 0; arrays > 0 && at + 3 <= hvcC.length; arrays--) {
    const type = hvcC[at]! & 0x3f;
    let units = view.getUint16(at + 1);
    for (at += 3; units > 0 && at + 5 <= hvcC.length; units--, at += 2 + view.getUint16(at))
      // Two bytes of NAL header, then the type of its first message (below 255: one byte).
      if (type === PREFIX_SEI) found.push(hvcC[at + 4]!);
  }
  return found;
}

/** 14496-12 12.1.5: `nclx`, then primaries, transfer and matrix of 16 bits each. */
function colour(colr: Uint8Array | null): { primaries: number | null; transfer: number | null } {
  if (colr === null || String.fromCharCode(...colr.subarray(0, 4)) !== "nclx")
    return { primaries: null, transfer: null };
  return { primaries: (colr[4]! << 8) | colr[5]!, transfer: (colr[6]! << 8) | colr[7]! };
}

/** Boxes in the track's `udta`, where loudness (`ludt`) lives (14496-12 12.2.7). */
function userBoxes(init: Uint8Array): string[] {
  const inside = (path: readonly string[], from = 0, to = init.length): string[] => {
    const [name, ...rest] = path;
    const boxes = readBoxes(init, from, to);
    if (name === undefined) return boxes.map((box) => box.type);
    return boxes.filter((box) => box.type === name).flatMap((box) => inside(rest, box.body, box.end));
  };
  return inside(["moov", "trak", "udta"]);
}
