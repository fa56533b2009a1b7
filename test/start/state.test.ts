import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { stopLeftovers } from "../../infra/start/leftovers.ts";
import { processId, processLives } from "../../infra/start/process-id.ts";
import { bootKeys, openSecrets } from "../../infra/start/secrets.ts";
import { openState, takeLock, waitForLock } from "../../infra/start/state.ts";
import { folderForTest, reportForTest } from "./folder-for-test.ts";

/** A process that lives until it is ended; ended with the test at the latest. */
async function sleeper(context: test.TestContext) {
  const child = spawn(process.execPath, ["-e", "console.log('up'); setInterval(() => {}, 1000)"], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  context.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  const id = processId(child.pid as number);
  assert.ok(id);
  return { child, id, ended: once(child, "exit") };
}

test("a process is known by its pid and its start, and gone when it has ended", async (context) => {
  const { child, id, ended } = await sleeper(context);
  assert.equal(processLives(id), true);
  assert.equal(processLives({ ...id, startedAt: "another time" }), false);
  child.kill("SIGKILL");
  await ended;
  assert.equal(processLives(id), false);
  assert.equal(processId(id.pid), null);
});

test("one lock at a time: a live holder keeps it, a dead one's is taken over", async (context) => {
  const path = join(folderForTest(context), "lock");
  const { child, id, ended } = await sleeper(context);
  writeFileSync(path, JSON.stringify(id));
  assert.deepEqual(takeLock(path), { heldBy: id.pid });
  child.kill("SIGKILL");
  await ended;
  const lock = takeLock(path);
  assert.ok("release" in lock);
  assert.deepEqual(takeLock(path), { heldBy: process.pid });
  lock.release();
  assert.ok("release" in takeLock(path));
});

test("a folder in use is refused by name; one whose start is stopping is waited for", async (context) => {
  const folder = folderForTest(context);
  const { child, id } = await sleeper(context);
  writeFileSync(join(folder, "lock"), JSON.stringify(id));
  const signal = new AbortController().signal;
  await assert.rejects(
    waitForLock(folder, reportForTest(), signal),
    new RegExp(`in use by another start \\(process ${id.pid}\\)`),
  );
  openState(join(folder, "state.json")).update((state) => {
    state.stopping = true;
  });
  const report = reportForTest();
  const lock = waitForLock(folder, report, signal);
  await report.heard(/waiting for it/);
  child.kill("SIGKILL");
  (await lock).release();
});

test("leftovers of a killed start are stopped; a stranger with a remembered pid is not", async (context) => {
  const state = openState(join(folderForTest(context), "state.json"));
  const left = await sleeper(context);
  const stranger = await sleeper(context);
  state.update(({ children }) => {
    children.push(
      { part: "left", ...left.id },
      { part: "stranger", pid: stranger.id.pid, startedAt: "before" },
    );
  });
  const report = reportForTest();
  await stopLeftovers(state, report);
  await left.ended;
  assert.equal(processLives(stranger.id), true);
  assert.deepEqual(state.read().children, []);
  assert.deepEqual(
    report.lines.map((line) => line.split(":")[0]),
    ["left"],
  );
});

test("state and secrets outlive the start, and are for their owner's eyes", (context) => {
  const folder = folderForTest(context);
  openState(join(folder, "state.json")).update((state) => {
    state.ports.api = 1234;
  });
  assert.equal(openState(join(folder, "state.json")).read().ports.api, 1234);
  const path = join(folder, "secrets.json");
  const secrets = openSecrets(path);
  assert.deepEqual(openSecrets(path), secrets);
  for (const name of ["state.json", "secrets.json"]) {
    assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
  }
  for (const token of Object.values(secrets.tokens)) {
    assert.match(token, /^mk_[A-Za-z0-9_-]{43}$/);
    assert.ok(!bootKeys(secrets.tokens).includes(token), "the API gets hashes only");
  }
  assert.match(secrets.grantKey, /^k1:[0-9a-f]{64}$/);
  const { masterKey, ...older } = secrets;
  writeFileSync(path, JSON.stringify(older));
  const completed = openSecrets(path);
  assert.deepEqual({ ...completed, masterKey }, secrets, "a folder of an older release keeps what it has");
  assert.match(completed.masterKey, /^m1:[0-9a-f]{64}$/);
  assert.equal(openSecrets(path).masterKey, completed.masterKey);
  assert.ok(readFileSync(path, "utf8").includes(secrets.redisPassword));
});
