import type { Rational } from "./rational.ts";
import type { SourceChapter } from "./source-chapters.ts";
import type { TimeRange } from "./time-ranges.ts";

/** A file in the sources bucket that work goes by: reading anything but this ETag is `source_changed`. */
export interface PinnedSource {
  key: string;
  etag: string;
  sizeBytes: number;
  /** Hex SHA-256 as its uploader stated it; checked before anything is made of it. */
  sha256: string | null;
}

/** What was found in a master: made once by the probe, never changed afterwards. */
export interface Source {
  container: string;
  sizeBytes: number;
  sha256: string | null;
  durationSeconds: number;
  video: SourceVideo;
  audio: SourceAudio[];
  subtitles: SourceSubtitle[];
  /** Of a picture that may be sent on as it is; absent where it cannot be. */
  coded?: CodedPicture;
  /** Only both ends have been seen, and nothing of what lies between: good for a preview, until all is described. Absent where it is. */
  isSketch?: true;
  /** What nothing is made from but people want to know; absent from descriptions that were made before it was kept. */
  facts?: SourceFacts;
}

/** H.264 that can be cut on the grid as it stands: closed groups on it, an IDR at every border (core/coded-picture.ts). */
export interface CodedPicture {
  /** The decoder's configuration record (`avcC`), in base64. */
  configuration: string;
  /** Coded bytes of each segment of the grid. */
  segmentBytes: number[];
}

export interface SourceFacts {
  /** What the container states of its length, and what its packets cover. */
  statedSeconds: number | null;
  heldSeconds: number;
  bitrateBps: number | null;
  streams: SourceStream[];
  hdr: HdrFacts | null;
  /** Where the file holds no picture, from the first picture on. */
  gaps: TimeRange[];
  /** Absent from descriptions that were made before they were kept. */
  chapters?: SourceChapter[];
}

export interface SourceStream {
  index: number;
  /** ffprobe's `codec_type`: video, audio, subtitle, data, attachment. */
  kind: string;
  codec: string;
  bitrateBps: number | null;
  /** Nothing is made of it and it is not what ordinary files carry along. */
  isIgnored: boolean;
}

export interface HdrFacts {
  /** `pq` is HDR10 without its static metadata in the container. */
  kind: "hdr10" | "pq" | "hlg" | "dolby_vision";
  maxLuminanceNits: number | null;
  minLuminanceNits: number | null;
  maxContentLightNits: number | null;
  maxAverageLightNits: number | null;
}

export interface SourceVideo {
  /** Index of the stream in the container, for `-map 0:<index>`. */
  streamIndex: number;
  codec: string;
  profile: string | null;
  pixelFormat: string;
  bitDepth: number;
  /** Stored size in samples, before sample aspect and rotation. */
  codedWidth: number;
  codedHeight: number;
  /** Size as a person sees it: square pixels, rotation applied. Both ≥ 1, not yet even. */
  width: number;
  height: number;
  sampleAspect: Rational;
  rotationDegrees: 0 | 90 | 180 | 270;
  /** The rate that the timeline uses, exact. */
  frameRate: Rational;
  /** Frames on the timeline at that rate. */
  frameCount: number;
  /** false: every frame's time is within half a frame of its place at `frameRate`; true: frames must be re-timed. */
  variableFrameRate: boolean;
  /** Presentation time of the first frame on the file's own clock, and the file's earliest time over all streams. */
  startSeconds: number;
  fileStartSeconds: number;
  /** false: the file leaves times of showing out, and they were derived from those of decoding. */
  hasAllTimes: boolean;
  /** Only both ends of the film and its keyframes have been seen: frames between may be missing. Absent where all have been. */
  isReckoned?: true;
  /** Of a reckoned film: a decoder of the file shows pictures in another order than they lie in; ffmpeg then steps back when it seeks. */
  stepsBack?: boolean;
  /** Presentation times of the keyframes, in seconds from the first frame. */
  keyframeSeconds: number[];
  /** Of a transport stream that can be read in parts; absent where it cannot be, and for all other containers. */
  entries?: StreamEntries;
  fieldOrder: string;
  colorTransfer: string | null;
  colorPrimaries: string | null;
  colorSpace: string | null;
  colorRange: string | null;
  /** HDR10's static metadata; absent where the file carries none. */
  hdr?: HdrMetadata;
}

/** Where the picture of a transport stream can be entered (core/stream-entries.ts). */
export interface StreamEntries {
  /** The packet identifier (ISO/IEC 13818-1 2.4.3.2) of the picture. */
  packetId: number;
  /** A decoder of the file shows pictures in another order than they lie in: ffmpeg then steps back when it seeks. */
  stepsBack: boolean;
  /** When each keyframe is decoded, in seconds from the first frame that is shown; ascending. */
  decodeSeconds: number[];
  /** Where the packet that begins it lies in the file; ascending. */
  at: number[];
  /**
   * Of a film that was not read whole, where each of the few that were looked for is to be cut before: from each on every picture comes out whole, and
   * `keyframeSeconds` are theirs, one by one. Absent where all were seen.
   */
  leadAt?: number[];
}

/** CIE 1931 chromaticity. */
export interface Chromaticity {
  x: number;
  y: number;
}

/** What a PQ master was graded on (SMPTE ST 2086) and how bright it gets (CTA-861.3); each may be missing. */
export interface HdrMetadata {
  masteringDisplay?: {
    red: Chromaticity;
    green: Chromaticity;
    blue: Chromaticity;
    white: Chromaticity;
    /** In cd/m². */
    minLuminance: number;
    maxLuminance: number;
  };
  /** In cd/m²: the brightest pixel (MaxCLL) and the brightest frame on average (MaxFALL). */
  contentLight?: { max: number; maxAverage: number };
}

/** What a sound track is for: the film's own sound, talk over it, or a description for people who do not see it. */
export type AudioRole = "main" | "commentary" | "description";

export interface SourceAudio {
  streamIndex: number;
  codec: string;
  channels: number;
  sampleRateHz: number;
  /** BCP-47; `und` where the file does not say. */
  language: string;
  label: string | null;
  role: AudioRole;
  startSeconds: number;
  durationSeconds: number;
}

/** `main` translates what is spoken, `sdh` also tells what is heard, `forced` only what the viewer must read. */
export type SubtitleRole = "main" | "sdh" | "forced" | "commentary";

export interface SourceSubtitle {
  streamIndex: number;
  codec: string;
  language: string;
  label: string | null;
  role: SubtitleRole;
}

/** Containers that list their keyframes. In others a seek lands anywhere, and pictures are grey until the next one. */
const INDEXED = new Set(["mov", "mp4", "matroska", "webm"]);

/** Whether a seek lands where it is told to. */
export function isIndexed({ container }: Pick<Source, "container">): boolean {
  return container.split(",").some((name) => INDEXED.has(name));
}

/** Whether it is known where a sound's pieces lie of a stretch of film: what a chunk leaves of them others need not read. */
export function leavesItsSound({ container, video }: Source): boolean {
  return container.split(",").some((name) => name === "mov" || name === "mp4") || video.isReckoned === true;
}
