import { childrenOf, type Element, type Piece, unsignedOf } from "./ebml.ts";

/** What a Matroska or WebM file says of its tracks (RFC 9559 5.1.4), as far as it is read before a demuxer is asked. */

/** The picture of a file that holds one. */
export interface PictureTrack {
  number: number;
  /** How long each of its frames stands; null where the file does not say that it is one time for all of them, or one that no film has. */
  frameNanoseconds: number | null;
}

const ID = {
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackType: 0x83,
  defaultDuration: 0x23e383,
  codecId: 0x86,
} as const;
const TYPE_VIDEO = 1;
/** A thousand frames a second, and one. */
const SHORTEST_NANOSECONDS = 1e6;
const LONGEST_NANOSECONDS = 1e9;
const LONGEST_CODEC_BYTES = 32;
/** Of these a demuxer knows all once it has seen some frames, as of the same codecs in MP4 (transcoder/source-index.ts). */
const COMMON_CODECS = new Set([
  "V_MPEG4/ISO/AVC",
  "V_MPEGH/ISO/HEVC",
  "V_AV1",
  "V_VP9",
  "A_AAC",
  "A_AC3",
  "A_EAC3",
  "A_FLAC",
  "A_OPUS",
  "A_VORBIS",
  "A_PCM/INT/LIT",
  "S_TEXT/UTF8",
  "S_TEXT/ASS",
]);

/** The one picture among the tracks; null where there are several, or none. */
export function pictureTrack(piece: Piece, tracks: Element): PictureTrack | null {
  const pictures = childrenOf(piece, tracks, ID.trackEntry).flatMap((entry): PictureTrack[] => {
    const read = (id: number): number | null => {
      const [element] = childrenOf(piece, entry, id);
      return element === undefined ? null : unsignedOf(piece.bytes, piece.origin, element);
    };
    const number = read(ID.trackNumber);
    if (number === null || read(ID.trackType) !== TYPE_VIDEO) return [];
    const frameNanoseconds = read(ID.defaultDuration) ?? 0;
    const isUsual = frameNanoseconds >= SHORTEST_NANOSECONDS && frameNanoseconds <= LONGEST_NANOSECONDS;
    return [{ number, frameNanoseconds: isUsual ? frameNanoseconds : null }];
  });
  return pictures.length === 1 ? pictures[0]! : null;
}

/** Whether a demuxer knows all of every track once it has seen the first frames. */
export function areCommonTracks(piece: Piece, tracks: Element): boolean {
  return childrenOf(piece, tracks, ID.trackEntry).every((entry) => {
    const [codec] = childrenOf(piece, entry, ID.codecId);
    if (codec === undefined || codec.end - codec.body > LONGEST_CODEC_BYTES) return false;
    const name = piece.bytes.subarray(codec.body - piece.origin, codec.end - piece.origin);
    return COMMON_CODECS.has(String.fromCharCode(...name));
  });
}
