import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { test } from "node:test";
import { promisify } from "node:util";
import { readBoxes } from "../../core/box-reader.ts";
import { Failure } from "../../core/errors.ts";
import { listSamples } from "../../core/listed-samples.ts";
import { PACKET_ENTRIES, type PacketTable, packetCollector } from "../../core/packet-table.ts";
import { readSampleTables, type SampleTrack } from "../../core/sample-table.ts";
import { BIG_BUCK_BUNNY, flashAndBeep, made } from "../rig/media.ts";
import { SOURCES } from "../rig/numbered-sources.ts";
import * as odd from "../rig/odd-media.ts";

const run = promisify(execFile);

/** Copied with the index first and with sound and picture far apart. */
const remuxed = async (args: string[], extension = "mp4"): Promise<string> =>
  made(extension, ["-i", await flashAndBeep({ seconds: 3 }), "-c", "copy", ...args, "{out}"]);

const FILES: [string, () => Promise<string>][] = [
  ["a real film", async () => BIG_BUCK_BUNNY],
  ["the index first", () => remuxed(["-movflags", "+faststart"])],
  ["QuickTime", () => remuxed([], "mov")],
  ["no edit list", () => remuxed(["-use_editlist", "0"])],
  ["times of showing before those of decoding", () => remuxed(["-movflags", "+negative_cts_offsets"])],
  ["a late start", () => remuxed(["-output_ts_offset", "4"])],
  ["cut by an edit list", odd.trimmedByEditList],
  ["a variable rate", odd.variableRate],
  ["turned", odd.rotated],
  ...SOURCES.filter(({ cut, failure }) => cut === undefined && failure === undefined).map(
    ({ name, file }): [string, () => Promise<string>] => [name, file],
  ),
];

/** The `moov` of a file; null where it is no MP4. */
function moovOf(bytes: Uint8Array): Uint8Array | null {
  try {
    const moov = readBoxes(bytes).find(({ type }) => type === "moov");
    return moov === undefined ? null : bytes.subarray(moov.start, moov.end);
  } catch {
    return null;
  }
}

async function readByFfprobe(path: string, picture: { index: number; has_b_frames: number }) {
  const args = ["-v", "error", "-show_entries", PACKET_ENTRIES, "-of", "csv=p=0", path];
  const { stdout } = await run("ffprobe", args, { maxBuffer: 1e9 });
  const collector = packetCollector(picture);
  for (const line of stdout.split("\n")) collector.addLine(line);
  return collector.table();
}

/** To a microsecond: ffprobe rounds what it prints. */
function rounded({ frames, hasAllTimes, timelessFrames }: PacketTable) {
  const places = (seconds: Float64Array) => Array.from(seconds, (time) => Math.round(time * 1e5));
  return {
    ...{ hasAllTimes, timelessFrames },
    ...{ shown: places(frames.seconds), keyframes: places(frames.keyframeSeconds) },
  };
}

let read = 0;
for (const [name, file] of FILES) {
  test(`${name}: the file's own tables say what a demuxer finds`, async () => {
    const path = await file();
    const moov = moovOf(await readFile(path));
    const tables = moov && readSampleTables(moov);
    if (tables === null) return;
    read += 1;
    const { size } = await stat(path);
    const picture = { index: tables.find(({ handler }) => handler === "vide")!.index, has_b_frames: 2 };
    const [own, theirs] = [listSamples(tables, picture, size), await readByFfprobe(path, picture)];
    assert.deepEqual(rounded(own), rounded(theirs));
    for (const [stream, { startSeconds, endSeconds }] of theirs.spans) {
      const span = own.spans.get(stream)!;
      assert.ok(Math.abs(span.startSeconds - startSeconds) < 1e-5, `stream ${stream} starts`);
      // The file states a last frame of sound that is cut short; ffprobe counts it as whole.
      assert.ok(Math.abs(span.endSeconds - endSeconds) < 0.03, `stream ${stream} ends`);
    }
    checkPlaces(tables, await placesOf(path));
  });
}

test("samples under protection are known from the tables as from the packets", async () => {
  const path = await odd.encrypted();
  const tables = readSampleTables(moovOf(await readFile(path))!)!;
  const picture = { index: 0, has_b_frames: 0 };
  const own = listSamples(tables, picture, (await stat(path)).size);
  const theirs = await readByFfprobe(path, picture);
  for (const { encrypted } of [own, theirs]) assert.deepEqual([...encrypted].sort(), [0, 1]);
});

test("most of those files are read by their tables", () => {
  assert.ok(read >= 15, `only ${read}`);
});

test("what only a demuxer gets right is left to it", async () => {
  const fragmented = await remuxed(["-movflags", "+frag_keyframe+empty_moov"]);
  assert.equal(readSampleTables(moovOf(await readFile(fragmented))!), null);
  assert.equal(readSampleTables(new Uint8Array([0, 0, 0, 8, 109, 111, 111, 118])), null);
});

test("a file that ends before its samples is damaged", async () => {
  const path = await remuxed(["-movflags", "+faststart"]);
  const tables = readSampleTables(moovOf(await readFile(path))!)!;
  const { size } = await stat(path);
  assert.throws(
    () => listSamples(tables, { index: 0 }, size - 1),
    (thrown) => thrown instanceof Failure && thrown.code === "source_damaged",
  );
});

/** Offset and size of every packet of every stream, in the order of each. */
async function placesOf(path: string): Promise<Map<number, string[]>> {
  const args = ["-v", "error", "-show_entries", "packet=stream_index,size,pos", "-of", "csv=p=0", path];
  const { stdout } = await run("ffprobe", args, { maxBuffer: 1e9 });
  const places = new Map<number, string[]>();
  // Packets with side data print a second line without a place.
  for (const [, stream = "", size, position] of stdout.matchAll(/^(\d+),(\d+),(\d+)/gm)) {
    places.set(Number(stream), [...(places.get(Number(stream)) ?? []), `${position}+${size}`]);
  }
  return places;
}

function checkPlaces(tables: readonly SampleTrack[], places: ReadonlyMap<number, string[]>): void {
  for (const { index, offsets, sizes } of tables) {
    const own = new Set([...offsets].map((offset, at) => `${offset}+${sizes[at]}`));
    for (const place of places.get(index) ?? []) assert.ok(own.has(place), `stream ${index}: ${place}`);
  }
}
