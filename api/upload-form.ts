import { z } from "@hono/zod-openapi";
import type { UploadRecord } from "../core/records/upload.ts";
import { instant } from "./contract.ts";
import { encodingChoice } from "./encoding-choice.ts";
import { trackLabel, trackLanguage } from "./track-form.ts";
import { audioRoles } from "./track-view.ts";
import { MAX_SOURCE_BYTES } from "./upload-parts.ts";

/** What requests and answers say of an upload. */

export const newUpload = z
  .strictObject({
    filename: z.string().min(1).max(255),
    sizeBytes: z.number().int().min(1).max(MAX_SOURCE_BYTES),
    contentType: z
      .string()
      .max(100)
      .regex(/^[\w.+-]+\/[\w.+-]+$/)
      .optional(),
    sha256: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/)
      .optional(),
    titleId: z.string().min(1).max(100).optional(),
    encoding: encodingChoice.optional(),
    /** Another master for an asset that is there. */
    assetId: z.string().min(1).max(100).optional(),
    /** Sound beside the master of an asset that is there. */
    track: z
      .strictObject({
        assetId: z.string().min(1).max(100),
        kind: z.literal("audio"),
        language: trackLanguage,
        label: trackLabel,
        role: audioRoles.optional(),
      })
      .optional(),
  })
  .refine(
    ({ assetId, track, titleId, encoding }) =>
      [assetId, track, titleId ?? encoding].filter((given) => given !== undefined).length <= 1,
    { path: ["assetId"], message: "goes neither with a track nor with what is said of a new asset" },
  )
  .openapi("NewUpload");

const uploadFacts = {
  id: z.string(),
  assetId: z.string(),
  state: z.enum(["open", "completed", "aborted", "expired"]),
  partSizeBytes: z.number().int(),
  partCount: z.number().int(),
  expiresAt: instant,
};
export const openedUpload = z.object(uploadFacts).openapi("OpenedUpload");
export type OpenedUpload = z.infer<typeof openedUpload>;
export const uploadStatus = z
  .object({
    ...uploadFacts,
    filename: z.string(),
    sizeBytes: z.number().int(),
    parts: z.array(z.object({ partNumber: z.number().int(), sizeBytes: z.number().int(), etag: z.string() })),
  })
  .openapi("Upload");
export type UploadStatus = z.infer<typeof uploadStatus>;

export const wantedParts = z
  .strictObject({
    parts: z
      .array(
        z.strictObject({
          partNumber: z.number().int().min(1).max(10_000),
          // 32 bytes in base64.
          sha256: z.string().regex(/^[A-Za-z0-9+/]{43}=$/),
        }),
      )
      .min(1)
      .max(100),
  })
  .openapi("WantedParts");
export const signedParts = z
  .object({
    parts: z.array(
      z.object({
        partNumber: z.number().int(),
        url: z.string(),
        method: z.literal("PUT"),
        headers: z.record(z.string(), z.string()),
        expiresAt: instant,
      }),
    ),
  })
  .openapi("SignedParts");
export type SignedParts = z.infer<typeof signedParts>;

/** What every answer says of an upload. */
export function presentUpload(upload: UploadRecord) {
  const { _id: id, assetId, state, partSizeBytes, partCount, expiresAt } = upload;
  return { id, assetId, state, partSizeBytes, partCount, expiresAt: expiresAt.toISOString() };
}
