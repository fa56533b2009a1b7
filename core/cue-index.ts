import type { ByteRange } from "./byte-ranges.ts";
import { childrenOf, type Element, type Piece, unsignedOf } from "./ebml.ts";
import type { PictureTrack } from "./matroska-tracks.ts";
import { READ_AHEAD_SECONDS, type TimeWindow } from "./source-window.ts";

/**
 * The index of a Matroska or WebM file (RFC 9559 5.1.5): where the picture can be entered. It lists some keyframes and no
 * sizes of frames, so what a stretch of film needs lies between two of them.
 */

export interface Cue {
  seconds: number;
  /** Where the cluster begins that its frame lies in; within the file. */
  clusterAt: number;
}

/** Where the picture of a file can be entered, and what is said of it. */
export interface SourceEntries {
  cues: Cue[];
  picture: PictureTrack;
  /** Of the clock that clusters and blocks count by. */
  secondsOfTick: number;
  sizeBytes: number;
}

/** RFC 9559's names of the elements that are read. */
const ID = {
  cuePoint: 0xbb,
  cueTime: 0xb3,
  cueTrackPositions: 0xb7,
  cueTrack: 0xf7,
  cueClusterPosition: 0xf1,
  timestampScale: 0x2ad7b1,
} as const;
/** RFC 9559 5.1.2.9: nanoseconds of a tick where the file does not say. */
const USUAL_TICK_NANOSECONDS = 1_000_000;
/** What ffmpeg steps back by where pictures are reordered, since these containers keep no times of decoding (3/23 s). */
const STEP_BACK_SECONDS = 0.2;

/** Seconds of a tick, from the segment's `Info`. */
export function tickSeconds(piece: Piece, info: Element): number {
  const [scale] = childrenOf(piece, info, ID.timestampScale);
  const nanoseconds =
    scale === undefined ? USUAL_TICK_NANOSECONDS : unsignedOf(piece.bytes, piece.origin, scale);
  return nanoseconds / 1e9;
}

/** The cues of one track, in order; null where there are none, or they go back. `segmentAt` is what positions count from. */
export function readCues(
  piece: Piece,
  cues: Element,
  track: number,
  secondsOfTick: number,
  segmentAt: number,
): Cue[] | null {
  const read = (element: Element | undefined): number | null =>
    element === undefined ? null : unsignedOf(piece.bytes, piece.origin, element);
  const found = childrenOf(piece, cues, ID.cuePoint).flatMap((point): Cue[] => {
    const ticks = read(childrenOf(piece, point, ID.cueTime)[0]);
    const positions = childrenOf(piece, point, ID.cueTrackPositions).find(
      (one) => read(childrenOf(piece, one, ID.cueTrack)[0]) === track,
    );
    const position = positions && read(childrenOf(piece, positions, ID.cueClusterPosition)[0]);
    if (ticks === null || position == null) return [];
    return [{ seconds: ticks * secondsOfTick, clusterAt: segmentAt + position }];
  });
  const goesBack = found.some(({ seconds, clusterAt }, index) => {
    const before = found[index - 1];
    return before !== undefined && (before.seconds >= seconds || before.clusterAt > clusterAt);
  });
  return found.length === 0 || goesBack ? null : found;
}

/**
 * What is read of the file at most when anything in it is decoded over `window`: whole clusters, from the one that is entered on. Where it ends
 * is looked for in there (transcoder/cluster-window.ts).
 */
export function cueRanges(
  cues: readonly Cue[],
  { startSeconds, endSeconds, isExact }: TimeWindow,
  sizeBytes: number,
): ByteRange[] {
  const latest = startSeconds - (isExact === true ? 0 : STEP_BACK_SECONDS);
  const entry = cues.findLast(({ seconds }) => seconds <= latest) ?? cues[0]!;
  // The next keyframe's cluster may begin with what comes before it; the one after that does not.
  const next = cues.find(({ seconds }) => seconds > endSeconds + READ_AHEAD_SECONDS);
  const behind = next && cues.find(({ clusterAt }) => clusterAt > next.clusterAt);
  return [{ start: entry.clusterAt, end: Math.min(behind?.clusterAt ?? sizeBytes, sizeBytes) }];
}
