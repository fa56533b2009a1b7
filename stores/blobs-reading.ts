import type { Readable } from "node:stream";
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { Failure } from "../core/errors.ts";
import type { BlobFacts, BlobRange, Bucket, ListedBlob, OpenedBlob, ReadOptions } from "./blobs.ts";
import { type BlobClients, isMissing, refusalStatus, translated } from "./blobs-client.ts";

/** The calls behind `Blobs` that read (its docstrings say what each promises). */

export async function head(clients: BlobClients, bucket: Bucket, key: string): Promise<BlobFacts | null> {
  return translated(`look at ${key}`, undefined, async () => {
    try {
      const answer = await clients.calls.send(
        new HeadObjectCommand({ Bucket: clients.bucketName(bucket), Key: key, ChecksumMode: "ENABLED" }),
      );
      return factsOf(answer, answer.ContentLength ?? 0);
    } catch (thrown) {
      if (isMissing(thrown)) return null;
      throw thrown;
    }
  });
}

export async function open(
  clients: BlobClients,
  bucket: Bucket,
  key: string,
  options: ReadOptions,
): Promise<OpenedBlob | null> {
  const command = new GetObjectCommand({
    Bucket: clients.bucketName(bucket),
    Key: key,
    Range: options.range && rangeHeader(options.range),
    IfMatch: options.ifMatch,
  });
  return translated(`read ${key}`, options.signal, async () => {
    try {
      const answer = await clients.streams.send(command, { abortSignal: options.signal });
      const lengthBytes = answer.ContentLength ?? 0;
      const [, start, end, total] =
        /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.ContentRange ?? "")?.map(Number) ?? [];
      return {
        // In Node the SDK hands out the socket's own Readable, and destroys it when the signal aborts.
        body: answer.Body as unknown as Readable,
        facts: factsOf(answer, total ?? lengthBytes),
        lengthBytes,
        start: start ?? 0,
        end: end ?? lengthBytes - 1,
      };
    } catch (thrown) {
      if (isMissing(thrown)) return null;
      if (refusalStatus(thrown) !== 416) throw thrown;
      throw new Failure(
        "request",
        "range_not_satisfiable",
        "The range starts behind the end of the object.",
        {
          status: 416,
          cause: thrown,
        },
      );
    }
  });
}

export async function* list(
  clients: BlobClients,
  bucket: Bucket,
  prefix: string,
): AsyncGenerator<ListedBlob> {
  let token: string | undefined;
  do {
    const page = await translated("list objects", undefined, () =>
      clients.calls.send(
        new ListObjectsV2Command({
          Bucket: clients.bucketName(bucket),
          Prefix: prefix,
          ContinuationToken: token,
        }),
      ),
    );
    for (const { Key = "", Size = 0, ETag = "", LastModified = null } of page.Contents ?? [])
      yield { key: Key, sizeBytes: Size, etag: ETag, lastModified: LastModified };
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}

function rangeHeader(range: BlobRange): string {
  if ("suffixBytes" in range) return `bytes=-${range.suffixBytes}`;
  return `bytes=${range.start}-${range.end ?? ""}`;
}

function factsOf(
  answer: {
    ETag?: string;
    ContentType?: string;
    ContentEncoding?: string;
    CacheControl?: string;
    LastModified?: Date;
    ChecksumSHA256?: string;
  },
  sizeBytes: number,
): BlobFacts {
  const sha256 = answer.ChecksumSHA256;
  return {
    sizeBytes,
    etag: answer.ETag ?? "",
    contentType: answer.ContentType ?? null,
    contentEncoding: answer.ContentEncoding || null,
    cacheControl: answer.CacheControl || null,
    lastModified: answer.LastModified ?? null,
    // A multipart object's checksum is one of checksums ("…-3"), not of its bytes.
    ...(sha256 && !sha256.includes("-") ? { sha256 } : {}),
  };
}
