import type { MeasuredBitrate } from "./bitrate.ts";
import type { VideoRange } from "./ladder.ts";
import type { AudioRole, SubtitleRole } from "./source.ts";

/** Pictures for seeking: of a variant's keyframes, or made for that alone. */
export interface IFrameVariant {
  iFrameUri: string;
  codec: string;
  /** Variants of one ladder stand together; which of them are which. */
  ladderId: string;
  range: VideoRange;
  width: number;
  height: number;
  iFrameMeasured: MeasuredBitrate;
}

export interface VideoVariant extends IFrameVariant {
  uri: string;
  measured: MeasuredBitrate;
}

export interface AudioRendition {
  uri: string;
  name: string;
  language: string;
  role: AudioRole;
  codec: string;
  channels: number;
  measured: MeasuredBitrate;
}

export interface SubtitleRendition {
  uri: string;
  name: string;
  language: string;
  role: SubtitleRole;
  measured: MeasuredBitrate;
}
