import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type ByteRange, coveredBytes, joined, missing } from "../../core/byte-ranges.ts";
import { besideFrames, fillBeside } from "../../transcoder/beside-frames.ts";
import { clusterWindow } from "../../transcoder/cluster-window.ts";
import { element, unsigned } from "../rig/ebml.ts";
import { sparseCopy } from "../rig/sparse-copy.ts";

/** Clusters made by hand: a picture each 100 ms of 100 kB, a sound of 300 bytes beside each, a keyframe and a cluster a second. */

const PICTURE_BYTES = 100_000;
const SOUND_BYTES = 300;
const SECONDS = 20;
const { signal } = new AbortController();
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "matinee-blocks-"));
});
after(() => rm(folder, { recursive: true, force: true }));

/** RFC 9559 10.1: a track, a time within the cluster, flags; and what is in it. */
function block(id: string, track: number, ticks: number, bytes: number): Buffer {
  const head = Buffer.from([0x80 + track, 0, 0, 0]);
  head.writeInt16BE(ticks, 1);
  return element(id, head, Buffer.alloc(bytes, track));
}
const simple = (track: number, ticks: number, bytes: number) => block("a3", track, ticks, bytes);
/** What Matroska has for frames of which more is to be said. */
const grouped = (track: number, ticks: number, bytes: number) =>
  element("a0", block("a1", track, ticks, bytes), unsigned("9b", 100));

function cluster(second: number, frame = simple): Buffer {
  const frames = Array.from({ length: 10 }, (_, index) =>
    Buffer.concat([frame(1, index * 100, PICTURE_BYTES), frame(2, index * 100, SOUND_BYTES)]),
  );
  return element("1f43b675", unsigned("e7", second * 1000), ...frames);
}

async function film(frame = simple) {
  const clusters = Array.from({ length: SECONDS }, (_, second) => cluster(second, frame));
  const path = join(folder, `${made++}.mkv`);
  await writeFile(path, Buffer.concat(clusters));
  const clusterBytes = clusters[0]!.length;
  const cues = clusters.map((_, second) => ({ seconds: second, clusterAt: second * clusterBytes }));
  const picture = { number: 1, frameNanoseconds: 1e8 };
  const sizeBytes = SECONDS * clusterBytes;
  return { path, clusterBytes, entries: { cues, picture, secondsOfTick: 1e-3, sizeBytes } };
}
let made = 0;

for (const frame of [simple, grouped]) {
  const name = frame === simple ? "in blocks of their own" : "in groups";

  test(`frames ${name}: a stretch ends with the third picture that is shown a second behind it`, async () => {
    const { path, entries, clusterBytes } = await film(frame);
    const copy = await sparseCopy(path, `${path}.copy`);
    const window = { startSeconds: 5, endSeconds: 7.25 };
    const [range, another] = await clusterWindow(copy, entries, window, signal);
    assert.equal(another, undefined);
    // From the keyframe before the one it is entered at, since ffmpeg steps back; 8.3, 8.4 and 8.5 are read and 8.6 is not.
    const frameBytes = frame(1, 0, PICTURE_BYTES).length + frame(2, 0, SOUND_BYTES).length;
    const first = clusterBytes - 10 * frameBytes;
    assert.deepEqual(range, { start: 4 * clusterBytes, end: 8 * clusterBytes + first + 6 * frameBytes });
    assert.ok(copy.heldBytes() < 3 * 2 ** 20, `${copy.heldBytes()} bytes were read to find it`);
  });

  test(`frames ${name}: beside the pictures is all else, each element's head with it`, async () => {
    const { path, clusterBytes } = await film(frame);
    const stretch = { start: clusterBytes, end: 4 * clusterBytes };
    const beside = await besideFrames(path, stretch, 1);
    assert.ok(beside !== null);
    assert.equal(missing([stretch], beside).length, 30, "thirty insides");
    assert.ok(coveredBytes(missing([stretch], beside)) > 29.9 * PICTURE_BYTES);
    assert.deepEqual([beside[0]?.start, beside.at(-1)?.end], [stretch.start, stretch.end]);
    assert.deepEqual(await besideFrames(path, stretch, 3), [stretch], "of a track that is not there");
  });
}

