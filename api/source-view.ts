import { z } from "@hono/zod-openapi";
import { roundToMicros } from "../core/probed-picture.ts";
import { toNumber } from "../core/rational.ts";
import type { Source, SourceVideo } from "../core/source.ts";
import { audioRoles, subtitleRoles } from "./track-view.ts";

/** HDR kind and what the container says of the mastering display and the light (SMPTE ST 2086, CTA-861.3). */
const hdrView = z.object({
  kind: z.enum(["hdr10", "pq", "hlg", "dolby_vision"]),
  maxLuminanceNits: z.number().nullable(),
  minLuminanceNits: z.number().nullable(),
  maxContentLightNits: z.number().nullable(),
  maxAverageLightNits: z.number().nullable(),
});

const streamView = z.object({
  index: z.number().int(),
  kind: z.string(),
  codec: z.string(),
  bitrateBps: z.number().nullable(),
  isIgnored: z.boolean(),
});

/** What was found in the master. */
export const sourceView = z.object({
  durationSeconds: z.number(),
  container: z.string(),
  sizeBytes: z.number().int(),
  sha256: z.string().optional(),
  video: z.object({
    codec: z.string(),
    profile: z.string().nullable(),
    width: z.number().int(),
    height: z.number().int(),
    frameRate: z.number(),
    frameCount: z.number().int(),
    variableFrameRate: z.boolean(),
    rotationDegrees: z.number().int(),
    pixelFormat: z.string(),
    bitDepth: z.number().int(),
    fieldOrder: z.string(),
    codedWidth: z.number().int(),
    codedHeight: z.number().int(),
    /** As `64:45`; `1:1` is square. */
    sampleAspect: z.string(),
    colorTransfer: z.string().nullable(),
    colorPrimaries: z.string().nullable(),
    colorSpace: z.string().nullable(),
    colorRange: z.string().nullable(),
    hdr: hdrView.nullable(),
  }),
  audio: z.array(
    z.object({
      codec: z.string(),
      channels: z.number().int(),
      sampleRateHz: z.number().int(),
      language: z.string(),
      label: z.string().nullable(),
      role: audioRoles,
      /** Against the picture: below 0 it begins before it. */
      startSeconds: z.number(),
      durationSeconds: z.number(),
    }),
  ),
  subtitles: z.array(
    z.object({
      codec: z.string(),
      language: z.string(),
      label: z.string().nullable(),
      role: subtitleRoles,
    }),
  ),
  /** What the container states; null where it states nothing. */
  statedSeconds: z.number().nullable(),
  bitrateBps: z.number().nullable(),
  streams: z.array(streamView),
});

/** The master as its content team sees it: times of sound against the picture. */
export function presentSource({ video, audio, subtitles, facts, ...source }: Source) {
  const { durationSeconds, container, sizeBytes, sha256 } = source;
  return {
    durationSeconds,
    container,
    sizeBytes,
    ...(sha256 === null ? {} : { sha256 }),
    video: { ...presentPicture(video), hdr: facts?.hdr ?? null },
    audio: audio.map(({ codec, channels, sampleRateHz, language, label, role, ...track }) => ({
      codec,
      channels,
      sampleRateHz,
      language,
      label,
      role,
      startSeconds: roundToMicros(track.startSeconds - video.startSeconds),
      durationSeconds: track.durationSeconds,
    })),
    subtitles: subtitles.map(({ codec, language, label, role }) => ({ codec, language, label, role })),
    statedSeconds: facts?.statedSeconds ?? null,
    bitrateBps: facts?.bitrateBps ?? null,
    streams: facts?.streams ?? [],
  };
}

function presentPicture(video: SourceVideo) {
  const { codec, profile, width, height, frameCount, variableFrameRate } = video;
  const { rotationDegrees, pixelFormat, bitDepth, fieldOrder, codedWidth, codedHeight } = video;
  const { colorTransfer, colorPrimaries, colorSpace, colorRange, sampleAspect } = video;
  return {
    codec,
    profile,
    width,
    height,
    frameRate: toNumber(video.frameRate),
    frameCount,
    variableFrameRate,
    rotationDegrees,
    pixelFormat,
    bitDepth,
    fieldOrder,
    codedWidth,
    codedHeight,
    sampleAspect: `${sampleAspect.num}:${sampleAspect.den}`,
    colorTransfer,
    colorPrimaries,
    colorSpace,
    colorRange,
  };
}
