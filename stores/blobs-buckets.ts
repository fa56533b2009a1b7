import { randomBytes } from "node:crypto";
import { CreateBucketCommand, HeadBucketCommand, PutBucketCorsCommand } from "@aws-sdk/client-s3";
import { Failure } from "../core/errors.ts";
import type { Blobs } from "./blobs.ts";
import { type BlobClients, type Bucket, isMissing, translated } from "./blobs-client.ts";

const BUCKETS: Bucket[] = ["sources", "media"];

/** Makes missing buckets; pages of `corsOrigins` may PUT parts into the sources bucket and read the ETag. */
export async function ensureBuckets(clients: BlobClients, corsOrigins: string[]): Promise<void> {
  for (const bucket of BUCKETS) {
    await translated(`make the bucket ${clients.bucketName(bucket)}`, undefined, () =>
      ensureBucket(clients, bucket),
    );
  }
  if (corsOrigins.length === 0) return;
  await translated("allow browser uploads", undefined, () =>
    clients.calls.send(
      new PutBucketCorsCommand({
        Bucket: clients.bucketName("sources"),
        CORSConfiguration: {
          CORSRules: [
            {
              AllowedOrigins: corsOrigins,
              AllowedMethods: ["PUT"],
              AllowedHeaders: ["*"],
              ExposeHeaders: ["ETag"],
              MaxAgeSeconds: 3_600,
            },
          ],
        },
        ChecksumAlgorithm: "SHA256",
      }),
    ),
  );
}

async function ensureBucket(clients: BlobClients, bucket: Bucket): Promise<void> {
  const Bucket = clients.bucketName(bucket);
  try {
    await clients.calls.send(new HeadBucketCommand({ Bucket }));
  } catch (thrown) {
    if (!isMissing(thrown)) throw thrown;
    try {
      await clients.calls.send(new CreateBucketCommand({ Bucket }));
    } catch (refused) {
      // Another process was first.
      if (!(refused instanceof Error) || refused.name !== "BucketAlreadyOwnedByYou") throw refused;
    }
  }
}

/** A small object written, read back, compared and deleted in each bucket. */
export async function probeBuckets(blobs: Blobs): Promise<void> {
  for (const bucket of BUCKETS) {
    const key = `probe-${randomBytes(8).toString("hex")}`;
    const bytes = randomBytes(1_024);
    await blobs.put(bucket, key, bytes, { contentType: "application/octet-stream" });
    const stored = await blobs.read(bucket, key);
    await blobs.remove(bucket, [key]);
    if (stored === null || !bytes.equals(stored) || (await blobs.head(bucket, key)) !== null) {
      throw new Failure(
        "transient",
        "blob_store_unavailable",
        "The blob store does not give back what it was given.",
      );
    }
  }
}