test("a stretch to the end of the film ends there", async () => {
  const { path, entries } = await film();
  const copy = await sparseCopy(path, `${path}.copy`);
  const [range] = await clusterWindow(copy, entries, { startSeconds: 18.5, endSeconds: 20 }, signal);
  assert.equal(range?.end, entries.sizeBytes);
});

test("what is no row of elements is not gone through: then the stretch is what the index says, and nothing is left of it", async () => {
  const { path, entries, clusterBytes } = await film();
  // RFC 8794 6.2: a cluster that was never given its size.
  const open = Buffer.concat([Buffer.from("1f43b67501ffffffffffffff", "hex"), Buffer.alloc(clusterBytes)]);
  await writeFile(path, Buffer.concat([open, Buffer.alloc(entries.sizeBytes - open.length)]));
  const copy = await sparseCopy(path, `${path}.copy`);
  const window = { startSeconds: 0, endSeconds: 0.5 };
  assert.deepEqual(await clusterWindow(copy, entries, window, signal), [{ start: 0, end: 3 * clusterBytes }]);
  assert.equal(await besideFrames(path, { start: 0, end: 3 * clusterBytes }, 1), null);
  const { path: whole } = await film();
  assert.equal(await besideFrames(whole, { start: 0, end: clusterBytes - 7 }, 1), null, "cut within a block");
});

test("what lies beside the pictures of a group is brought by a request for each, and not again", async () => {
  const { path, entries, clusterBytes } = await film();
  const bytes = await readFile(path);
  const copy = await sparseCopy(path, `${path}.copy`);
  let requests = 0;
  const fetch = async ({ start, end }: ByteRange) => {
    requests += 1;
    return [bytes.subarray(start, end)];
  };
  const fill: typeof copy.fill = (...asked) => {
    if (copy.absent(asked[0]).length > 0) requests += 1;
    return copy.fill(...asked);
  };
  // Two groups and a half; what is there ends in the middle of a picture.
  const lacking = [{ start: Math.floor(2.5 * clusterBytes), end: 5 * clusterBytes }];
  await copy.fill([{ start: 0, end: lacking[0]!.start }], signal);
  const heldBytes = copy.heldBytes();
  const leftOut = await fillBeside({ ...copy, fetch, fill }, entries, lacking, signal);
  const groups = { start: 2 * clusterBytes, end: 5 * clusterBytes };
  assert.deepEqual([leftOut.length, copy.absent(missing([groups], leftOut))], [30, []]);
  assert.ok(copy.heldBytes() - heldBytes < 26 * 5_000, `${copy.heldBytes() - heldBytes} bytes`);
  assert.ok(requests <= 30, `${requests} requests`);
  requests = 0;
  const again = await fillBeside({ ...copy, fetch, fill }, entries, copy.absent(lacking), signal);
  assert.deepEqual(joined(again), joined(leftOut));
  assert.equal(requests, 0, "the second sound of the same film finds all there");
  const own = await readFile(copy.path);
  for (const { start, end } of missing([groups], leftOut))
    assert.ok(own.subarray(start, end).equals(bytes.subarray(start, end)), `${start}`);
});

test("of a group that is no row of elements nothing is left out", async () => {
  const { path, entries, clusterBytes } = await film();
  const bytes = await readFile(path);
  bytes.fill(0, clusterBytes + 2_000, clusterBytes + 300_000);
  await writeFile(path, bytes);
  const copy = await sparseCopy(path, `${path}.copy`);
  const fetch = async ({ start, end }: ByteRange) => [bytes.subarray(start, end)];
  const lacking = [{ start: clusterBytes, end: 2 * clusterBytes }];
  assert.deepEqual(await fillBeside({ ...copy, fetch }, entries, lacking, signal), []);
});
