import { z } from "@hono/zod-openapi";
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
