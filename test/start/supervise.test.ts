import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import test from "node:test";
import type { ChildSpec } from "../../infra/start/child.ts";
import { type HeldPorts, holdFreePorts } from "../../infra/start/ports.ts";
import { processId } from "../../infra/start/process-id.ts";
import { openState } from "../../infra/start/state.ts";
import { createSupervisor } from "../../infra/start/supervise.ts";
import { eventually } from "../rig/processes.ts";
import { folderForTest, reportForTest } from "./folder-for-test.ts";

/** A supervisor in a folder of its own, and how to describe a child by a script and the file that says it is up. */
function setUp(context: test.TestContext, ports: HeldPorts = { numbers: {}, handOver: async () => true }) {
  // Before the folder goes: hooks run in the order in which they were named.
  context.after(() => supervisor.stopAll());
  const folder = folderForTest(context);
  const state = openState(join(folder, "state.json"));
  const report = reportForTest();
  const ending = new AbortController();
  const supervisor = createSupervisor({
    logDirectory: join(folder, "logs"),
    state,
    report,
    ports,
    signal: ending.signal,
  });
  const child = (part: string, script: string, more: Partial<ChildSpec> = {}): ChildSpec => ({
    part,
    command: process.execPath,
    args: ["-e", `const fs = require("node:fs"); ${script}`],
    env: { ...process.env, UP: join(folder, part), ORDER: join(folder, "order") },
    layer: 0,
    stopMs: 60_000,
    check: async () => (existsSync(join(folder, part)) ? null : "it is not up"),
    ...more,
  });
  const pidOf = (part: string) => state.read().children.find((one) => one.part === part)?.pid as number;
  return { folder, state, report, ending, supervisor, child, pidOf };
}

const UP = "fs.writeFileSync(process.env.UP, String(process.pid)); setInterval(() => {}, 1000);";

test("a child is up once its check holds, remembered while it runs, and gone after the stop", async (context) => {
  const { state, supervisor, child, pidOf } = setUp(context);
  await supervisor.start(child("a", UP));
  const pid = pidOf("a");
  assert.ok(processId(pid));
  await supervisor.stopAll();
  assert.equal(processId(pid), null);
  assert.deepEqual(state.read().children, []);
});

test("a child that dies is started again, and the person is told", async (context) => {
  const { report, supervisor, child, pidOf } = setUp(context);
  await supervisor.start(child("a", UP));
  const first = pidOf("a");
  process.kill(first, "SIGKILL");
  await report.heard(/^a: ended \(SIGKILL\); starting it again/);
  await report.heard(/^a: is back/);
  assert.notEqual(pidOf("a"), first);
  assert.ok(processId(pidOf("a")));
});

test("a child that cannot start says why with the end of its log", async (context) => {
  const { supervisor, child } = setUp(context);
  const broken = child("a", 'console.error("the disk has no attributes"); process.exit(9);');
  await assert.rejects(supervisor.start(broken), /a ended \(exit code 9\)\n +the disk has no attributes\n/);
  await assert.rejects(supervisor.start({ ...broken, command: "/no/such/program" }), /a ended \(.*ENOENT/);
});

test("a part is started on its port, and never where a stranger would answer in its place", async (context) => {
  const ports = await holdFreePorts(["a", "b"]);
  const { supervisor, child, state } = setUp(context, ports);
  const listen = (port: number | undefined) =>
    `require("node:net").createServer().listen(${port}, "127.0.0.1");`;
  await supervisor.start(child("a", `${listen(ports.numbers.a)} ${UP}`));
  await ports.handOver("b");
  const stranger = createServer().listen(ports.numbers.b, "127.0.0.1");
  context.after(() => stranger.close());
  await once(stranger, "listening");
  await assert.rejects(supervisor.start(child("b", UP)), /^Error: b: port \d+ is taken by another program$/);
  assert.deepEqual(
    state.read().children.map(({ part }) => part),
    ["a"],
  );
});

test("an answer from a stranger on the part's port is not the part's", async (context) => {
  const stranger = createServer().listen(0, "127.0.0.1");
  context.after(() => stranger.close());
  await once(stranger, "listening");
  const { port } = stranger.address() as AddressInfo;
  // It came between the hand-over and the part.
  const { supervisor, child } = setUp(context, { numbers: { a: port }, handOver: async () => true });
  const part = `require("node:net").createServer().listen(${port}, "127.0.0.1");`;
  await assert.rejects(supervisor.start(child("a", part, { check: async () => null })), /EADDRINUSE/);
});

test("higher layers stop first, and whoever ignores SIGTERM is killed with all its children", async (context) => {
  const { folder, supervisor, child, pidOf } = setUp(context);
  const tell = (name: string) =>
    `process.on("SIGTERM", () => { fs.appendFileSync(process.env.ORDER, "${name} "); process.exit(0); }); ${UP}`;
  const deaf = `process.on("SIGTERM", () => {});
    const grandchild = require("node:child_process").spawn("sleep", ["1000"]);
    fs.writeFileSync(process.env.UP + ".child", String(grandchild.pid)); ${UP}`;
  await supervisor.start(child("below", tell("below")));
  await supervisor.start(child("above", tell("above"), { layer: 1 }));
  await supervisor.start(child("deaf", deaf, { layer: 2, stopMs: 200 }));
  const pids = [pidOf("deaf"), Number(readFileSync(join(folder, "deaf.child"), "utf8"))];
  await supervisor.stopAll();
  assert.equal(readFileSync(join(folder, "order"), "utf8"), "above below ");
  assert.equal(processId(pids[0] as number), null);
  // Its parent is gone, so init reaps it, in its own time.
  await eventually("the grandchild gone", 60, () => processId(pids[1] as number) === null || null);
});

test("a stop during the start ends the wait, and nothing is started afterwards", async (context) => {
  const { ending, supervisor, child, pidOf, state } = setUp(context);
  const starting = supervisor.start(child("slow", "setInterval(() => {}, 1000)"));
  assert.ok(pidOf("slow"));
  ending.abort(new Error("enough"));
  await assert.rejects(starting, /enough/);
  await assert.rejects(supervisor.start(child("late", UP)), /enough/);
  await supervisor.stopAll();
  assert.deepEqual(state.read().children, []);
});
