import { z } from "@hono/zod-openapi";
import { DEFAULT_ENCODING, type EncodingChoice } from "../core/encoding.ts";

/** What a request may say of how a master is to be encoded; what it leaves out is as usual. */
export const encodingChoice = z
  .strictObject({
    /** Whole ladders over the same cut points; H.264 is made in any case. */
    codecs: z
      .array(z.enum(["h264", "hevc", "av1"]))
      .min(1)
      .max(3)
      .optional(),
  })
  .openapi("EncodingChoice");

/** The whole choice behind a request's: H.264 first, each codec once. */
export function encodingOf(asked: z.infer<typeof encodingChoice> | undefined): EncodingChoice {
  return { codecs: [...new Set([...DEFAULT_ENCODING.codecs, ...(asked?.codecs ?? [])])] };
}
