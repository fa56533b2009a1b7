import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { GrantKey } from "../../core/grant.ts";
import { NO_REVOCATIONS } from "../../core/revocation.ts";
import { openBlobs } from "../../stores/blobs.ts";
import { watchGrantKeys } from "../../stores/grant-key-watch.ts";
import { openLog, withoutSecrets } from "../../stores/log.ts";
import { STALE_AFTER_SECONDS, watchRevocations } from "../../stores/revocation-watch.ts";
import { writeKeyObject } from "./key-object.ts";
import { renderNginx } from "./render.ts";
import { writeRevokedFiles } from "./revoked-files.ts";
import { readNginxSettings } from "./settings.ts";
import { emptyVerdicts, forgetVerdicts } from "./verdict-files.ts";

/**
 * The nginx edge: nginx with our configuration, and beside it the one thing that it cannot do by itself, looking for
 * what was called back. nginx answers alone; while this process is gone the last list holds.
 */

/** How often it is written down that the list could be had (nginx's readiness goes by it), and old verdicts are removed. */
const MARK_EVERY_MS = 5_000;

const settings = readNginxSettings(process.env);
const log = openLog({ name: "nginx-edge", level: settings.logLevel });
const state = resolve(settings.stateFolder);
const revoked = join(state, "revoked");
const verdicts = join(state, "verdicts");
const codeFolder = join(state, "code");
for (const folder of [state, codeFolder, settings.cacheFolder]) await mkdir(folder, { recursive: true });
await copyFile(join(import.meta.dirname, "edge.js"), join(codeFolder, "edge.js"));
await copyFile(join(import.meta.dirname, "../edge/grant.js"), join(codeFolder, "grant.js"));
// Of a process that was killed.
const pidFile = join(state, "nginx.pid");
await rm(pidFile, { force: true });
const configuration = join(state, "nginx.conf");
await writeFile(
  configuration,
  renderNginx({ ...settings, stateFolder: state }, codeFolder, process.getuid?.() === 0),
);

const blobs = openBlobs(settings.blobs);
await writeRevokedFiles(revoked, NO_REVOCATIONS);
await emptyVerdicts(verdicts);
const watch = await watchRevocations({
  blobs,
  log,
  folder: state,
  everyMs: settings.revocationsEveryMs,
  // In this order: a verdict that is kept meanwhile has seen the list (edge.js).
  onList: async (list) => {
    await writeRevokedFiles(revoked, list);
    await forgetVerdicts(verdicts, list, Date.now() / 1_000);
  },
});
const mark = async (): Promise<void> => {
  if (watch.ageSeconds() < STALE_AFTER_SECONDS) await writeFile(join(state, "looked"), "");
  await forgetVerdicts(verdicts, watch.list(), Date.now() / 1_000);
};
await mark();
const marking = setInterval(
  () => void mark().catch((thrown) => log.warn({ err: thrown }, "not marked")),
  MARK_EVERY_MS,
);

// nginx reads the keys with its configuration: new workers answer from then on, and those of before end what they answer.
const keyObject = join(codeFolder, "keys.json");
const takeKeys = async (keys: readonly GrantKey[]): Promise<void> => {
  // Before it has written its number a signal would end it; whoever watches the file asks again.
  if (!existsSync(pidFile)) throw new Error("nginx has not started yet");
  await writeKeyObject(keyObject, keys);
  nginx.kill("SIGHUP");
};
const { grantKeysFile } = settings;
const keyWatch =
  grantKeysFile === null ? null : await watchGrantKeys({ file: grantKeysFile, log, onKeys: takeKeys });
await writeKeyObject(keyObject, keyWatch?.keys() ?? settings.grantKeys);
const nginx = spawn(settings.nginxPath, ["-p", state, "-c", configuration, "-e", "stderr"], {
  env: {
    PATH: process.env.PATH,
    MATINEE_NGINX_STATE: state,
    MATINEE_S3_REGION: settings.blobs.region,
    MATINEE_S3_MEDIA_BUCKET: settings.blobs.mediaBucket,
    MATINEE_S3_ACCESS_KEY_ID: settings.blobs.accessKeyId,
    MATINEE_S3_SECRET_ACCESS_KEY: settings.blobs.secretAccessKey,
  },
  stdio: ["ignore", "inherit", "pipe"],
});
// nginx tells of what fails with the whole request line, and of that no part can be left out there (RELIABILITY T29).
createInterface({ input: nginx.stderr }).on("line", (line) => {
  process.stderr.write(`${withoutSecrets(line)}\n`);
});
// QUIT lets answers under way end; who sends a second signal does not want to wait for them.
let signals = 0;
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => nginx.kill(signals++ === 0 ? "SIGQUIT" : "SIGTERM"));
}
log.info({ listen: settings.listen }, "nginx started");
const [code] = (await once(nginx, "exit")) as [number | null];
clearInterval(marking);
keyWatch?.close();
watch.close();
blobs.close();
process.exitCode = code ?? 1;
