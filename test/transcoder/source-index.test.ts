import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { readSourceIndex } from "../../transcoder/source-index.ts";
import { longFilm } from "../rig/long-film.ts";
import { BIG_BUCK_BUNNY, flashAndBeep, made } from "../rig/media.ts";
import { SOURCES } from "../rig/numbered-sources.ts";
import * as odd from "../rig/odd-media.ts";
import { sparseCopy } from "../rig/sparse-copy.ts";

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

/** Twenty seconds that are entered each second, in a container that lists no other frame. */
const entered = (extension: string, codec: readonly string[]) =>
  made(extension, [
    ...["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=20"],
    ...["-f", "lavfi", "-i", "anoisesrc=d=20:c=pink:r=48000", "-vf", "noise=alls=60:allf=t+u"],
    ...["-b:v", "5M", "-g", "25", ...codec, "{out}"],
  ]);
const ULTRAFAST = ["-c:v", "libx264", "-preset", "ultrafast"];
const matroska = (codec: readonly string[]) =>
  entered("mkv", [...ULTRAFAST, "-c:a", "aac"]).then((film) =>
    made("mkv", ["-i", film, "-map", "0", "-c:v", "copy", ...codec, "{out}"]),
  );
const webm = () =>
  entered("webm", ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"]);

const FILES: [string, () => Promise<string>][] = [
  ["a real film", async () => BIG_BUCK_BUNNY],
  ["a minute", () => longFilm()],
  ["AC-3", () => withSound(["-c:a", "ac3"])],
  ["E-AC-3", () => withSound(["-c:a", "eac3"])],
  ["uncompressed sound", () => withSound(["-c:a", "pcm_s24le"], "mov")],
  ...(
    [
      ["AAC", ["copy"]],
      ["AC-3", ["ac3"]],
      ["E-AC-3", ["eac3"]],
      ["FLAC", ["flac"]],
      ["Opus", ["libopus"]],
      ["uncompressed sound", ["pcm_s24le"]],
      ["Vorbis", ["libvorbis"]],
    ] as const
  ).map(([codec, encoder]): [string, () => Promise<string>] => [
    `${codec} in Matroska`,
    () => matroska(["-c:a", ...encoder]),
  ]),
  ["VP9 and Opus in WebM", webm],
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
  const copy = await sparseCopy(path, join(folder, String(opened++)));
  const index = await readSourceIndex(copy, signal);
  if (index === null) return null;
  await copy.fill(index.always, signal);
  return { path: copy.path, readBytes: copy.heldBytes() };
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

test("of a film that lists keyframes it is as little", async () => {
  const film = await beginningOf(await matroska(["-c:a", "copy"]));
  assert.ok(film !== null && film.readBytes < 4e6, `${film?.readBytes} bytes`);
});

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
