import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { PREVIEW_FOLDER } from "../../core/keys.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import { type Blobs, openBlobs } from "../../stores/blobs.ts";
import type { Product } from "./product.ts";

/** The product's storage, for a test that looks or reaches into it. The caller closes it. */
export function openStorage({ environment: env }: Pick<Product, "environment">): Blobs {
  return openBlobs({
    endpoint: env.MATINEE_S3_ENDPOINT!,
    publicEndpoint: env.MATINEE_S3_ENDPOINT!,
    region: env.MATINEE_S3_REGION!,
    accessKeyId: env.MATINEE_S3_ACCESS_KEY_ID!,
    secretAccessKey: env.MATINEE_S3_SECRET_ACCESS_KEY!,
    sourceBucket: env.MATINEE_S3_SOURCE_BUCKET!,
    mediaBucket: env.MATINEE_S3_MEDIA_BUCKET!,
  });
}

/** A published package as it lies in storage: path below its prefix → bytes, texts unpacked. */
export async function readPackage(product: Product, asset: AssetRecord): Promise<Map<string, Uint8Array>> {
  const blobs = openStorage(product);
  const prefix = `${asset._id}/${asset.published?.generation ?? asset.generation}/`;
  const files = new Map<string, Uint8Array>();
  for await (const { key } of blobs.list("media", prefix)) {
    const bytes = (await blobs.read("media", key)) ?? new Uint8Array();
    files.set(key.slice(prefix.length), /\.(m3u8|mpd|vtt)$/.test(key) ? gunzipSync(bytes) : bytes);
  }
  blobs.close();
  return files;
}

/** A line for each file of a published package, with the hash of its bytes: the same package, the same lines. */
export async function packageDigest(product: Product, asset: AssetRecord): Promise<string[]> {
  const files = await readPackage(product, asset);
  return [...files]
    .map(([name, bytes]) => `${name} ${createHash("sha256").update(bytes).digest("hex")}`)
    .sort();
}

/**
 * Fails where a published package is not `clean`, file for file, and names only the files that differ. No publication waits
 * for the preview beside it, whose worker may have been killed: what there is of it has to be the same.
 */
export async function assertPackage(
  product: Product,
  asset: AssetRecord,
  clean: readonly string[],
): Promise<void> {
  const made = await packageDigest(product, asset);
  const differing = {
    only: made.filter((line) => !clean.includes(line)),
    missing: clean.filter((line) => !made.includes(line) && !line.startsWith(PREVIEW_FOLDER)),
  };
  assert.deepEqual(differing, { only: [], missing: [] });
}

/** Runs `use` with the package written to a folder. */
export async function withPackageFolder<T>(
  files: ReadonlyMap<string, Uint8Array>,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "matinee-package-"));
  try {
    for (const [path, bytes] of files) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), bytes);
    }
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
