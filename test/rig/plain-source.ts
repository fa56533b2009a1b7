import { rational } from "../../core/rational.ts";
import type { Source } from "../../core/source.ts";

/** What a probe finds in a plain master of this size at 24 frames a second, with so many tracks of stereo. */
export function sourceOf(width: number, height: number, frameCount: number, audioTracks: number): Source {
  const audio = Array.from({ length: audioTracks }, (_, index) => ({
    streamIndex: index + 1,
    codec: "aac",
    channels: 2,
    sampleRateHz: 48_000,
    language: "en",
    label: null,
    role: "main" as const,
    startSeconds: 0,
    durationSeconds: frameCount / 24,
  }));
  const video: Source["video"] = {
    streamIndex: 0,
    codec: "h264",
    profile: "High",
    pixelFormat: "yuv420p",
    bitDepth: 8,
    codedWidth: width,
    codedHeight: height,
    width,
    height,
    sampleAspect: rational(1, 1),
    rotationDegrees: 0,
    frameRate: rational(24, 1),
    frameCount,
    variableFrameRate: false,
    startSeconds: 0,
    fileStartSeconds: 0,
    hasAllTimes: true,
    keyframeSeconds: [0],
    fieldOrder: "progressive",
    colorTransfer: null,
    colorPrimaries: null,
    colorSpace: null,
    colorRange: null,
  };
  return {
    container: "mov",
    sizeBytes: 1,
    sha256: null,
    durationSeconds: frameCount / 24,
    video,
    audio,
    subtitles: [],
  };
}
