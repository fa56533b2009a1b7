import { type Box, readBoxes } from "./box-reader.ts";
import { ascii, box, fullBox, splice, word } from "./box-writer.ts";
import { Failure } from "./errors.ts";
import { AUDIO_ENTRY_BYTES, findSampleEntry, VISUAL_ENTRY_BYTES } from "./sample-entry.ts";

/** What the init segment of a protected track says of its protection (ISO/IEC 23001-7, "common encryption"). */

/** Blocks of 16 bytes: so many encrypted, so many left as they are, over and over. None of both: every whole block is encrypted. */
export interface BlockPattern {
  crypt: number;
  skip: number;
}

export interface TrackProtection {
  /** Four letters; ours is `cbcs`. */
  scheme: string;
  /** 32 lower-case hex digits. */
  keyId: string;
  /** What every protected range begins with; empty where each sample has its own, as ours never do. */
  iv: Uint8Array;
  pattern: BlockPattern;
}

/** 9.6.2, 10.4: one block of ten of a picture. Sound is encrypted whole. */
export const PICTURE_PATTERN: BlockPattern = { crypt: 1, skip: 9 };
export const SOUND_PATTERN: BlockPattern = { crypt: 0, skip: 0 };
const SCHEME = "cbcs";
/** 4.1: version 1.0 of the scheme, 16 bits each. */
const SCHEME_VERSION = 0x00010000;
/** W3C, "cenc" Initialization Data Format: the system whose box holds key ids and nothing else. */
const COMMON_SYSTEM = "1077efecc0b24d02ace33c1e52e2fb4b";
const ENTRIES = { encv: VISUAL_ENTRY_BYTES, enca: AUDIO_ENTRY_BYTES };

/**
 * An init segment whose track is protected: its sample entry renamed, with `sinf` in it (8.1), and a `pssh` that tells a
 * player the key id (8.1.3). Throws where the codec is none that we protect.
 */
export function protectInit(
  init: Uint8Array,
  { keyId, iv, pattern }: Omit<TrackProtection, "scheme">,
): Uint8Array {
  const { around, entry } = findSampleEntry(init);
  const entryType = PROTECTED_ENTRIES[entry.type];
  if (entryType === undefined)
    throw new Failure("ours", "encode_failed", `No way to protect ${entry.type} is known.`);
  const id = Buffer.from(keyId, "hex");
  // 12.2: version 1 exactly where there is a pattern; protected, no IV of each sample's own, the constant one.
  const version = pattern.crypt > 0 ? 1 : 0;
  const blocks = Uint8Array.of(0, pattern.crypt * 16 + pattern.skip, 1, 0);
  const tenc = fullBox("tenc", version, 0, [blocks, id, Uint8Array.of(iv.length), iv]);
  const sinf = box("sinf", [
    box("frma", [ascii(entry.type)]),
    fullBox("schm", 0, 0, [ascii(SCHEME), word(SCHEME_VERSION)]),
    box("schi", [tenc]),
  ]);
  const pssh = fullBox("pssh", 1, 0, [Buffer.from(COMMON_SYSTEM, "hex"), word(1), id, word(0)]);
  // From the end to the front: what was found stays where it was.
  const moov = around[0]!;
  const told = splice(init, [moov], moov.end, moov.end, pssh);
  const grown = splice(
    told,
    [{ ...moov, end: moov.end + pssh.length }, ...around.slice(1), entry],
    entry.end,
    entry.end,
    sinf,
  );
  grown.set(ascii(entryType), entry.start + 4);
  return grown;
}

const PROTECTED_ENTRIES: Record<string, keyof typeof ENTRIES> = {
  avc1: "encv",
  hvc1: "encv",
  mp4a: "enca",
};

/** What the init segment says; null where the track is not protected. Throws where it says half of it. */
export function readProtection(init: Uint8Array): TrackProtection | null {
  const { entry } = findSampleEntry(init);
  const sinf = sinfOf(init, entry);
  if (sinf === null) return null;
  const schm = child(init, sinf, "schm");
  const tenc = child(init, child(init, sinf, "schi"), "tenc");
  const body = init.subarray(tenc.body, tenc.end);
  // 12.2: reserved, pattern, whether it is protected, bytes of a sample's IV; where that is none, the constant one at the end.
  const [version = 0, , , , , blocks = 0, isProtected, ivBytes] = body;
  if (isProtected !== 1) return null;
  const iv = ivBytes === 0 ? body.slice(25, 25 + (body[24] ?? 0)) : new Uint8Array();
  return {
    scheme: String.fromCharCode(...init.subarray(schm.body + 4, schm.body + 8)),
    keyId: Buffer.from(body.subarray(8, 24)).toString("hex"),
    iv,
    pattern: version === 0 ? SOUND_PATTERN : { crypt: blocks >> 4, skip: blocks & 15 },
  };
}

/** The init segment as it was before `protectInit`. */
export function unprotectInit(init: Uint8Array): Uint8Array {
  const { around, entry } = findSampleEntry(init);
  const sinf = sinfOf(init, entry);
  if (sinf === null) return init;
  const moov = around[0]!;
  const pssh = readBoxes(init, moov.body, moov.end)
    .filter(({ type }) => type === "pssh")
    .at(-1);
  const untold = pssh === undefined ? init : splice(init, [moov], pssh.start, pssh.end, new Uint8Array());
  const end = moov.end - (init.length - untold.length);
  const format = child(init, sinf, "frma");
  const plain = splice(
    untold,
    [{ ...moov, end }, ...around.slice(1), entry],
    sinf.start,
    sinf.end,
    new Uint8Array(),
  );
  plain.set(init.subarray(format.body, format.body + 4), entry.start + 4);
  return plain;
}

function sinfOf(init: Uint8Array, entry: Box): Box | null {
  if (entry.type !== "encv" && entry.type !== "enca") return null;
  const inside = readBoxes(init, entry.start + ENTRIES[entry.type], entry.end);
  return inside.find(({ type }) => type === "sinf") ?? null;
}

function child(init: Uint8Array, parent: Box, type: string): Box {
  const found = readBoxes(init, parent.body, parent.end).find((one) => one.type === type);
  if (found === undefined) throw unreadable(`${parent.type} has no ${type}`);
  return found;
}

function unreadable(detail: string): Failure {
  return new Failure("ours", "encode_failed", `The protection of produced media cannot be told: ${detail}.`);
}
