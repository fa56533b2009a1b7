import type { Readable } from "node:stream";
import { ensureBuckets, probeBuckets } from "./blobs-buckets.ts";
import { read, readThrough, readWhole } from "./blobs-bytes.ts";
import { type BlobsConfig, type Bucket, openBlobClients } from "./blobs-client.ts";
import { downloadToFile } from "./blobs-download.ts";
import { type MultipartUploads, openMultipartUploads } from "./blobs-multipart.ts";
import { copy, put, remove, removePrefix } from "./blobs-objects.ts";
import { head, list, open } from "./blobs-reading.ts";

export type { BlobsConfig, Bucket } from "./blobs-client.ts";
export type { MultipartRef, StoredPart } from "./blobs-multipart.ts";

/** How an object is stored: what it is, how it is coded, how long it may be kept. */
export interface PutOptions {
  contentType: string;
  contentEncoding?: string;
  cacheControl?: string;
  /** Never overwrite: an equal object already there is success, another one is a `Failure`. */
  createOnce?: boolean;
}

export interface BlobFacts {
  sizeBytes: number;
  /** As the store gives it, quotes included: good for `If-Match` and for an HTTP ETag. */
  etag: string;
  contentType: string | null;
  contentEncoding: string | null;
  cacheControl: string | null;
  lastModified: Date | null;
  /** Base64 SHA-256 of the whole object, where the store kept one (not for multipart objects). */
  sha256?: string;
}

/** Bytes `start`..`end` inclusive (to the end without `end`), or the last `suffixBytes`. */
export type BlobRange = { start: number; end?: number } | { suffixBytes: number };

export interface ReadOptions {
  range?: BlobRange;
  /** Only this version of the object; another one is the failure `source_changed`. */
  ifMatch?: string;
  signal?: AbortSignal;
}

/** An object as a listing has it: `etag` as `BlobFacts` have it, or empty. */
export interface ListedBlob extends Pick<BlobFacts, "sizeBytes" | "etag" | "lastModified"> {
  key: string;
}

export interface WholeBlob {
  bytes: Uint8Array;
  facts: BlobFacts;
}

/** Takes some pieces of a body, of which the first stands `at` bytes behind where the body begins, and owns them. The next come once it has. */
export type TakePieces = (pieces: readonly Uint8Array[], at: number) => Promise<void>;

/** An object on its way: `facts.sizeBytes` is the whole object, `lengthBytes` what this body carries. */
export interface OpenedBlob {
  body: Readable;
  facts: BlobFacts;
  lengthBytes: number;
  /** First and last byte of the body within the object. */
  start: number;
  end: number;
}

/**
 * The blob store: two buckets of immutable objects. A missing object is null; every other trouble is a `Failure`
 * (`transient` when the store is away, overloaded or silent for 10 s, after three tries). A call whose `signal` is
 * aborted rejects with the signal's reason.
 */
export interface Blobs extends MultipartUploads {
  /** Stores `body` whole, bound to its SHA-256, so a cut or flipped one is refused by the store. */
  put(bucket: Bucket, key: string, body: Uint8Array, options: PutOptions): Promise<{ etag: string }>;
  /**
   * Copies an object within its bucket, in the store itself: bytes, type and coding. False where there is none. An equal
   * object already there is success; the copy is looked at, and one of another size or digest is a `Failure`.
   */
  copy(bucket: Bucket, fromKey: string, toKey: string): Promise<boolean>;
  head(bucket: Bucket, key: string): Promise<BlobFacts | null>;
  /** The bytes of an object or range, in memory; their number (and hash, where kept) is checked. */
  read(bucket: Bucket, key: string, options?: ReadOptions): Promise<Uint8Array | null>;
  /** The same of a whole object, with what the store says of it. */
  readWhole(bucket: Bucket, key: string, signal?: AbortSignal): Promise<WholeBlob | null>;
  /**
   * An object or range, handed to `take` as they come, in order, and none of them kept; answers how many they were. A try that failed
   * is begun again at nought, so `take` must not mind having had some before.
   */
  readThrough(bucket: Bucket, key: string, options: ReadOptions, take: TakePieces): Promise<number | null>;
  /**
   * The object as a stream. The caller consumes or destroys `body`, and decides how long it waits for its next byte.
   * A range that starts behind the end is the `request` failure `range_not_satisfiable` (416).
   */
  open(bucket: Bucket, key: string, options?: ReadOptions): Promise<OpenedBlob | null>;
  /**
   * Streams an object to `filePath` and checks its length; a cut body is taken up where it broke off. `onBytes` gets
   * the bytes written so far. Fails with `source_changed` where `ifMatch` no longer holds, and resource
   * `scratch_full` where the disk is.
   */
  download(
    bucket: Bucket,
    key: string,
    filePath: string,
    options?: { ifMatch?: string; signal?: AbortSignal; onBytes?: (bytes: number) => void },
  ): Promise<BlobFacts | null>;
  /** Every object below `prefix`, in key order, page by page. */
  list(bucket: Bucket, prefix: string): AsyncIterable<ListedBlob>;
  /** Removes objects; those already gone count as removed. */
  remove(bucket: Bucket, keys: string[]): Promise<void>;
  /** Removes everything below `prefix` (which must end in `/`) and says how many objects that were. */
  removePrefix(bucket: Bucket, prefix: string): Promise<number>;
  /** Makes missing buckets and lets pages of `corsOrigins` PUT parts into the sources bucket. */
  ensureBuckets(options: { corsOrigins: string[] }): Promise<void>;
  /** Writes, reads back and deletes a small object in both buckets; throws a `Failure` when anything differs. */
  ping(): Promise<void>;
  close(): void;
}

/** Opens the store. Nothing connects before the first call. */
export function openBlobs(config: BlobsConfig): Blobs {
  const clients = openBlobClients(config);
  const blobs: Blobs = {
    put: (bucket, key, body, options) => put(clients, bucket, key, body, options),
    copy: (bucket, fromKey, toKey) => copy(clients, bucket, fromKey, toKey),
    head: (bucket, key) => head(clients, bucket, key),
    read: (bucket, key, options = {}) => read(clients, bucket, key, options),
    readWhole: (bucket, key, signal) => readWhole(clients, bucket, key, signal),
    readThrough: (bucket, key, options, take) => readThrough(clients, bucket, key, options, take),
    open: (bucket, key, options = {}) => open(clients, bucket, key, options),
    download: (bucket, key, filePath, options = {}) =>
      downloadToFile(
        (range, ifMatch) => open(clients, bucket, key, { ...options, range, ifMatch }),
        filePath,
        options,
      ),
    list: (bucket, prefix) => list(clients, bucket, prefix),
    remove: (bucket, keys) => remove(clients, bucket, keys),
    removePrefix: (bucket, prefix) => removePrefix(clients, bucket, prefix),
    ensureBuckets: (options) => ensureBuckets(clients, options.corsOrigins),
    ping: () => probeBuckets(blobs),
    close: () => clients.close(),
    ...openMultipartUploads(clients, (key) => head(clients, "sources", key)),
  };
  return blobs;
}
