import { z } from "@hono/zod-openapi";
import { DEFAULT_ENCODING, type EncodingChoice, PROTECTABLE } from "../core/encoding.ts";
import { invalidFields, requestFailure } from "../core/errors.ts";
import type { ApiConfig } from "./config.ts";

/** What a request may say of how a master is to be encoded; what it leaves out is as usual. */
export const encodingChoice = z
  .strictObject({
    /** Whole ladders over the same cut points; H.264 is made in any case. */
    codecs: z
      .array(z.enum(["h264", "hevc", "av1"]))
      .min(1)
      .max(3)
      .optional(),
    /** What CPU time is worth beside bytes; `fast` where nothing is said. */
    speed: z.enum(["fast", "balanced", "small"]).optional(),
    /** Rungs of the film's own, or those that every film has; `table` where nothing is said. */
    ladder: z.enum(["title", "table"]).optional(),
    /** `backfill`: after all that is `normal`. Where nothing is said, what replaces something on air is `backfill`. */
    lane: z.enum(["normal", "backfill"]).optional(),
    /** Whether encoders in hardware may make the H.264; `never` where nothing is said. */
    hardware: z.enum(["never", "allow"]).optional(),
    /** `never`: also a master that is already what the top rung would be is encoded; `auto` where nothing is said. */
    remux: z.enum(["auto", "never"]).optional(),
    /** `clearkey`: media lies encrypted, and a session of its own is needed to read it; no DRM. Where nothing is said: `none`, or what the asset has when it is made again. */
    protection: z.enum(["none", "clearkey"]).optional(),
  })
  .openapi("EncodingChoice");

/** What was asked for, as it is told. */
export const encodingView = z.object({
  codecs: z.array(z.enum(["h264", "hevc", "av1"])),
  speed: z.enum(["fast", "balanced", "small"]).optional(),
  ladder: z.enum(["title", "table"]).optional(),
  lane: z.enum(["normal", "backfill"]).optional(),
  hardware: z.enum(["never", "allow"]).optional(),
  remux: z.enum(["auto", "never"]).optional(),
  protection: z.literal("clearkey").optional(),
});

/** The whole choice behind a request's: H.264 first, each codec once. Throws where it cannot be made here. */
export function encodingOf(
  asked: z.infer<typeof encodingChoice> | undefined,
  { masterKeys }: Pick<ApiConfig, "masterKeys">,
): EncodingChoice {
  const codecs = [...new Set([...DEFAULT_ENCODING.codecs, ...(asked?.codecs ?? [])])];
  const isProtected = asked?.protection === "clearkey";
  const unprotectable = codecs.filter((codec) => !PROTECTABLE.has(codec));
  if (isProtected && unprotectable.length > 0) {
    const message = `is not to be had together with ${unprotectable.join(", ")}`;
    const fields = [{ path: "encoding.protection", message }];
    throw invalidFields(fields);
  }
  if (isProtected && masterKeys.length === 0)
    throw requestFailure(
      409,
      "protection_unavailable",
      "No master key is set here, so nothing is protected.",
    );
  return {
    codecs,
    ...(asked?.speed === undefined ? {} : { speed: asked.speed }),
    ...(asked?.ladder === undefined ? {} : { ladder: asked.ladder }),
    ...(asked?.lane === undefined ? {} : { lane: asked.lane }),
    ...(asked?.hardware === undefined ? {} : { hardware: asked.hardware }),
    ...(asked?.remux === undefined ? {} : { remux: asked.remux }),
    ...(isProtected ? { protection: "clearkey" } : {}),
  };
}
