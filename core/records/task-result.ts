import type { CellScores, Window } from "../quality.ts";
import type { ReadPart } from "../read-parts.ts";
import type { SeenPart } from "../seen-parts.ts";
import type { TimeRange } from "../time-ranges.ts";

/** One produced segment: where it lies and what the playlists need to know of it. */
export interface CellRecord {
  /** Object key. */
  key: string;
  /** Index of the segment on the grid. */
  segment: number;
  bytes: number;
  /** Hex SHA-256 of the object. */
  sha256: string;
  /** Exact duration in the track's own timescale. */
  durationTicks: number;
  /** Byte ranges (offset, length) of each keyframe from its `moof` on, for the I-frame playlist. */
  keyframes: { offset: number; length: number; startTicks: number }[];
  /** Of pictures: how like the encoder's input each frame is. */
  ssim?: CellScores;
}

/** One segment of a text track. Its object is gzip; `textBytes` is what a player has unpacked. */
export interface TextCellRecord extends CellRecord {
  textBytes: number;
}

/** A text track: WebVTT segments on the video's grid, in its ticks, and all of it in one file. */
export interface TextResult {
  trackId: string;
  whole: { key: string; bytes: number; textBytes: number; sha256: string };
  cueCount: number;
  cells: TextCellRecord[];
}

/** What a task made: the cells per track and the init segment each of them goes with. */
export interface TaskResult {
  tracks: {
    trackId: string;
    initKey: string;
    initBytes: number;
    initSha256: string;
    /** RFC 6381 codec string, read from the produced init segment. */
    codec: string;
    timescale: number;
    /** Of sound: integrated loudness as encoded; null where it is silent. */
    loudnessLufs?: number | null;
    /** What its gain was to bring it to; null where a limiter had to take something of that. */
    aimedLufs?: number | null;
    /** Of sound: what was heard of the source. */
    heard?: HeardTrack;
    cells: CellRecord[];
  }[];
  images: ImageRecord[];
  /** Of subtitle tasks alone. */
  texts?: TextResult[];
  /** VMAF of the windows that were looked at, rung by rung. */
  scores?: { trackId: string; window: Window; vmaf: number[] }[];
  /** Of a part of the film that was looked at. */
  seen?: SeenPart;
  /** Of a part of the film that was read back from storage. */
  read?: ReadPart;
  /** The decoder complained of the source: it is looked at closely then. */
  isSuspect?: boolean;
}

/** A made picture, or the text that says where in the storyboard's sheets each moment stands. */
export interface ImageRecord {
  kind: "poster" | "sheet" | "storyboard";
  /** Its name without ending, unique in the package. */
  id: string;
  key: string;
  bytes: number;
  /** Hex SHA-256 of the object as stored. */
  sha256: string;
  /** Of a storyboard: of one of its small pictures. */
  width: number;
  height: number;
  /** Of a poster: the moment that it shows. */
  atSeconds?: number;
}

/** A sound track as the source has it, on the film's timeline. */
export interface HeardTrack {
  silences: TimeRange[];
  /** null where it was not measured, or passed no gate. `truePeakDbtp` is null for digital silence. */
  loudness: { integratedLufs: number; truePeakDbtp: number | null } | null;
}
