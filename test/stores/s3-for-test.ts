import type { BlobsConfig } from "../../stores/blobs.ts";

/** The test run's S3 store with buckets of this test's own. */
export function s3ForTest(name: string): BlobsConfig {
  const endpoint = process.env.MATINEE_S3_ENDPOINT ?? "http://127.0.0.1:39000";
  return {
    endpoint,
    publicEndpoint: endpoint,
    region: process.env.MATINEE_S3_REGION ?? "us-east-1",
    accessKeyId: process.env.MATINEE_S3_ACCESS_KEY_ID ?? "dev",
    secretAccessKey: process.env.MATINEE_S3_SECRET_ACCESS_KEY ?? "devsecret",
    sourceBucket: `${name}-test-sources`,
    mediaBucket: `${name}-test-media`,
  };
}
