import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
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

test("what can be told without the server is told at once, with what to do instead", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "matinee-ingest-"));
  t.after(() => rm(folder, { recursive: true }));
  const empty = join(folder, "empty.mp4");
  await writeFile(empty, "");
  for (const [args, status, said] of [
    [[empty, "--codecs", "vp9"], 2, /--codecs.*hevc, av1/],
    [[empty, "--speed", "slow"], 2, /--speed.*fast, balanced, small/],
    [[empty, "--lane", "fast"], 2, /--lane.*normal, backfill/],
    [[empty, "--clearkey", "--codecs", "av1"], 2, /--clearkey.*av1: leave out one/],
    [[empty, "--resume", "up_1", "--ladder", "title"], 2, /opened with: leave out --ladder, or --resume/],
    [[empty], 1, /file_empty: .*is empty.*Name the film itself/s],
    [[folder], 1, /not_a_file: .*is a folder.*FOLDER/s],
  ] as const) {
    const run = ingest(...args);
    assert.equal(run.status, status, run.stderr);
    assert.match(run.stderr, said);
    assert.doesNotMatch(run.stderr, /server's log/);
  }
});

test("a viewer's token is told so before the file is hashed", async (t) => {
  const asked: string[] = [];
  const server = createServer(({ method, url }, response) => {
    asked.push(`${method} ${url}`);
    const problem = { code: "forbidden", detail: "This needs the role editor." };
    response.writeHead(403, { "Content-Type": "application/problem+json" }).end(JSON.stringify(problem));
  }).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const command = ["studio/cli/ingest.ts", import.meta.filename, "--api", api, "--token", "t"];
  const child = spawn(process.execPath, command, { stdio: ["ignore", "ignore", "pipe"] });
  const [said, [status]] = await Promise.all([text(child.stderr), once(child, "close")]);
  assert.equal(status, 1, said);
  assert.match(said, /forbidden: This needs the role editor\.\n.*an editor's/);
  assert.doesNotMatch(said, /Hashing|server's log/);
  assert.deepEqual(asked, ["GET /v1/assets?limit=1"]);
});
