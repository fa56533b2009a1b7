import { invalidFields } from "../core/errors.ts";
import type { UploadRecord } from "../core/records/upload.ts";
import { closed } from "./complete-upload.ts";
import type { ApiDeps } from "./deps.ts";
import { partLength } from "./upload-parts.ts";

/** Presigned URLs for parts of an open upload. Throws 400 on a part that it does not have, 409 where it is closed. */
export async function signParts(
  { library, blobs, config }: ApiDeps,
  upload: UploadRecord,
  wanted: { partNumber: number; sha256: string }[],
) {
  if (upload.state !== "open") throw closed(upload.state);
  const now = library.serverNow();
  if (upload.expiresAt <= now) throw closed("expired");
  const unknown = wanted.flatMap(({ partNumber }, index) =>
    partNumber > upload.partCount
      ? [{ path: `parts.${index}.partNumber`, message: `must be ≤${upload.partCount}` }]
      : [],
  );
  if (unknown.length > 0) throw invalidFields(unknown);
  const expiresInSeconds = config.uploads.partUrlSeconds;
  const expiresAt = new Date(now.getTime() + expiresInSeconds * 1000).toISOString();
  return Promise.all(
    wanted.map(async ({ partNumber, sha256 }) => {
      const { url, headers } = await blobs.presignPart({
        key: upload.sourceKey,
        multipartId: upload.multipartId,
        partNumber,
        sizeBytes: partLength(upload, partNumber),
        sha256Base64: sha256,
        expiresInSeconds,
      });
      return { partNumber, url, method: "PUT" as const, headers, expiresAt };
    }),
  );
}
