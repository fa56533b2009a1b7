import { z } from "@hono/zod-openapi";
import { toNumber } from "../core/rational.ts";
import type { AssetRecord } from "../core/records.ts";
import type { Source } from "../core/source.ts";
import type { Progress } from "../stores/library/progress.ts";
import { instant } from "./contract.ts";

export const assetStates = z.enum([
  "waiting",
  "queued",
  "probing",
  "encoding",
  "ready",
  "failed",
  "cancelled",
  "deleted",
]);

export const audioRoles = z.enum(["main", "commentary", "description"]);

const sourceView = z.object({
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
    colorTransfer: z.string().nullable(),
  }),
  audio: z.array(
    z.object({
      codec: z.string(),
      channels: z.number().int(),
      sampleRateHz: z.number().int(),
      language: z.string(),
      label: z.string().nullable(),
      role: audioRoles,
    }),
  ),
  subtitles: z.array(z.object({ codec: z.string(), language: z.string(), label: z.string().nullable() })),
});

export const renditionView = z.object({
  id: z.string(),
  kind: z.enum(["video", "audio", "subtitle", "image"]),
  codec: z.string(),
  width: z.number().int().optional(),
  height: z.number().int().optional(),
  language: z.string().optional(),
  label: z.string().optional(),
  role: audioRoles.optional(),
  channels: z.number().int().optional(),
  loudnessLufs: z.number().optional(),
  atSeconds: z.number().optional(),
  averageBps: z.number(),
  peakBps: z.number(),
  quality: z.object({ metric: z.string(), mean: z.number(), p5: z.number() }).optional(),
  bytes: z.number().int(),
});

const posterView = z.object({
  id: z.string(),
  url: z.string(),
  /** The moment of the film that it shows. */
  atSeconds: z.number(),
  /** The one that viewers see, where the title has no artwork of its own. */
  chosen: z.boolean(),
});
export type PosterView = z.infer<typeof posterView>;

export const assetView = z
  .object({
    id: z.string(),
    state: assetStates,
    titleId: z.string().optional(),
    filename: z.string(),
    createdAt: instant,
    updatedAt: instant,
    generation: z.string().nullable(),
    progress: z.object({ ratio: z.number().min(0).max(1), stage: z.string(), playable: z.boolean() }),
    source: sourceView.nullable(),
    findings: z.array(
      z.object({
        code: z.string(),
        severity: z.enum(["info", "warning", "error"]),
        message: z.string(),
        startSeconds: z.number().optional(),
        endSeconds: z.number().optional(),
        waivedBy: z.string().optional(),
      }),
    ),
    renditions: z.array(renditionView),
    posters: z.array(posterView),
    error: z.object({ code: z.string(), message: z.string(), retryable: z.boolean() }).nullable(),
  })
  .openapi("Asset");
export type AssetView = z.infer<typeof assetView>;

/** The asset as its content team sees it. */
export function presentAsset(asset: AssetRecord, progress: Progress, posters: PosterView[]): AssetView {
  return {
    id: asset._id,
    state: asset.state,
    ...(asset.titleId === null ? {} : { titleId: asset.titleId }),
    filename: asset.filename,
    createdAt: asset.createdAt.toISOString(),
    updatedAt: asset.updatedAt.toISOString(),
    generation: asset.generation,
    progress: { ...progress, playable: isPlayable(asset) },
    source: asset.source === null ? null : presentSource(asset.source),
    findings: asset.findings,
    renditions: asset.renditions,
    posters,
    error: asset.error,
  };
}

/** Whether there is a package that a preview can show. */
export function isPlayable(asset: Pick<AssetRecord, "state" | "published">): boolean {
  return asset.published !== null && asset.state !== "deleted";
}

function presentSource({ durationSeconds, container, sizeBytes, sha256, video, audio, subtitles }: Source) {
  const { codec, profile, width, height, frameCount, variableFrameRate } = video;
  const { rotationDegrees, pixelFormat, bitDepth, colorTransfer } = video;
  const frameRate = toNumber(video.frameRate);
  return {
    durationSeconds,
    container,
    sizeBytes,
    ...(sha256 === null ? {} : { sha256 }),
    video: {
      codec,
      profile,
      width,
      height,
      frameRate,
      frameCount,
      variableFrameRate,
      rotationDegrees,
      pixelFormat,
      bitDepth,
      colorTransfer,
    },
    audio: audio.map(({ codec, channels, sampleRateHz, language, label, role }) => ({
      codec,
      channels,
      sampleRateHz,
      language,
      label,
      role,
    })),
    subtitles: subtitles.map(({ codec, language, label }) => ({ codec, language, label })),
  };
}
