import { z } from "@hono/zod-openapi";
import { titleEvidence } from "../core/ladder-evidence.ts";
import type { AssetRecord } from "../core/records/asset.ts";
import { trackRoles } from "./track-view.ts";

const qualityView = z.object({
  metric: z.enum(["ssim", "vmaf"]),
  mean: z.number(),
  p5: z.number(),
  worst: z.object({ segment: z.number().int(), value: z.number() }).optional(),
  frames: z.number().int(),
});

/** One rung, track or set of pictures of a package. */
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

/** How good a rung of pictures came out, and what it saves against the fixed table, as far as that is known. */
export const rungScore = renditionView.pick({ id: true, quality: true, sampledQuality: true }).extend({
  savedBytes: z.number().int().optional(),
});

/** The scores of the asset's pictures, as the asset itself tells them. */
export function presentScores(asset: AssetRecord): z.infer<typeof rungScore>[] {
  const rungs = titleEvidence(asset)?.ladders.flatMap((ladder) => ladder.rungs) ?? [];
  const saved = new Map(rungs.map(({ id, savedBytes }) => [id, savedBytes]));
  return asset.renditions
    .filter(({ kind }) => kind === "video")
    .map(({ id, quality, sampledQuality }) => {
      const savedBytes = saved.get(id);
      return {
        id,
        ...(quality === undefined ? {} : { quality }),
        ...(sampledQuality === undefined ? {} : { sampledQuality }),
        ...(savedBytes == null ? {} : { savedBytes }),
      };
    });
}
