import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { test } from "node:test";

const root = resolve(import.meta.dirname, "../..");

test("npm says nothing of its own on stdout: with --json what stands there is for machines", () => {
  // As from a terminal: what the npm around this test run tells its children would count for this one too.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("npm_")));
  const start = spawnSync("npm", ["start", "--", "--json", "--workers", "0"], { cwd: root, env });
  assert.equal(start.status, 1);
  assert.match(start.stderr.toString(), /--workers must be a whole number/);
  assert.equal(start.stdout.toString(), "");
});
