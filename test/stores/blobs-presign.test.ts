import assert from "node:assert/strict";
import { test } from "node:test";
import { S3Client, UploadPartCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { presignedParts } from "../../stores/blobs-presign.ts";

const ENDPOINTS = [
  "http://127.0.0.1:9000",
  "https://s3.eu-central-1.amazonaws.com",
  "https://storage.example:8443/",
  "https://storage.example/behind/a/path",
];
const PLACE = { bucket: "matinee-sources", key: "sources/as_1/1", multipartId: "a+b/c=d~e.f-g!*'()" };
const PART = {
  partNumber: 12,
  sizeBytes: 8_388_608,
  sha256Base64: `${"A+/".repeat(14)}A=`,
  expiresInSeconds: 900,
};

for (const endpoint of ENDPOINTS) {
  test(`a part is signed for ${endpoint} as the SDK signs a command`, async () => {
    const client = new S3Client({
      ...{
        endpoint,
        region: "eu-central-1",
        forcePathStyle: true,
        requestChecksumCalculation: "WHEN_REQUIRED",
      },
      credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "not a secret" },
    });
    const command = new UploadPartCommand({
      ...{ Bucket: PLACE.bucket, Key: PLACE.key, UploadId: PLACE.multipartId },
      ...{ PartNumber: PART.partNumber, ContentLength: PART.sizeBytes, ChecksumSHA256: PART.sha256Base64 },
    });
    const presign = presignedParts(client, endpoint);
    // The time of signing is in whole seconds: within the same one both are to be the same to the letter.
    for (;;) {
      const [before, expected, after] = [
        await presign(PLACE, PART),
        await getSignedUrl(client, command, {
          expiresIn: PART.expiresInSeconds,
          unhoistableHeaders: new Set(["x-amz-checksum-sha256"]),
        }),
        await presign(PLACE, PART),
      ];
      if (before.url !== after.url) continue;
      assert.deepEqual(sorted(before.url), sorted(expected));
      assert.deepEqual(before.headers, { "x-amz-checksum-sha256": PART.sha256Base64 });
      break;
    }
    client.destroy();
  });
}

/** What stands before the query, and what is in it, encoded as it is: its order is not signed. */
function sorted(url: string): string[] {
  const [place = "", query = ""] = url.split("?");
  return [place, ...query.split("&").sort()];
}
