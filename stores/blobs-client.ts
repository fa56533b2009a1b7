import { setTimeout as pause } from "node:timers/promises";
import { S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { Failure } from "../core/errors.ts";

/** Where the S3 store is, and the two buckets in it. */
export interface BlobsConfig {
  endpoint: string;
  /** What a browser can reach: presigned URLs are made for it. */
  publicEndpoint: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  sourceBucket: string;
  mediaBucket: string;
}

/** `sources` holds masters and is private; `media` holds what delivery serves. */
export type Bucket = "sources" | "media";

/** One client per kind of deadline; all of them talk to the same store. */
export interface BlobClients {
  /** Small calls and bodies held in memory: 10 s without a byte is the end. */
  calls: S3Client;
  /** Bodies that a slow reader may leave standing: the reader watches the body, only the headers have 10 s. */
  streams: S3Client;
  /** Complete of a multipart upload: the store copies ~5 s a GiB before it answers, and must not be asked twice. */
  completes: S3Client;
  /** Signs for the public endpoint and never connects. */
  presigns: S3Client;
  publicEndpoint: string;
  bucketName(bucket: Bucket): string;
  close(): void;
}

export const IDLE_DEADLINE_MS = 10_000;
const CONNECT_DEADLINE_MS = 2_000;
const PAUSED_READER_DEADLINE_MS = 180_000;
const COMPLETE_DEADLINE_MS = 30 * 60_000;

/** Opens the clients; nothing connects before the first call. */
export function openBlobClients(config: BlobsConfig): BlobClients {
  const shared = {
    region: config.region,
    credentials: { accessKeyId: config.accessKeyId, secretAccessKey: config.secretAccessKey },
    // Virtual-host addressing needs a DNS name per bucket, which a local store has not.
    forcePathStyle: true,
    retryMode: "standard",
    maxAttempts: 3,
    // Otherwise a presigned part carries the CRC of an empty body (RELIABILITY §0.10), and streams are hashed twice.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  } as const;
  const client = (socketTimeout: number, requestTimeout: number | undefined, maxAttempts: number) =>
    new S3Client({
      ...shared,
      endpoint: config.endpoint,
      maxAttempts,
      requestHandler: {
        connectionTimeout: CONNECT_DEADLINE_MS,
        socketTimeout,
        requestTimeout,
        throwOnRequestTimeout: requestTimeout !== undefined,
        httpAgent: { keepAlive: true, maxSockets: 256 },
        httpsAgent: { keepAlive: true, maxSockets: 256 },
      },
    });
  const clients = {
    calls: client(IDLE_DEADLINE_MS, undefined, 3),
    streams: client(PAUSED_READER_DEADLINE_MS, IDLE_DEADLINE_MS, 3),
    completes: client(COMPLETE_DEADLINE_MS, COMPLETE_DEADLINE_MS, 1),
    presigns: new S3Client({ ...shared, endpoint: config.publicEndpoint }),
  };
  return {
    ...clients,
    publicEndpoint: config.publicEndpoint,
    bucketName: (bucket) => (bucket === "sources" ? config.sourceBucket : config.mediaBucket),
    close() {
      for (const one of Object.values(clients)) one.destroy();
    },
  };
}

/** The HTTP status of a store's refusal, or undefined where no answer came. */
export function refusalStatus(thrown: unknown): number | undefined {
  return thrown instanceof S3ServiceException ? thrown.$metadata.httpStatusCode : undefined;
}

/** Whether the store said that the object, upload or bucket is not there. */
export function isMissing(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  return (
    refusalStatus(thrown) === 404 ||
    ["NoSuchKey", "NotFound", "NoSuchUpload", "NoSuchBucket"].includes(thrown.name)
  );
}

/** A vendor error as one of ours: away, overloaded or cut is `transient`; 412 is a changed object; refused is `ours`. */
export function storeFailure(thrown: unknown, what: string): Failure {
  if (thrown instanceof Failure) return thrown;
  const status = refusalStatus(thrown);
  if (status === 412) {
    return new Failure("source", "source_changed", "The object is not the one that was pinned.", {
      cause: thrown,
    });
  }
  if (status !== undefined && status >= 400 && status < 500 && ![408, 409, 429].includes(status)) {
    return new Failure("ours", "blob_store_refused", `The blob store refused to ${what}.`, { cause: thrown });
  }
  return new Failure("transient", "blob_store_unavailable", `The blob store could not ${what}.`, {
    cause: thrown,
    retryAfterSeconds: 5,
  });
}

/** Runs one call to the store; the caller's own abort comes back as its reason, anything else as a `Failure`. */
export async function translated<T>(
  what: string,
  signal: AbortSignal | undefined,
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call();
  } catch (thrown) {
    if (signal?.aborted) throw signal.reason;
    throw storeFailure(thrown, what);
  }
}

/**
 * Runs `attempt` up to three times while it fails transiently, with full jitter between. For bodies: the SDK's own
 * retries end once the headers of an answer are there.
 */
export async function retried<T>(signal: AbortSignal | undefined, attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (thrown) {
      const again = thrown instanceof Failure && thrown.failureClass === "transient" && tries < 3;
      if (!again || signal?.aborted) throw thrown;
      await pause(Math.random() * 200 * 2 ** tries, undefined, { signal });
    }
  }
}
