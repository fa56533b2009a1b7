import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import {
  CopyObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { Failure } from "../core/errors.ts";
import type { BlobFacts, BlobRange, Bucket, OpenedBlob, PutOptions, ReadOptions } from "./blobs.ts";
import { type BlobClients, isMissing, refusalStatus, retried, translated } from "./blobs-client.ts";
import { watchIdle } from "./blobs-download.ts";

/** The calls behind `Blobs` (its docstrings say what each promises), each on the clients that fit it. */

export async function put(
  clients: BlobClients,
  bucket: Bucket,
  key: string,
  body: Uint8Array,
  options: PutOptions,
) {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const sha256 = createHash("sha256").update(bytes).digest("base64");
  const command = new PutObjectCommand({
    Bucket: clients.bucketName(bucket),
    Key: key,
    Body: bytes,
    ContentLength: bytes.byteLength,
    ChecksumSHA256: sha256,
    ContentType: options.contentType,
    ContentEncoding: options.contentEncoding,
    CacheControl: options.cacheControl,
    IfNoneMatch: options.createOnce ? "*" : undefined,
  });
  return translated(`store ${key}`, undefined, async () => {
    try {
      const answer = await clients.calls.send(command);
      return { etag: answer.ETag ?? "" };
    } catch (thrown) {
      if (!options.createOnce || refusalStatus(thrown) !== 412) throw thrown;
      return { etag: await etagOfEqual(clients, bucket, key, bytes, sha256) };
    }
  });
}

/** A create-once that met an object: fine when it is the same bytes (a task done twice), a defect otherwise. */
async function etagOfEqual(clients: BlobClients, bucket: Bucket, key: string, bytes: Buffer, sha256: string) {
  const facts = await head(clients, bucket, key);
  if (facts?.sizeBytes === bytes.byteLength) {
    if (facts.sha256 === sha256) return facts.etag;
    if (facts.sha256 === undefined) {
      const stored = await read(clients, bucket, key, { ifMatch: facts.etag });
      if (stored !== null && bytes.equals(stored)) return facts.etag;
    }
  }
  throw new Failure("ours", "object_exists", `Another object already stands at ${key}.`);
}

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

export async function copy(
  clients: BlobClients,
  bucket: Bucket,
  fromKey: string,
  toKey: string,
): Promise<boolean> {
  const original = await head(clients, bucket, fromKey);
  if (original === null) return false;
  const earlier = await head(clients, bucket, toKey);
  if (earlier !== null && isCopy(earlier, original)) return true;
  const copied = await translated(`copy ${fromKey}`, undefined, async () => {
    try {
      const name = clients.bucketName(bucket);
      // S3 API Reference, CopyObject: the source is URL-encoded, bucket first.
      const CopySource = `${name}/${fromKey}`.split("/").map(encodeURIComponent).join("/");
      await clients.calls.send(
        new CopyObjectCommand({ Bucket: name, Key: toKey, CopySource, CopySourceIfMatch: original.etag }),
      );
      return true;
    } catch (thrown) {
      if (isMissing(thrown)) return false;
      throw thrown;
    }
  });
  if (!copied) return false;
  const made = await head(clients, bucket, toKey);
  if (made !== null && isCopy(made, original)) return true;
  throw new Failure("transient", "blob_store_unavailable", `The copy of ${fromKey} is not like it.`);
}

/** By digest where the store kept both; otherwise by ETag, which for objects sent in one piece names the bytes. */
function isCopy(one: BlobFacts, original: BlobFacts): boolean {
  if (one.sizeBytes !== original.sizeBytes) return false;
  if (one.sha256 !== undefined && original.sha256 !== undefined) return one.sha256 === original.sha256;
  return one.etag === original.etag;
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
  return retried(options.signal, async () => {
    const opened = await open(clients, bucket, key, options);
    if (opened === null) return null;
    const bytes = await translated(`read ${key}`, options.signal, async () => {
      const pieces: Buffer[] = [];
      for await (const piece of watchIdle(opened.body)) pieces.push(piece);
      return Buffer.concat(pieces);
    });
    const whole = bytes.byteLength === opened.facts.sizeBytes;
    if (bytes.byteLength !== opened.lengthBytes) throw cutShort(key);
    if (whole && opened.facts.sha256 !== undefined) {
      if (createHash("sha256").update(bytes).digest("base64") !== opened.facts.sha256) throw cutShort(key);
    }
    return bytes;
  });
}

function cutShort(key: string): Failure {
  return new Failure("transient", "blob_store_unavailable", `The bytes of ${key} arrived damaged.`);
}

export async function* list(clients: BlobClients, bucket: Bucket, prefix: string) {
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
    for (const object of page.Contents ?? []) yield { key: object.Key ?? "", sizeBytes: object.Size ?? 0 };
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}

export async function remove(clients: BlobClients, bucket: Bucket, keys: string[]): Promise<void> {
  // DeleteObjects takes at most 1,000 keys (S3 API Reference, DeleteObjects).
  for (let at = 0; at < keys.length; at += 1_000) {
    const page = keys.slice(at, at + 1_000);
    const answer = await translated("remove objects", undefined, () =>
      clients.calls.send(
        new DeleteObjectsCommand({
          Bucket: clients.bucketName(bucket),
          Delete: { Objects: page.map((Key) => ({ Key })), Quiet: true },
        }),
      ),
    );
    const failed = (answer.Errors ?? []).filter((error) => error.Code !== "NoSuchKey");
    if (failed.length > 0) {
      throw new Failure(
        "transient",
        "blob_store_unavailable",
        `${failed.length} objects could not be removed.`,
        {
          cause: failed,
        },
      );
    }
  }
}

export async function removePrefix(clients: BlobClients, bucket: Bucket, prefix: string): Promise<number> {
  if (!/^[^/].*\/$/.test(prefix))
    throw new Failure("ours", "prefix_refused", "A prefix to remove must end in /.");
  const keys: string[] = [];
  for await (const { key } of list(clients, bucket, prefix)) keys.push(key);
  await remove(clients, bucket, keys);
  return keys.length;
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
