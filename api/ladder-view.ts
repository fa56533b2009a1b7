import { z } from "@hono/zod-openapi";

const trialPoint = z.object({
  width: z.number().int(),
  height: z.number().int(),
  crf: z.number().int(),
  averageBps: z.number(),
  score: z.number(),
});

/** Why an asset has its rungs: what trial encodes told, what was foretold, what came out (core/ladder-evidence.ts). */
export const ladderView = z
  .object({
    /** How many windows of the film were tried; 0 where none was. */
    windowCount: z.number().int(),
    ladders: z.array(
      z.object({
        id: z.string(),
        codec: z.enum(["h264", "hevc", "av1"]),
        chosenBy: z.enum(["title", "table"]),
        metric: z.enum(["ssim", "vmaf"]).nullable(),
        targetScore: z.number().nullable(),
        points: z.array(trialPoint),
        /** The best of every rate, cheapest first. */
        edge: z.array(trialPoint),
        rungs: z.array(
          z.object({
            id: z.string(),
            width: z.number().int(),
            height: z.number().int(),
            predicted: z.object({ averageBps: z.number(), score: z.number() }).nullable(),
            averageBps: z.number().nullable(),
            fixedTableBps: z.number().nullable(),
            savedBytes: z.number().int().nullable(),
          }),
        ),
      }),
    ),
  })
  .openapi("Ladder");
