import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { ListMultipartUploadsCommand, S3Client } from "@aws-sdk/client-s3";
import { leftSounds } from "../../core/keys.ts";
import type { Blobs } from "../../stores/blobs.ts";
import type { Library } from "../../stores/library/connect.ts";

/** Nothing lies in storage that no record names, and what viewers had is still the same. */
export async function checkStorage(
  library: Library,
  blobs: Blobs,
  seen: ReadonlyMap<string, string>,
): Promise<string[]> {
  const faults: string[] = [];
  const assets = new Map((await library.assets.find({}).toArray()).map((one) => [one._id, one]));
  const generations = await library.generations.find({}).toArray();
  const there = new Set(generations.filter(({ state }) => state !== "collected").map(({ _id }) => _id));
  const media = new Map<string, string>();
  for await (const { key } of blobs.list("media", "")) {
    media.set(key, "");
    const [assetId = "", generation = ""] = key.split("/");
    if (key === "revocations.json") continue;
    const asset = assets.get(assetId);
    if (asset === undefined || asset.state === "deleted") faults.push(`media of no asset: ${key}`);
    else if (!there.has(`${assetId}.${generation}`)) faults.push(`media of no generation: ${key}`);
  }
  const named = new Set(
    [...assets.values()]
      .filter(({ state }) => state !== "deleted")
      .flatMap((one) => [
        one.pinned?.key,
        one.pull?.transfer?.key,
        ...one.sidecars.map(({ key }) => key),
        ...one.retiredSources,
      ]),
  );
  for (const one of generations.filter(({ state }) => state !== "collected"))
    for (const key of [one.pinned.key, ...one.sidecars.map((sidecar) => sidecar.key)]) named.add(key);
  // Of a film that failed or was cancelled there may be sound that its chunks have left, for its next encoding or its end.
  const unfinished = [...assets.values()].filter(({ state }) => state !== "deleted" && state !== "ready");
  const folders = new Set(unfinished.map(({ _id, tenant }) => leftSounds(tenant, _id)));
  const isLeft = (key: string): boolean => folders.has(key.split("/").slice(0, 3).join("/").concat("/"));
  for await (const { key } of blobs.list("sources", ""))
    if (!named.has(key) && !isLeft(key)) faults.push(`source of nobody: ${key}`);
  for (const [path, sha256] of seen) {
    const key = path.slice(1);
    const bytes = media.has(key) ? await blobs.read("media", key) : null;
    if (bytes === null || /\.(m3u8|mpd|vtt)$/.test(key)) continue;
    if (createHash("sha256").update(bytes).digest("hex") !== sha256)
      faults.push(`OTHER BYTES in storage: ${key}`);
  }
  return faults;
}

/** No multipart upload is open but those of uploads that are, and of fetches. */
export async function checkMultiparts(
  library: Library,
  environment: Record<string, string>,
): Promise<string[]> {
  const client = new S3Client({
    endpoint: environment.MATINEE_S3_ENDPOINT!,
    region: environment.MATINEE_S3_REGION!,
    forcePathStyle: true,
    credentials: {
      accessKeyId: environment.MATINEE_S3_ACCESS_KEY_ID!,
      secretAccessKey: environment.MATINEE_S3_SECRET_ACCESS_KEY!,
    },
  });
  const listed = await client.send(
    new ListMultipartUploadsCommand({ Bucket: environment.MATINEE_S3_SOURCE_BUCKET! }),
  );
  client.destroy();
  const uploads = await library.uploads.find({ state: "open" }).toArray();
  // What has come of a fetch that was called off is kept for who tries again.
  const fetched = await library.assets.find({ "pull.transfer.multipartId": { $gt: "" } }).toArray();
  const open = new Set([
    ...uploads.map(({ multipartId }) => multipartId),
    ...fetched.map(({ pull }) => pull?.transfer?.multipartId),
  ]);
  return (listed.Uploads ?? [])
    .filter(({ UploadId }) => !open.has(UploadId ?? ""))
    .map(({ Key }) => `multipart of no open upload: ${Key}`);
}

/** Attempts of workers that live leave no folder behind. */
export async function checkScratch(folders: readonly string[]): Promise<string[]> {
  const left: string[] = [];
  for (const folder of folders)
    for (const path of await readdir(folder, { recursive: true }).catch(() => [] as string[]))
      if (/attempt-\d+/.test(path)) left.push(`left in scratch: ${folder}/${path}`);
  return left;
}
