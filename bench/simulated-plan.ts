import type { VideoCodec } from "../core/encoding.ts";
import { buildPlan, DEFAULT_PLAN_SETTINGS, type Plan } from "../core/plan.ts";
import { rational } from "../core/rational.ts";
import type { Source } from "../core/source.ts";

/** The plan that the product would make of a film of this length and size at 24 frames, one sound track, plain picture. */
export function planOf(
  seconds: number,
  width: number,
  height: number,
  codecs: VideoCodec[] = ["h264"],
): Plan {
  const source: Source = {
    container: "mov",
    sizeBytes: 1,
    sha256: null,
    durationSeconds: seconds,
    video: {
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
      frameCount: seconds * 24,
      variableFrameRate: false,
      startSeconds: 0,
      fileStartSeconds: 0,
      hasAllTimes: true,
      // Every two seconds, as most cameras and editors write them.
      keyframeSeconds: Array.from({ length: Math.ceil(seconds / 2) }, (_, index) => index * 2),
      fieldOrder: "progressive",
      colorTransfer: null,
      colorPrimaries: null,
      colorSpace: null,
      colorRange: null,
    },
    audio: [
      {
        streamIndex: 1,
        codec: "aac",
        channels: 2,
        sampleRateHz: 48_000,
        language: "en",
        label: null,
        role: "main",
        startSeconds: 0,
        durationSeconds: seconds,
      },
    ],
    subtitles: [],
  };
  return buildPlan(source, { ...DEFAULT_PLAN_SETTINGS, encoding: { codecs } }, "simulated");
}
