import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import type { FetchRange } from "../../transcoder/partial-file.ts";
import { makePartialFile } from "../../transcoder/partial-file.ts";
import { readSourceIndex } from "../../transcoder/source-index.ts";
import { longFilm } from "../rig/long-film.ts";
import { BIG_BUCK_BUNNY, flashAndBeep, made } from "../rig/media.ts";
import { SOURCES } from "../rig/numbered-sources.ts";
import * as odd from "../rig/odd-media.ts";

/** What is read of every file to tell what is in it: a program that opens the rest as a hole learns the same, and complains of nothing. */

const run = promisify(execFile);
const { signal } = new AbortController();
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "matinee-index-test-"));
});
after(() => rm(folder, { recursive: true, force: true }));

/** The same minute with another codec's sound, or in another file. */
const withSound = (codec: string[], extension = "mp4") =>
  longFilm().then((film) =>
    made(extension, ["-i", film, "-map", "0", "-t", "20", "-c:v", "copy", ...codec, "{out}"]),
  );

const FILES: [string, () => Promise<string>][] = [
  ["a real film", async () => BIG_BUCK_BUNNY],
  ["a minute", () => longFilm()],
  ["AC-3", () => withSound(["-c:a", "ac3"])],
  ["E-AC-3", () => withSound(["-c:a", "eac3"])],
  ["uncompressed sound", () => withSound(["-c:a", "pcm_s24le"], "mov")],
  ["a sound of an uncommon codec", () => withSound(["-c:a", "alac"])],
  ["flashes", async () => flashAndBeep({ seconds: 3 })],
  ["a variable rate", odd.variableRate],
  ["many tracks", odd.manyTracks],
  ["late sound", odd.lateSound],
  ["cut by an edit list", odd.trimmedByEditList],
  ...SOURCES.filter(({ cut, failure }) => cut === undefined && failure === undefined).map(
    ({ name, file }): [string, () => Promise<string>] => [name, file],
  ),
];

/** A sparse copy with what is always read, and how much that is; null where the file has no such index. */
async function beginningOf(path: string): Promise<{ path: string; readBytes: number } | null> {
  const source = await open(path, "r");
  try {
    const { size } = await source.stat();
    const fetch: FetchRange = async ({ start, end }, take) => {
      const bytes = Buffer.alloc(end - start);
      await source.read(bytes, 0, bytes.length, start);
      await take([bytes], start);
    };
    const copy = await makePartialFile(join(folder, String(opened++)), size, fetch);
    const index = await readSourceIndex(copy, signal);
    if (index === null || index.tracks.length === 0) return null;
    await copy.fill(index.always, signal);
    return { path: copy.path, readBytes: copy.heldBytes() };
  } finally {
    await source.close();
  }
}
let opened = 0;

async function lookAt(path: string) {
  const { stdout, stderr } = await run("ffprobe", ["-v", "error", "-show_streams", "-of", "json", path]);
  return { streams: JSON.parse(stdout).streams, said: stderr };
}

let looked = 0;
for (const [name, file] of FILES)
  test(`${name}: its beginning tells what is in it`, async () => {
    const path = await file();
    const beginning = await beginningOf(path);
    if (beginning === null) return;
    looked += 1;
    assert.deepEqual(await lookAt(beginning.path), await lookAt(path));
  });

test("most of those files have such an index", () => {
  assert.ok(looked >= 15, `only ${looked}`);
});

const NOISE = ["-f", "lavfi", "-i", "nullsrc=size=640x360:rate=25:duration=4,geq=random(1)*255:128:128"];

test("of a film of common codecs it is a few seconds, of another or a large one what a demuxer may read", async () => {
  const film = await beginningOf(BIG_BUCK_BUNNY);
  assert.ok(film !== null && film.readBytes < 2e6, `${film?.readBytes} bytes`);
  for (const [extension, codec] of [
    ["mov", ["-c:v", "rawvideo"]],
    ["mp4", ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "0"]],
  ] as const) {
    const path = await made(extension, [...NOISE, ...codec, "{out}"]);
    const beginning = await beginningOf(path);
    const { size } = await stat(path);
    assert.ok(beginning !== null && size > 12e6, `${size} bytes`);
    assert.ok(beginning.readBytes > 5e6 && beginning.readBytes < 8e6, `${beginning.readBytes} bytes`);
  }
});
