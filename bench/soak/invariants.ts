import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { ListMultipartUploadsCommand, S3Client } from "@aws-sdk/client-s3";
import type { AssetRecord } from "../../core/records/asset.ts";
import type { Blobs } from "../../stores/blobs.ts";
import type { Library } from "../../stores/library/connect.ts";
import type { Received } from "../../test/rig/webhook-receiver.ts";
import { verified } from "../../test/rig/webhook-receiver.ts";
import type { Acknowledged, KnownAsset } from "./acknowledged.ts";
import type { Client } from "./client.ts";

/** What must hold once nothing is to be done any more. Each check gives a line for each thing that does not. */

const STATE_OF_FATE = { made: "ready", cancelled: "cancelled", deleted: "deleted" } as const;

/** Every accepted upload came to the end that it should. */
export async function checkAssets(client: Client, known: Acknowledged): Promise<string[]> {
  const faults: string[] = [];
  for (const asset of known.assets) {
    const { status, body } = await client.insist("GET", `/v1/assets/${asset.id}`);
    const fault = status === 200 ? faultOfAsset(asset, body) : `${status}`;
    if (fault !== null) faults.push(`${asset.id} ${asset.filename} (${asset.fate}): ${fault}`);
    if (body.state !== "ready") continue;
    const report = await client.insist("GET", `/v1/assets/${asset.id}/conformance`);
    faults.push(...brokenRules(report.body).map((rule) => `${asset.id} ${asset.filename} breaks ${rule}`));
  }
  return faults;
}

interface Report {
  results: { rule: string; level: string; verdict: string; evidence: string }[];
  proof: { part: string; verdict: string; evidence: string }[] | null;
}

/** Rules that the package must keep and does not, and what of it did not play. */
function brokenRules({ results, proof }: Report): string[] {
  return [
    ...results.filter(({ level, verdict }) => level === "MUST" && verdict === "fail").map(({ rule }) => rule),
    ...(proof ?? [])
      .filter(({ verdict }) => verdict === "fail")
      .map(({ part, evidence }) => `${part}: ${evidence}`),
  ];
}

function faultOfAsset(
  asset: KnownAsset,
  body: {
    state: string;
    filename: string;
    error: { code: string; message: string } | null;
    renditions: { kind: string; language?: string }[];
  },
): string | null {
  const { fate, alsoFate, film, filename, isRolledBack, tracks } = asset;
  if (fate === "made" && film.failsWith.length > 0) {
    if (body.state === "ready") return "is ready, and should not be";
    return body.state === "failed" && film.failsWith.includes(body.error?.code ?? "")
      ? null
      : `${body.state} ${body.error?.code}`;
  }
  const wanted = [STATE_OF_FATE[fate], ...(alsoFate === null ? [] : [STATE_OF_FATE[alsoFate]])];
  if (!wanted.includes(body.state as never))
    return `${body.state} ${body.error?.code}: ${body.error?.message}`;
  if (body.state !== "ready") return null;
  if (!isRolledBack && body.filename !== filename) return `is made of ${body.filename}`;
  const texts = body.renditions.filter(({ kind }) => kind === "subtitle").map(({ language }) => language);
  const missing = isRolledBack ? [] : [...tracks].filter((language) => !texts.includes(language));
  return missing.length > 0 ? `without its tracks ${missing}` : null;
}

/** Every accepted change of a title, and every link, is there. */
export async function checkTitles(client: Client, known: Acknowledged): Promise<string[]> {
  const faults: string[] = [];
  for (const title of known.titles) {
    const { status, body } = await client.insist("GET", `/v1/titles/${title.id}`, undefined, [200, 404]);
    const isGone = title.state === "deleted";
    if (isGone !== (status === 404)) faults.push(`${title.id} (${title.state}): ${status}`);
    else if (!isGone && (body.name.en !== title.name || body.state !== title.state))
      faults.push(
        `${title.id} is ${body.state} and called ${body.name.en}, not ${title.state} and ${title.name}`,
      );
    for (const code of title.links) {
      const link = await client.insist("GET", `/v1/links/${code}`, undefined, [200, 404]);
      if (isGone !== (link.status === 404)) faults.push(`link ${code} of ${title.id}: ${link.status}`);
    }
  }
  return faults;
}

/** All that had to be told was told, in messages that are signed. */
export function checkEvents(
  received: readonly Received[],
  secret: string,
  known: Acknowledged,
  assets: readonly AssetRecord[],
): string[] {
  const faults: string[] = [];
  for (const message of received) {
    try {
      verified(secret, message);
    } catch (thrown) {
      // The library of the receivers takes no message that is older than five minutes.
      if (!/too old/.test(String(thrown))) faults.push(`${message.payload.type}: ${thrown}`);
    }
  }
  const has = (type: string, data: Record<string, unknown>): number =>
    new Set(
      received
        .filter(
          ({ payload }) =>
            payload.type === type &&
            Object.entries(data).every(([name, value]) => payload.data[name] === value),
        )
        .map(({ headers }) => headers["webhook-id"]),
    ).size;
  const want = (type: string, data: Record<string, unknown>, least = 1): void => {
    const count = has(type, data);
    if (count < least) faults.push(`${type} ${JSON.stringify(data)}: ${count} of ${least}`);
  };
  for (const asset of known.assets) {
    const record = assets.find(({ _id }) => _id === asset.id);
    for (const uploadId of asset.uploadIds) want("upload.completed", { uploadId });
    if (record?.state === "ready") {
      want("asset.ready", { assetId: asset.id, generation: record.published?.generation });
      want("asset.playable", { assetId: asset.id });
    }
    if (record?.state === "failed") want("asset.failed", { assetId: asset.id });
    if (record?.state === "deleted") want("asset.deleted", { assetId: asset.id });
  }
  for (const title of known.titles) {
    want("title.published", { titleId: title.id }, title.publications);
    want("title.unpublished", { titleId: title.id }, title.takedowns);
  }
  return faults;
}

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
      .flatMap((one) => [one.pinned?.key, ...one.sidecars.map(({ key }) => key), ...one.retiredSources]),
  );
  for (const one of generations.filter(({ state }) => state !== "collected"))
    for (const key of [one.pinned.key, ...one.sidecars.map((sidecar) => sidecar.key)]) named.add(key);
  for await (const { key } of blobs.list("sources", ""))
    if (!named.has(key)) faults.push(`source of nobody: ${key}`);
  for (const [path, sha256] of seen) {
    const key = path.slice(1);
    const bytes = media.has(key) ? await blobs.read("media", key) : null;
    if (bytes === null || /\.(m3u8|mpd|vtt)$/.test(key)) continue;
    if (createHash("sha256").update(bytes).digest("hex") !== sha256)
      faults.push(`OTHER BYTES in storage: ${key}`);
  }
  return faults;
}

/** No multipart upload is open but those of uploads that are. */
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
  const open = new Set(
    (await library.uploads.find({ state: "open" }).toArray()).map(({ multipartId }) => multipartId),
  );
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
