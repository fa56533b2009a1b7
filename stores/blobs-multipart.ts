import { createHash } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { Failure } from "../core/errors.ts";
import type { BlobFacts } from "./blobs.ts";
import { type BlobClients, isMissing, translated } from "./blobs-client.ts";
import { type PartToSign, presignedParts } from "./blobs-presign.ts";

/** One multipart upload in the sources bucket, by the store's names for it. */
export interface MultipartRef {
  key: string;
  multipartId: string;
}

/** A part as the store holds it; `sha256` is base64. */
export interface StoredPart {
  partNumber: number;
  sizeBytes: number;
  etag: string;
  sha256?: string;
}

/** Masters arrive as multipart uploads in the sources bucket, part by part straight from the client. */
export interface MultipartUploads {
  /** Opens an upload whose every part must come with its SHA-256; answers the store's id for it. */
  createMultipart(key: string, contentType: string): Promise<string>;
  /**
   * A URL for one PUT of exactly this part: number, length and SHA-256 are signed, so any other body is refused.
   * `headers` must be sent as they are; Content-Length is signed as well, but a browser sets that one itself.
   */
  presignPart(part: MultipartRef & PartToSign): Promise<{ url: string; headers: Record<string, string> }>;
  /** Sends one part from here, bound to its SHA-256, so that a cut or flipped one is refused by the store. */
  sendPart(
    part: MultipartRef & { partNumber: number },
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<StoredPart>;
  /** What the store really holds, in order of part number; null where it knows no such upload. */
  listParts(upload: MultipartRef): Promise<StoredPart[] | null>;
  /**
   * Puts the parts together and looks at the result: an object of another size is `ours`/`upload_damaged`. Repeatable:
   * an upload that is gone, with the object of the right size there, is success (a lost reply). ONE caller at a time:
   * the stand-in store answers a second Complete during the first with 200 and no object.
   */
  completeMultipart(
    upload: MultipartRef & { parts: StoredPart[] },
  ): Promise<{ etag: string; sizeBytes: number }>;
  /** Aborts until the store lists no such upload (a part in flight can outlive the first abort). */
  abortMultipart(upload: MultipartRef): Promise<void>;
}

export function openMultipartUploads(
  clients: BlobClients,
  headSource: (key: string) => Promise<BlobFacts | null>,
): MultipartUploads {
  const presign = presignedParts(clients.presigns, clients.publicEndpoint);
  return {
    createMultipart: (key, contentType) => createMultipart(clients, key, contentType),
    presignPart: ({ key, multipartId, ...part }) =>
      presign({ bucket: clients.bucketName("sources"), key, multipartId }, part),
    sendPart: (part, body, signal) => sendPart(clients, part, body, signal),
    listParts: (upload) => listParts(clients, upload),
    completeMultipart: (upload) => completeMultipart(clients, upload, headSource),
    abortMultipart: (upload) => abortMultipart(clients, upload),
  };
}

function named(clients: BlobClients, upload: MultipartRef) {
  return { Bucket: clients.bucketName("sources"), Key: upload.key, UploadId: upload.multipartId };
}

async function createMultipart(clients: BlobClients, key: string, contentType: string): Promise<string> {
  const answer = await translated("open an upload", undefined, () =>
    clients.calls.send(
      new CreateMultipartUploadCommand({
        Bucket: clients.bucketName("sources"),
        Key: key,
        ContentType: contentType,
        ChecksumAlgorithm: "SHA256",
      }),
    ),
  );
  if (!answer.UploadId)
    throw new Failure("transient", "blob_store_unavailable", "The blob store opened no upload.");
  return answer.UploadId;
}

async function sendPart(
  clients: BlobClients,
  part: MultipartRef & { partNumber: number },
  body: Uint8Array,
  signal: AbortSignal,
): Promise<StoredPart> {
  const { partNumber } = part;
  const sha256 = createHash("sha256").update(body).digest("base64");
  const command = new UploadPartCommand({
    ...named(clients, part),
    PartNumber: partNumber,
    Body: body,
    ContentLength: body.byteLength,
    ChecksumSHA256: sha256,
  });
  const answer = await translated("store a part", signal, () =>
    clients.calls.send(command, { abortSignal: signal }),
  );
  return { partNumber, sizeBytes: body.byteLength, etag: answer.ETag ?? "", sha256 };
}

async function listParts(clients: BlobClients, upload: MultipartRef): Promise<StoredPart[] | null> {
  return translated("list parts", undefined, async () => {
    const parts: StoredPart[] = [];
    let marker: string | undefined;
    try {
      do {
        const page = await clients.calls.send(
          new ListPartsCommand({ ...named(clients, upload), PartNumberMarker: marker }),
        );
        for (const part of page.Parts ?? []) {
          parts.push({
            partNumber: part.PartNumber ?? 0,
            sizeBytes: part.Size ?? 0,
            etag: part.ETag ?? "",
            ...(part.ChecksumSHA256 ? { sha256: part.ChecksumSHA256 } : {}),
          });
        }
        marker = page.IsTruncated ? page.NextPartNumberMarker : undefined;
      } while (marker !== undefined);
    } catch (thrown) {
      if (isMissing(thrown)) return null;
      throw thrown;
    }
    return parts.sort((a, b) => a.partNumber - b.partNumber);
  });
}

async function completeMultipart(
  clients: BlobClients,
  upload: MultipartRef & { parts: StoredPart[] },
  headSource: (key: string) => Promise<BlobFacts | null>,
) {
  const sizeBytes = upload.parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  const command = new CompleteMultipartUploadCommand({
    ...named(clients, upload),
    MultipartUpload: {
      Parts: upload.parts.map((part) => ({
        PartNumber: part.partNumber,
        ETag: part.etag,
        ChecksumSHA256: part.sha256,
      })),
    },
  });
  await translated("complete an upload", undefined, async () => {
    try {
      await clients.completes.send(command);
    } catch (thrown) {
      // Gone may mean done: the HEAD below decides (RELIABILITY F17).
      if (!isMissing(thrown)) throw thrown;
    }
  });
  // An answer of 200 is not an object: look at what is there.
  const facts = await headSource(upload.key);
  if (facts?.sizeBytes === sizeBytes) return { etag: facts.etag, sizeBytes };
  throw new Failure("ours", "upload_damaged", "The stored master is not what was uploaded.");
}

async function abortMultipart(clients: BlobClients, upload: MultipartRef): Promise<void> {
  for (let tries = 0; tries < 5; tries++) {
    await translated("abort an upload", undefined, async () => {
      try {
        await clients.calls.send(new AbortMultipartUploadCommand(named(clients, upload)));
      } catch (thrown) {
        if (!isMissing(thrown)) throw thrown;
      }
    });
    if ((await listParts(clients, upload)) === null) return;
  }
  throw new Failure("transient", "blob_store_unavailable", "Parts of an aborted upload are still arriving.");
}
