import { createHash } from "node:crypto";
import { CopyObjectCommand, DeleteObjectsCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { Failure } from "../core/errors.ts";
import type { BlobFacts, Bucket, PutOptions } from "./blobs.ts";
import { read } from "./blobs-bytes.ts";
import { type BlobClients, isMissing, refusalStatus, translated } from "./blobs-client.ts";
import { head, list } from "./blobs-reading.ts";

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
