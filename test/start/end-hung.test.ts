import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { type Hung, whyHung } from "../end-hung.ts";
import { eventually } from "../rig/processes.ts";

const RUN = join(import.meta.dirname, "../rig/run-with-limits.ts");
const folder = await mkdtemp(join(tmpdir(), "matinee-hung-"));
after(() => rm(folder, { recursive: true, force: true }));

const FINE = 'test("fine", () => {});';

test("what a file was heard of says whether it hangs", () => {
  const limits = { wholeMs: 100, afterLastTestMs: 10 };
  const rows: [string, Parameters<typeof whyHung>[0], number, boolean][] = [
    ["has named no test yet", { beganAtMs: 0, heardAtMs: 0, testsNamed: 0, testsDone: 0 }, 50, false],
    ["is in a test", { beganAtMs: 0, heardAtMs: 20, testsNamed: 2, testsDone: 1 }, 90, false],
    ["was heard just now", { beganAtMs: 0, heardAtMs: 45, testsNamed: 2, testsDone: 2 }, 50, false],
    ["is silent after its last test", { beganAtMs: 0, heardAtMs: 30, testsNamed: 2, testsDone: 2 }, 50, true],
    ["takes too long in a test", { beganAtMs: 0, heardAtMs: 99, testsNamed: 2, testsDone: 1 }, 101, true],
    ["takes too long before any", { beganAtMs: 0, heardAtMs: 0, testsNamed: 0, testsDone: 0 }, 101, true],
  ];
  for (const [name, heard, nowMs, isHung] of rows)
    assert.equal(whyHung(heard, limits, nowMs) !== null, isHung, name);
});

test("files that do not end are ended with what they started, and those after them run", async () => {
  const pidFile = join(folder, "pid");
  const files = {
    "1-waits": `${FINE} console.log("said before"); setInterval(() => {}, 1000);`,
    "2-busy": 'test("busy", () => { for (;;); });',
    // Its process ends; what it started has its output and lives on.
    "3-leaves": `${FINE} test("starts", () => {
      const child = spawn("sleep", ["600"], { stdio: "inherit", detached: true });
      writeFileSync(${JSON.stringify(pidFile)}, String(child.pid));
      child.unref();
    });`,
    "4-last": 'test("the last", () => {});',
  };
  const paths: string[] = [];
  for (const [name, text] of Object.entries(files)) paths.push(await written(name, text));

  const { hung, passed } = await runWithLimits(paths);
  assert.deepEqual(
    hung.map(({ file }) => file),
    paths.slice(0, 3),
  );
  assert.match(hung[0]!.why, /after its last test/);
  assert.equal(hung[0]!.lastOutput, "said before");
  assert.match(hung[1]!.why, /not done/);
  assert.ok(passed.includes("the last"));
  const pid = Number(await readFile(pidFile, "utf8"));
  await eventually("the sleeper gone", 60, () => isGone(pid) || null);
});

async function written(name: string, text: string): Promise<string> {
  const path = join(folder, `${name}.test.mjs`);
  const imports = 'import { test } from "node:test"; import { spawn } from "node:child_process";';
  await writeFile(path, `${imports} import { writeFileSync } from "node:fs"; ${text}`);
  return path;
}

/** In a process of its own: Node refuses a run within a run. The files are named from their folder, as `npm test` does. */
async function runWithLimits(files: string[]): Promise<{ hung: Hung[]; passed: string[] }> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const names = files.map((file) => basename(file));
  const { stdout } = await promisify(execFile)(process.execPath, [RUN, ...names], { env, cwd: folder });
  return JSON.parse(stdout);
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
