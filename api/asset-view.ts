import { z } from "@hono/zod-openapi";
import { withWaivers } from "../core/findings.ts";
import { titleEvidence } from "../core/ladder-evidence.ts";
import { roundToMicros } from "../core/probed-picture.ts";
import { toNumber } from "../core/rational.ts";
import type { AssetRecord } from "../core/records/asset.ts";
import type { Sidecar } from "../core/sidecar.ts";
import type { Source, SourceVideo } from "../core/source.ts";
import { previewedGeneration } from "../core/work.ts";
import type { Progress } from "../stores/library/progress.ts";
import { instant } from "./contract.ts";
import { encodingView } from "./encoding-choice.ts";
import { ladderView } from "./ladder-view.ts";

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
export const subtitleRoles = z.enum(["main", "sdh", "forced", "commentary"]);
/** Of a track of either kind. */
export const trackRoles = z.enum(["main", "commentary", "description", "sdh", "forced"]);

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

const qualityView = z.object({
  metric: z.enum(["ssim", "vmaf"]),
  mean: z.number(),
  p5: z.number(),
  worst: z.object({ segment: z.number().int(), value: z.number() }).optional(),
  frames: z.number().int(),
});

export const renditionView = z.object({
  id: z.string(),
  kind: z.enum(["video", "audio", "subtitle", "image"]),
  codec: z.string(),
  width: z.number().int().optional(),
  height: z.number().int().optional(),
  range: z.enum(["PQ", "HLG"]).optional(),
  /** The master's own coded pictures, cut but not encoded again. */
  isCopied: z.literal(true).optional(),
  language: z.string().optional(),
  label: z.string().optional(),
  role: trackRoles.optional(),
  channels: z.number().int().optional(),
  loudnessLufs: z.number().optional(),
  atSeconds: z.number().optional(),
  cueCount: z.number().int().optional(),
  averageBps: z.number(),
  peakBps: z.number(),
  quality: qualityView.optional(),
  sampledQuality: qualityView.optional(),
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

/** A track that was added: of its file only what a person knows it by. */
export const trackView = z
  .object({
    id: z.string(),
    kind: z.enum(["subtitle", "audio"]),
    language: z.string(),
    label: z.string().nullable(),
    role: z.enum(["main", "sdh", "forced", "commentary", "description"]),
    sizeBytes: z.number().int(),
    createdAt: instant,
  })
  .openapi("AddedTrack");

export const assetView = z
  .object({
    id: z.string(),
    state: assetStates,
    titleId: z.string().optional(),
    filename: z.string(),
    createdAt: instant,
    updatedAt: instant,
    /** Being made, or shown; also in `published` once viewers get it. */
    generation: z.string().nullable(),
    /** What viewers get, also while another generation is being made. */
    published: z.object({ generation: z.string(), at: instant }).nullable(),
    encoding: encodingView,
    /** Added beside the master. */
    tracks: z.array(trackView),
    progress: z.object({
      ratio: z.number().min(0).max(1),
      stage: z.string(),
      playable: z.boolean(),
      /** Until it is ready, at the rate of the last minutes; null where that cannot be told. */
      secondsLeft: z.number().min(0).nullable(),
    }),
    source: sourceView.nullable(),
    findings: z.array(
      z.object({
        code: z.string(),
        severity: z.enum(["info", "warning", "error"]),
        message: z.string(),
        startSeconds: z.number().optional(),
        endSeconds: z.number().optional(),
        /** Of `crop_bars`: the picture within the bars, in samples as shown. */
        region: z
          .object({
            x: z.number().int(),
            y: z.number().int(),
            width: z.number().int(),
            height: z.number().int(),
          })
          .optional(),
        waivedBy: z.string().optional(),
        waivedAt: instant.optional(),
        waivedReason: z.string().optional(),
      }),
    ),
    renditions: z.array(renditionView),
    /** Why it has these rungs, and what they save; null before they are planned. */
    ladder: ladderView.nullable(),
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
    generation: asset.generation ?? asset.published?.generation ?? null,
    published: asset.published && {
      generation: asset.published.generation,
      at: asset.published.at.toISOString(),
    },
    encoding: asset.encoding,
    tracks: asset.sidecars.map(presentTrack),
    progress: { ...progress, playable: isPlayable(asset) },
    source: asset.source === null ? null : presentSource(asset.source),
    findings: withWaivers(asset).map(({ waivedAt, ...finding }) => ({
      ...finding,
      ...(waivedAt === undefined ? {} : { waivedAt: waivedAt.toISOString() }),
    })),
    renditions: asset.renditions,
    ladder: titleEvidence(asset),
    posters,
    error: asset.error,
  };
}

export function presentTrack(sidecar: Sidecar): z.infer<typeof trackView> {
  const { id, kind, language, label, role, sizeBytes, createdAt } = sidecar;
  return { id, kind, language, label, role, sizeBytes, createdAt: createdAt.toISOString() };
}

/** Whether there is a package that a preview can show, or a beginning of one. */
export function isPlayable(asset: AssetRecord): boolean {
  if (asset.state === "deleted") return false;
  return asset.published !== null || isBegun(asset);
}

/** Whether there is something to look at of what is not ready yet. */
export function isBegun(asset: AssetRecord): boolean {
  const { state, preview } = asset;
  return state === "encoding" && preview !== undefined && preview === previewedGeneration(asset);
}

function presentSource({ video, audio, subtitles, facts, ...source }: Source) {
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
