import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { parseGrantKeys, signGrant } from "../../core/grant.ts";
import { s3ForTest } from "../stores/s3-for-test.ts";
import { storePackage } from "./edge-for-test.ts";

const NAME = "edge-main";
const MAIN = new URL("../../delivery/main.ts", import.meta.url).pathname;
const KEYS = `k1:${"0123456789abcdef".repeat(4)}`;

function startMain(env: Record<string, string>) {
  return spawn(process.execPath, [MAIN], { env, stdio: ["ignore", "pipe", "pipe"] });
}

test("the process serves, logs JSON without grants, and leaves with 0 on SIGTERM", async () => {
  const { prefix } = await storePackage(NAME);
  const s3 = s3ForTest(NAME);
  const edge = startMain({
    MATINEE_HTTP_PORT: "0",
    MATINEE_S3_ENDPOINT: s3.endpoint,
    MATINEE_S3_ACCESS_KEY_ID: s3.accessKeyId,
    MATINEE_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    MATINEE_S3_MEDIA_BUCKET: s3.mediaBucket,
    MATINEE_GRANT_KEYS: KEYS,
  });
  const exit = once(edge, "exit");
  const lines = createInterface({ input: edge.stdout });
  const log: string[] = [];
  lines.on("line", (line) => log.push(line));
  await once(lines, "line");
  const { port, msg } = JSON.parse(log[0] ?? "");
  assert.equal(msg, "listening");
  const [key] = parseGrantKeys(KEYS);
  const expiresAtSeconds = Math.floor(Date.now() / 1_000) + 300;
  const grant = signGrant(key!, { prefix, expiresAtSeconds, session: "ps_main" });
  const answer = await fetch(`http://127.0.0.1:${port}/v/${grant}${prefix}main.m3u8`);
  assert.equal(answer.status, 200);
  assert.match(await answer.text(), /^#EXTM3U/);
  edge.kill("SIGTERM");
  assert.deepEqual(await exit, [0, null]);
  assert.ok(!log.join("").includes(grant));
  for (const line of log) JSON.parse(line);
});

test("bad settings end the process with 1 and their names", async () => {
  const edge = startMain({ MATINEE_GRANT_KEYS: "k1:00" });
  let text = "";
  edge.stderr.setEncoding("utf8").on("data", (piece) => (text += piece));
  assert.deepEqual(await once(edge, "close"), [1, null]);
  assert.match(text, /MATINEE_S3_ENDPOINT is missing/);
});
