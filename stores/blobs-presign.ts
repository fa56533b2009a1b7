import type { S3Client } from "@aws-sdk/client-s3";
import { S3RequestPresigner } from "@aws-sdk/s3-request-presigner";

/** What of a part is bound by its signature. */
export interface PartToSign {
  partNumber: number;
  sizeBytes: number;
  /** Base64 SHA-256 of the part's bytes. */
  sha256Base64: string;
  expiresInSeconds: number;
}

/** As the store knows an upload, in whose bucket. */
interface UploadPlace {
  bucket: string;
  key: string;
  multipartId: string;
}

export type PresignPart = (
  place: UploadPlace,
  part: PartToSign,
) => Promise<{ url: string; headers: Record<string, string> }>;

const CHECKSUM = "x-amz-checksum-sha256";

/**
 * Signs `UploadPart` for one endpoint, with the SDK's own signer but not through a command: its `getSignedUrl` sets a chain of
 * middlewares up for each URL, which costs several times the signature, and a content team's browsers ask for eight at a time.
 */
export function presignedParts(client: S3Client, endpoint: string): PresignPart {
  const { protocol, hostname, port, pathname } = new URL(endpoint);
  const signer = new S3RequestPresigner(client.config);
  return async ({ bucket, key, multipartId }, { partNumber, sizeBytes, sha256Base64, expiresInSeconds }) => {
    const signed = await signer.presign(
      {
        ...{ method: "PUT", protocol, hostname, path: `${pathname.replace(/\/$/, "")}/${bucket}/${key}` },
        ...(port === "" ? {} : { port: Number(port) }),
        query: { partNumber: String(partNumber), uploadId: multipartId, "x-id": "UploadPart" },
        headers: { "content-length": String(sizeBytes), [CHECKSUM]: sha256Base64 },
      },
      {
        expiresIn: expiresInSeconds,
        // As a query parameter the store ignores the checksum; as a signed header it refuses a body that differs.
        unhoistableHeaders: new Set([CHECKSUM]),
      },
    );
    const url = new URL(
      `${signed.protocol}//${signed.hostname}${port === "" ? "" : `:${port}`}${signed.path}`,
    );
    url.search = queryOf(signed.query ?? {});
    return { url: url.href, headers: { [CHECKSUM]: sha256Base64 } };
  };
}

/** As it was signed: each name and value encoded by RFC 3986 §2.3. */
function queryOf(query: Record<string, string | string[] | null>): string {
  const encoded = (text: string): string =>
    encodeURIComponent(text).replace(
      /[!'()*]/g,
      (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
    );
  return Object.entries(query)
    .map(([name, value]) => `${encoded(name)}=${encoded(String(value))}`)
    .join("&");
}
