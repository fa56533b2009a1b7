import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { GrantKey } from "../../core/grant.ts";
import { grantKeySettings } from "../../core/grant-key-settings.ts";
import type { Revocations } from "../../core/revocation.ts";
import { Settings } from "../../core/settings.ts";
import { openBlobs } from "../../stores/blobs.ts";
import { watchGrantKeys } from "../../stores/grant-key-watch.ts";
import { openLog } from "../../stores/log.ts";
import { watchRevocations } from "../../stores/revocation-watch.ts";
import { type Changes, changesBetween, entriesOf } from "./key-value-entries.ts";

/**
 * Keeps the key-value store of the CloudFront function in step with the grant keys and with what was called back. Runs
 * beside the API for as long as CloudFront delivers, with its settings of keys (or of their file); needs the `aws` command, version 2, and its credentials:
 *
 *   MATINEE_CLOUDFRONT_KVS_ARN=… MATINEE_GRANT_KEYS=… MATINEE_S3_…=… node infra/cloudfront/main.ts
 */

const SYNC_EVERY_MS = 10_000;

const run = promisify(execFile);
const log = openLog({ name: "cloudfront", level: process.env.MATINEE_LOG_LEVEL || "info" });
const arn = setting("MATINEE_CLOUDFRONT_KVS_ARN");
const settings = new Settings(process.env);
const { grantKeys, grantKeysFile } = grantKeySettings(settings);
settings.refuseFaults("the grant keys");
const blobs = openBlobs({
  endpoint: setting("MATINEE_S3_ENDPOINT"),
  publicEndpoint: setting("MATINEE_S3_ENDPOINT"),
  region: process.env.MATINEE_S3_REGION || "us-east-1",
  accessKeyId: setting("MATINEE_S3_ACCESS_KEY_ID"),
  secretAccessKey: setting("MATINEE_S3_SECRET_ACCESS_KEY"),
  sourceBucket: "unused",
  mediaBucket: setting("MATINEE_S3_MEDIA_BUCKET"),
});
const keyWatch = grantKeysFile === null ? null : await watchGrantKeys({ file: grantKeysFile, log });
const watch = await watchRevocations({ blobs, log });
let written: { list: Revocations; keys: readonly GrantKey[] } | null = null;
let syncing: Promise<void> = sync();
const timer = setInterval(() => {
  syncing = syncing.then(sync);
}, SYNC_EVERY_MS);
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, async () => {
    clearInterval(timer);
    watch.close();
    keyWatch?.close();
    await syncing;
    blobs.close();
  });
}

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is missing`);
  return value;
}

/** What failed is tried again at the next turn. */
async function sync(): Promise<void> {
  const list = watch.list();
  const keys = keyWatch?.keys() ?? grantKeys;
  if (list === written?.list && keys === written.keys) return;
  try {
    const { Items = [] } = await aws<{ Items?: { Key: string; Value: string }[] }>("list-keys");
    const present = new Map(Items.map(({ Key, Value }) => [Key, Value]));
    for (const changes of changesBetween(present, entriesOf(keys, list))) await apply(changes);
    written = { list, keys };
    log.info("the function's store is in step");
  } catch (thrown) {
    log.error({ err: thrown }, "the function's store was not brought into step");
  }
}

async function apply(changes: Changes): Promise<void> {
  // In a file: on a command line every user of the machine would read the keys.
  const folder = await mkdtemp(join(tmpdir(), "matinee-cloudfront-"));
  try {
    const file = join(folder, "changes.json");
    const { ETag } = await aws<{ ETag: string }>("describe-key-value-store");
    await writeFile(
      file,
      JSON.stringify({ KvsARN: arn, IfMatch: ETag, Puts: changes.puts, Deletes: changes.deletes }),
      {
        mode: 0o600,
      },
    );
    await aws("update-keys", ["--cli-input-json", `file://${file}`]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function aws<T>(call: string, more: string[] = ["--kvs-arn", arn]): Promise<T> {
  const args = ["cloudfront-keyvaluestore", call, "--output", "json", ...more];
  const { stdout } = await run("aws", args, { timeout: 30_000, maxBuffer: 32 * 1024 * 1024 });
  return JSON.parse(stdout || "{}") as T;
}
