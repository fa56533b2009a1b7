import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

/** What the command refuses before it asks anybody. */
function ingest(...args: string[]): { status: number | null; stderr: string } {
  const command = ["studio/cli/ingest.ts", ...args, "--api", "http://127.0.0.1:1", "--token", "t"];
  return spawnSync(process.execPath, command, { encoding: "utf8" });
}

test("an upload is resumed from a file, and never by what the server fetches", () => {
  for (const args of [
    ["https://films.example/a.mov", "--resume", "up_1"],
    ["a.mov", "b.mov", "--resume", "up_1"],
  ]) {
    const { status, stderr } = ingest(...args);
    assert.equal(status, 2, stderr);
    assert.match(stderr, /^error: --resume.* a file|^error: --resume.* one file/m);
  }
});
