import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, type TestContext, test } from "node:test";
import { type GrantKey, signGrant } from "../../core/grant.ts";
import { openBlobs } from "../../stores/blobs.ts";
import { startNginxEdge } from "../rig/nginx-edge.ts";
import { eventually } from "../rig/processes.ts";
import { s3ForTest } from "../stores/s3-for-test.ts";
import { storePackage } from "./edge-for-test.ts";
import { raw } from "./edge-under-test.ts";

const NAME = "rotation";
const PLAYERS = 50;
const LONG = "video/360p/00009.m4s";
const LONG_BYTES = 32 * 1024 * 1024;
const NODE_EDGE = new URL("../../delivery/main.ts", import.meta.url).pathname;
const s3 = s3ForTest(NAME);
const { prefix } = await storePackage(NAME);
const blobs = openBlobs(s3);
after(() => blobs.close());
await blobs.put("media", `${prefix.slice(1)}${LONG}`, Buffer.alloc(LONG_BYTES, 7), {
  contentType: "video/mp4",
});

type Environment = Record<string, string>;

/** Its address. */
async function startNodeEdge(context: TestContext, environment: Environment): Promise<string> {
  const env = { MATINEE_HTTP_PORT: "0", ...environment };
  const child = spawn(process.execPath, [NODE_EDGE], { env, stdio: ["ignore", "pipe", "inherit"] });
  const exit = once(child, "exit");
  context.after(async () => {
    child.kill("SIGTERM");
    await exit;
  });
  const lines = createInterface({ input: child.stdout });
  const [line] = await once(lines, "line");
  return `http://127.0.0.1:${JSON.parse(line).port}`;
}

async function startNginx(context: TestContext, environment: Environment): Promise<string> {
  const edge = await startNginxEdge(environment, blobs);
  context.after(() => edge.stop());
  return edge.url;
}

const edges: [name: string, start: typeof startNginx, skip: string | false][] = [
  ["the Node edge", startNodeEdge, false],
  ["nginx", startNginx, process.env.MATINEE_TEST_NGINX ? false : "there is no nginx with njs here"],
];
for (const [name, start, skip] of edges) {
  test(`three rotations through the file under ${PLAYERS} players fail no segment at ${name} (T32)`, {
    skip,
  }, async (context) => {
    const file = await keyFile(context);
    let signer = newKey("r0");
    await file.write(signer);
    const url = await start(context, {
      MATINEE_S3_ENDPOINT: s3.endpoint,
      MATINEE_S3_ACCESS_KEY_ID: s3.accessKeyId,
      MATINEE_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
      MATINEE_S3_MEDIA_BUCKET: s3.mediaBucket,
      MATINEE_GRANT_KEYS_FILE: file.path,
    });
    const long = await beginLong(url, signer);
    const players = playAt(url, () => signer);
    for (const kid of ["r1", "r2", "r3"]) {
      const [old, key] = [signer, newKey(kid)];
      await file.write(old, key);
      await eventually(`${kid} taken`, 60, () => isTaken(url, key));
      await file.write(key, old);
      // The API signs with it from now on; the old one is dropped when no player has a grant of it any more.
      signer = key;
      await players.everybodyRenewed();
      await file.write(key);
      await eventually(`${old.kid} dropped`, 60, async () => (await statusUnder(url, old)) === 403 || null);
      await file.writeText(`${kid}:00`);
      await players.everybodyRenewed();
      assert.equal(await statusUnder(url, key), 200, "a broken file replaces nothing");
    }
    assert.deepEqual(await players.stop(), []);
    assert.equal(await bytesOf(long), LONG_BYTES, "what was being sent is sent to its end");
  });
}

function newKey(kid: string): GrantKey {
  return { kid, secret: randomBytes(32) };
}

async function keyFile(context: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "matinee-rotation-"));
  context.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "grant-keys");
  const writeText = async (text: string): Promise<void> => {
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  };
  const textOf = ({ kid, secret }: GrantKey) => `${kid}:${Buffer.from(secret).toString("hex")}`;
  return {
    path,
    writeText,
    write: (...keys: GrantKey[]) => writeText(`${keys.map(textOf).join(",")}\n`),
  };
}

/** Another one each time: what nginx keeps of one says nothing of the next. */
function grantUnder(key: GrantKey): string {
  const expiresAtSeconds = Math.floor(Date.now() / 1_000) + 300;
  return signGrant(key, { prefix, expiresAtSeconds, session: `ps_${randomBytes(8).toString("hex")}` });
}

async function statusUnder(url: string, key: GrantKey): Promise<number> {
  return (await raw(url, `/v/${grantUnder(key)}${prefix}main.m3u8`)).status;
}

/** By whoever answers: for a moment nginx has workers of before and new ones. */
async function isTaken(url: string, key: GrantKey): Promise<true | null> {
  for (let times = 0; times < 20; times++) if ((await statusUnder(url, key)) !== 200) return null;
  return true;
}

/** Players who renew their grants before each round of requests, as often as they can. */
function playAt(url: string, signer: () => GrantKey) {
  const failed: string[] = [];
  const renewals = Array.from({ length: PLAYERS }, () => 0);
  const renewed = new EventEmitter();
  let isOver = false;
  const play = async (player: number): Promise<void> => {
    while (!isOver) {
      const key = signer();
      const grant = grantUnder(key);
      for (const path of ["main.m3u8", "video/360p/00000.m4s", "audio/a0/00000.m4s"]) {
        const status = await raw(url, `/v/${grant}${prefix}${path}`).then(
          (answer) => answer.status,
          (thrown: Error) => thrown.message,
        );
        if (status !== 200) failed.push(`${status} ${path} under ${key.kid}`);
      }
      renewals[player]! += 1;
      renewed.emit("renewed");
    }
  };
  const players = renewals.map((_, player) => play(player));
  return {
    async everybodyRenewed(): Promise<void> {
      const before = [...renewals];
      while (renewals.some((count, player) => count < before[player]! + 2)) await once(renewed, "renewed");
    },
    async stop(): Promise<string[]> {
      isOver = true;
      await Promise.all(players);
      return failed;
    },
  };
}

/** An answer of which nothing is read yet. */
function beginLong(url: string, key: GrantKey): Promise<IncomingMessage> {
  return new Promise((resolve, reject) =>
    get(`${url}/v/${grantUnder(key)}${prefix}${LONG}`, { agent: false }, resolve).on("error", reject),
  );
}

async function bytesOf(answer: IncomingMessage): Promise<number> {
  let total = 0;
  for await (const piece of answer) total += piece.length;
  return total;
}
