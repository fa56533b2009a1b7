import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { watchGrantKeys } from "../../stores/grant-key-watch.ts";
import { openLog } from "../../stores/log.ts";

const [one, two] = [randomBytes(32).toString("hex"), randomBytes(32).toString("hex")];

async function watched(context: TestContext, onKeys?: () => void) {
  const folder = await mkdtemp(join(tmpdir(), "matinee-keys-"));
  const file = join(folder, "grant-keys");
  const write = async (text: string): Promise<void> => {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  };
  await write(`k1:${one}\n`);
  const lines: string[] = [];
  const log = openLog({ name: "keys", level: "info", destination: { write: (line) => lines.push(line) } });
  const watch = await watchGrantKeys({ file, log, ...(onKeys === undefined ? {} : { onKeys }) });
  context.after(async () => {
    watch.close();
    await rm(folder, { recursive: true });
  });
  return { file, write, lines, log, watch, kids: () => watch.keys().map(({ kid }) => kid) };
}

test("keys are those of the file, as soon as it says others, in its order", async (context) => {
  const { write, watch, kids, lines } = await watched(context);
  assert.deepEqual(kids(), ["k1"]);
  for (const text of [`k1:${one},k2:${two}`, `k2:${two}, k1:${one}\n`, `k2:${two}\n`]) {
    await write(text);
    await watch.look();
    await watch.look();
    assert.deepEqual(kids(), text.match(/k\d/g));
  }
  assert.equal(lines.length, 3, "one line a change");
});

test("a file that is broken, empty or gone replaces nothing, and is told of once without a secret", async (context) => {
  const { file, write, watch, kids, lines } = await watched(context);
  const broken = [`k1:${one},k2:${two.slice(0, 40)}`, `k1:${one},k1:${two}`, `k1:${one},`, "", "\n"];
  for (const text of broken) {
    await write(text);
    for (let times = 0; times < 3; times++) await watch.look();
    assert.deepEqual(kids(), ["k1"], text);
  }
  await rm(file);
  for (let times = 0; times < 3; times++) await watch.look();
  assert.deepEqual(kids(), ["k1"]);
  assert.equal(new Set(lines.map((line) => JSON.parse(line).err.message)).size, lines.length);
  assert.ok(lines.length >= 4);
  assert.ok(!lines.join("").includes(one) && !lines.join("").includes(two.slice(0, 40)));
  await write(`k2:${two}`);
  await watch.look();
  assert.deepEqual(kids(), ["k2"]);
});

test("who cannot take new keys is asked again, and the last ones hold until then", async (context) => {
  let isReady = false;
  const { write, watch, kids } = await watched(context, () => {
    if (!isReady) throw new Error("not yet");
  });
  await write(`k2:${two}`);
  await watch.look();
  assert.deepEqual(kids(), ["k1"]);
  isReady = true;
  await watch.look();
  assert.deepEqual(kids(), ["k2"]);
});

test("nothing starts with a file that is broken or not there", async (context) => {
  const { file, write, log } = await watched(context);
  await assert.rejects(watchGrantKeys({ file: `${file}.none`, log }), /ENOENT/);
  await write("k1:00");
  await assert.rejects(watchGrantKeys({ file, log }), /shorter than 32 bytes/);
});
