import { z } from "@hono/zod-openapi";
import { ASSET_ERROR_CODES } from "../core/errors.ts";
import { withWaivers } from "../core/findings.ts";
import { titleEvidence } from "../core/ladder-evidence.ts";
import type { AssetRecord } from "../core/records/asset.ts";
import type { Progress } from "../stores/library/progress.ts";
import { instant } from "./contract.ts";
import { encodingView } from "./encoding-choice.ts";
import { ladderView } from "./ladder-view.ts";
import { isPlayable } from "./playable.ts";
import { renditionView } from "./rendition-view.ts";
import { presentSource, sourceView } from "./source-view.ts";
import { presentTrack, trackView } from "./track-view.ts";

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

const posterView = z.object({
  id: z.string(),
  url: z.string(),
  /** The moment of the film that it shows. */
  atSeconds: z.number(),
  /** The one that viewers see, where the title has no artwork of its own. */
  chosen: z.boolean(),
});
export type PosterView = z.infer<typeof posterView>;

/** Why it failed, or how the upload ended that it waited for. */
export const assetError = z.object({
  code: z.enum(ASSET_ERROR_CODES),
  message: z.string(),
  retryable: z.boolean(),
});

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
    error: assetError.nullable(),
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
