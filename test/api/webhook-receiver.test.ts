import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { sendWebhook } from "../../api/send-webhook.ts";
import { parseNetworks } from "../../core/public-address.ts";
import { makeSigningSecret, secretText, webhookHeaders } from "../../core/standard-webhooks.ts";
import { eventually } from "../rig/processes.ts";

/** The receiver that docs/webhooks.md shows, as a reader would run it. */
const secret = makeSigningSecret();
const lines: string[] = [];
let url: string;
let stop: () => Promise<void>;
before(async () => {
  const page = await readFile("docs/webhooks.md", "utf8");
  const [, program] = /```js\n([\s\S]*?)```/.exec(page)!;
  const folder = await mkdtemp(join(tmpdir(), "matinee-receiver-"));
  await writeFile(join(folder, "receiver.mjs"), program!);
  const receiver = spawn(process.execPath, [join(folder, "receiver.mjs")], {
    env: { SECRET: secretText(secret), PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  createInterface({ input: receiver.stdout }).on("line", (line) => lines.push(line));
  const said = await eventually("the receiver listens", 60, () => /^port (\d+)/.exec(lines[0] ?? ""));
  url = `http://127.0.0.1:${said[1]}/`;
  stop = async () => {
    receiver.kill();
    await rm(folder, { recursive: true });
  };
});
after(() => stop());

const id = "ev_1";
const body = '{"type":"asset.ready","timestamp":"2030-01-01T12:00:00.000Z","data":{"assetId":"as_1"}}';
const networks = parseNetworks("127.0.0.0/8");

async function statusOf(at: Date, secrets = [secret]): Promise<number | null> {
  const { signal } = new AbortController();
  return (await sendWebhook({ url, id, body, secrets }, { at, networks, signal })).status;
}

async function statusOfForged(sent: { body: string; headers: Record<string, string> }): Promise<number> {
  return (await fetch(url, { method: "POST", ...sent })).status;
}

test("the documented receiver takes what we send, each event once, and by either secret of a rotation", async () => {
  assert.equal(await statusOf(new Date()), 204);
  assert.equal(await statusOf(new Date(), [makeSigningSecret(), secret]), 204);
  assert.deepEqual(lines.slice(1), [body]);
});

test("T25 the documented receiver refuses a replayed old message, a changed one and a stranger's", async () => {
  const before = lines.length;
  const minutes = (count: number) => new Date(Date.now() + count * 60_000);
  assert.equal(await statusOf(minutes(-6)), 401);
  assert.equal(await statusOf(minutes(6)), 401);
  assert.equal(await statusOf(new Date(), [makeSigningSecret()]), 401);
  const headers = webhookHeaders([secret], { id, at: new Date(), body });
  assert.equal(await statusOfForged({ body: body.replace("as_1", "as_2"), headers }), 401);
  assert.equal(await statusOfForged({ body, headers: { ...headers, "webhook-id": "ev_2" } }), 401);
  assert.equal(await statusOfForged({ body, headers: {} }), 401);
  assert.equal(lines.length, before);
});
