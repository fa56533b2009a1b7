import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { Failure } from "../core/errors.ts";
import type {
  BlobFacts,
  BlobRange,
  Bucket,
  ListedBlob,
  OpenedBlob,
  ReadOptions,
  WholeBlob,
} from "./blobs.ts";
import { type BlobClients, isMissing, refusalStatus, retried, translated } from "./blobs-client.ts";
import { watchIdle } from "./blobs-download.ts";

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

export async function read(
  clients: BlobClients,
  bucket: Bucket,
  key: string,
  options: ReadOptions,
): Promise<Uint8Array | null> {
  const pieces = await readPieces(clients, bucket, key, options);
  return pieces && Buffer.concat(pieces);
}

export async function readWhole(
  clients: BlobClients,
  bucket: Bucket,
  key: string,
  signal: AbortSignal | undefined,
): Promise<WholeBlob | null> {
  const arrived = await receive(clients, bucket, key, signal === undefined ? {} : { signal });
  return arrived && { bytes: Buffer.concat(arrived.pieces), facts: arrived.facts };
}

export async function readPieces(
  clients: BlobClients,
  bucket: Bucket,
  key: string,
  options: ReadOptions,
): Promise<Uint8Array[] | null> {
  return (await receive(clients, bucket, key, options))?.pieces ?? null;
}

async function receive(
  clients: BlobClients,
  bucket: Bucket,
  key: string,
  options: ReadOptions,
): Promise<{ pieces: Uint8Array[]; facts: BlobFacts } | null> {
  return retried(options.signal, async () => {
    const opened = await open(clients, bucket, key, options);
    if (opened === null) return null;
    const pieces = await translated(`read ${key}`, options.signal, async () => {
      const came: Buffer[] = [];
      for await (const piece of watchIdle(opened.body)) came.push(piece);
      return came;
    });
    const arrived = pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (arrived !== opened.lengthBytes) throw cutShort(key);
    const { sizeBytes, sha256 } = opened.facts;
    if (arrived === sizeBytes && sha256 !== undefined && digestOf(pieces) !== sha256) throw cutShort(key);
    return { pieces, facts: opened.facts };
  });
}

/** Base64 SHA-256. */
function digestOf(pieces: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("base64");
}

function cutShort(key: string): Failure {
  return new Failure("transient", "blob_store_unavailable", `The bytes of ${key} arrived damaged.`);
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
