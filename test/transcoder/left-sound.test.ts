import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { coveredBytes } from "../../core/byte-ranges.ts";
import { leftSounds } from "../../core/keys.ts";
import { buildPlan, DEFAULT_PLAN_SETTINGS, type Plan } from "../../core/plan.ts";
import type { PinnedSource, Source } from "../../core/source.ts";
import { type Chunk, chunkFrames } from "../../core/timeline.ts";
import { openBlobs } from "../../stores/blobs.ts";
import { claimTask } from "../../stores/library/claims.ts";
import { AS_IT_IS, audioRecipe } from "../../transcoder/audio-recipe.ts";
import { describeMaster } from "../../transcoder/describe-master.ts";
import { assemble } from "../../transcoder/ffmpeg-command.ts";
import type { Launcher } from "../../transcoder/launcher.ts";
import { leavesSound, removeLeftSound } from "../../transcoder/leave-sound.ts";
import { openScratch, type Scratch } from "../../transcoder/scratch.ts";
import { pictureWindow, soundWindow, trackWindow, withSourceWindow } from "../../transcoder/source-window.ts";
import { takesSound } from "../../transcoder/take-sound.ts";
import { launcherForTest, probeFile } from "../rig/launcher.ts";
import { longFilm } from "../rig/long-film.ts";
import { made } from "../rig/media.ts";
import { s3ForTest } from "../stores/s3-for-test.ts";
import { openWork } from "../stores/work-for-test.ts";

/** Two workers at one film: what one has read of its sound the other takes from where it was left. */

const stored = openBlobs(s3ForTest("left"));
let requests = 0;
const blobs: typeof stored = {
  ...stored,
  readThrough: (...asked) => {
    requests += 1;
    return stored.readThrough(...asked);
  },
};
const { library, planned } = await openWork();
const { signal } = new AbortController();
const log = { info: () => undefined, warn: () => undefined } as unknown as Parameters<
  typeof leavesSound
>[0]["log"];
let launcher: Launcher;
let folder: string;
/** What a film is, and what is to be made of it. */
interface Described {
  path: string;
  source: Source;
  plan: Plan;
}
let film: Described;

before(async () => {
  await blobs.ensureBuckets({ corsOrigins: [] });
  launcher = await launcherForTest();
  folder = await mkdtemp(join(tmpdir(), "matinee-left-test-"));
  film = await describe(await longFilm());
});
after(async () => {
  await rm(folder, { recursive: true, force: true });
  blobs.close();
});

/** The same of what is found by looks into a transport stream. */
async function looked(path: string): Promise<Described> {
  const bytes = await readFile(path);
  const key = "t/up_looked/source";
  const { etag } = await blobs.put("sources", key, bytes, { contentType: "video/mp2t" });
  const directory = await mkdtemp(join(folder, "scratch-"));
  const scratch = await openScratch({ directory, limitBytes: 2 ** 30, workerId: "one" }, blobs);
  try {
    const context = { launcher, scratch, signal, note: () => undefined };
    const source = await describeMaster(context, { key, etag, sizeBytes: bytes.length, sha256: null });
    assert.ok(source.video.entries?.leadAt, "it was read whole");
    return { path, source, plan: buildPlan(source, DEFAULT_PLAN_SETTINGS, launcher.build) };
  } finally {
    await scratch.close();
  }
}

async function describe(path: string): Promise<Described> {
  const source = await probeFile(launcher, path);
  return { path, source, plan: buildPlan(source, DEFAULT_PLAN_SETTINGS, launcher.build) };
}

/** A film that is being encoded, one of its chunks by another worker. */
async function openFilm(described = film): Promise<Described & { assetId: string; pinned: PinnedSource }> {
  const assetId = `as_${randomBytes(4).toString("hex")}`;
  const { plan, path } = described;
  await planned(assetId, { plan });
  const bytes = await readFile(path);
  const key = `t/up_${assetId}/source`;
  const { etag } = await blobs.put("sources", key, bytes, { contentType: "video/mp4" });
  await claimTask(library, taskOf(assetId, plan.chunks.at(-1)!), "wk_other", 600);
  return { ...described, assetId, pinned: { key, etag, sizeBytes: bytes.length, sha256: null } };
}

const taskOf = (assetId: string, chunk: Chunk): string =>
  `${assetId}.g.video.${film.plan.ladders[0]!.id}.${chunk.index}`;

function contextOf(assetId: string, scratch: Scratch, chunk: Chunk, workerId = "wk_mine") {
  const asset = { _id: assetId, tenant: "t" };
  return { library, blobs, log, scratch, signal, workerId, asset, task: { _id: taskOf(assetId, chunk) } };
}

type Film = Awaited<ReturnType<typeof openFilm>>;

/** Reads what this chunk is made of, as whoever encodes it does, and leaves its sound. */
async function readChunk(opened: Film, scratch: Scratch, chunk: Chunk, workerId?: string) {
  const { assetId, pinned, plan, source } = opened;
  const context = contextOf(assetId, scratch, chunk, workerId);
  const window = pictureWindow(source, plan, chunkFrames(plan.timeline, chunk));
  const leave = leavesSound(context, { plan, pinned });
  await withSourceWindow(context, pinned, { ...window, leave }, async () => ({ made: true, log: "" }));
}

/** The digest of the sound as it is encoded from what a worker has, and what of the master that worker read for it. */
async function encodeSound(opened: Film, scratch: Scratch) {
  const { assetId, pinned, plan, source } = opened;
  const context = contextOf(assetId, scratch, plan.chunks[0]!);
  const before = scratch.fetchedBytes();
  const bring = takesSound(context, { plan, pinned });
  const wanted = { ...soundWindow(source, plan.audio[0]!.streamIndex), bring };
  const digest = await withSourceWindow(context, pinned, wanted, async (path) => ({
    made: await soundOf(path, opened),
    log: "",
  }));
  return { digest, share: (scratch.fetchedBytes() - before) / pinned.sizeBytes };
}

/** Of the whole, made once: each takes ten seconds. */
let wholeSound: Promise<string> | undefined;
function soundOfFilm(): Promise<string> {
  wholeSound ??= soundOf(film.path);
  return wholeSound;
}

async function soundOf(path: string, { source, plan }: Described = film): Promise<string> {
  const recipe = audioRecipe(source, plan.timeline, plan.audio[0]!, AS_IT_IS);
  const outputDirectory = await mkdtemp(join(folder, "out-"));
  const limits = { wallSeconds: 300, cpuSeconds: 300, outputBytes: 2 ** 28 };
  const run = await launcher.run({
    ...{ program: "ffmpeg", args: assemble(recipe), source: path, outputDirectory, limits },
  });
  assert.equal(run.exitCode, 0, run.stderrTail);
  const file = await readFile(join(outputDirectory, recipe.outputs[0]!.file.replace("/out/", "")));
  return createHash("sha256").update(file).digest("hex");
}

async function withScratches<T>(use: (one: Scratch, other: Scratch) => Promise<T>): Promise<T> {
  const open = async (workerId: string): Promise<Scratch> => {
    const directory = await mkdtemp(join(folder, "scratch-"));
    return openScratch({ directory, limitBytes: 2 ** 30, workerId }, blobs);
  };
  const [one, other] = [await open("one"), await open("other")];
  try {
    return await use(one, other);
  } finally {
    await one.close();
    await other.close();
  }
}

async function left(assetId: string): Promise<{ key: string; sizeBytes: number }[]> {
  const found = [];
  for await (const { key, sizeBytes } of blobs.list("sources", leftSounds("t", assetId)))
    found.push({ key, sizeBytes });
  return found;
}

test("a sound that the chunks have left is the same as from the whole, and nothing but the file's beginning is read for it", async () => {
  const opened = await openFilm();
  await withScratches(async (chunks, sounds) => {
    for (const chunk of film.plan.chunks) await readChunk(opened, chunks, chunk);
    const objects = await left(opened.assetId);
    assert.equal(objects.length, film.plan.chunks.length);
    const storedBytes = coveredBytes(objects.map(({ sizeBytes }) => ({ start: 0, end: sizeBytes })));
    assert.ok(storedBytes < opened.pinned.sizeBytes / 20, `${storedBytes} bytes were left by the largest`);
    const { digest, share } = await encodeSound(opened, sounds);
    assert.equal(digest, await soundOfFilm());
    // What any program reads of a file to tell what is in it.
    const beginning = 5_500_000 / opened.pinned.sizeBytes;
    assert.ok(share < beginning + 0.02, `${share} of the master was read for the sound`);
    // What was put there is no hole in what is read next, and costs no request for each piece.
    const before = sounds.fetchedBytes();
    await readChunk(opened, sounds, film.plan.chunks[2]!);
    const chunkShare = (sounds.fetchedBytes() - before) / opened.pinned.sizeBytes;
    assert.ok(chunkShare < 15.5 / 60, `${chunkShare} of the master was read for a chunk`);
  });
  await removeLeftSound(contextOfRemoval(opened));
  assert.deepEqual(await left(opened.assetId), []);
  assert.notEqual(await blobs.head("sources", opened.pinned.key), null, "the master is still there");
});

/** The same minute in a container that does not list its samples. */
const matroska = async () =>
  describe(await made("mkv", ["-i", await longFilm(), "-map", "0", "-c", "copy", "{out}"]));

test("of Matroska a chunk leaves all but its pictures, and what nobody has left of a sound is looked for between them", async () => {
  const opened = await openFilm(await matroska());
  const late = opened.plan.chunks[2]!;
  await withScratches(async (chunks, sounds) => {
    for (const chunk of opened.plan.chunks) if (chunk !== late) await readChunk(opened, chunks, chunk);
    const objects = await left(opened.assetId);
    assert.equal(objects.length, opened.plan.chunks.length - 1);
    const bytes = objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    assert.ok(bytes < opened.pinned.sizeBytes / 15, `${bytes} bytes were left`);
    const { digest, share } = await encodeSound(opened, sounds);
    assert.equal(digest, await soundOf(opened.path, opened));
    // The file's beginning, and of the chunk that nobody has read a little beside each picture.
    assert.ok(share < 0.15, `${share} of the master was read for the sound`);
    assert.deepEqual(
      await encodeSound(opened, sounds),
      { digest, share: 0 },
      "the second sound needs no more",
    );
    const before = sounds.fetchedBytes();
    const asked = requests;
    await readChunk(opened, sounds, late);
    const chunkShare = (sounds.fetchedBytes() - before) / opened.pinned.sizeBytes;
    assert.ok(chunkShare < 20 / 60, `${chunkShare} of the master was read for a chunk`);
    assert.ok(requests - asked < 10, `${requests - asked} requests for one chunk`);
  });
});

test("of a transport stream a chunk leaves all but its pictures, and the sound is made of that alone", async () => {
  const path = await made("ts", ["-i", await longFilm(), "-map", "0", "-c", "copy", "{out}"]);
  const opened = await openFilm(await looked(path));
  const [, late] = opened.plan.chunks;
  await withScratches(async (chunks, sounds) => {
    for (const chunk of opened.plan.chunks) if (chunk !== late) await readChunk(opened, chunks, chunk);
    // What this worker has read itself it does not take from others, and the pictures of that are no part of the sound.
    await readChunk(opened, sounds, late!);
    const objects = await left(opened.assetId);
    assert.equal(objects.length, opened.plan.chunks.length);
    const bytes = objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    assert.ok(bytes < opened.pinned.sizeBytes / 15, `${bytes} bytes were left`);
    const { digest, share } = await encodeSound(opened, sounds);
    assert.equal(digest, await soundOf(path, opened));
    assert.ok(share < 0.01, `${share} of the master was read for the sound`);
  });
});

test("a worker that is alone with a Matroska film reads the last of its sound with the pictures", async () => {
  const opened = await openFilm(await matroska());
  await library.tasks.updateMany({ assetId: opened.assetId }, { $set: { worker: "wk_mine" } });
  await withScratches(async (_, own) => {
    for (const chunk of opened.plan.chunks.slice(1)) await readChunk(opened, own, chunk);
    const asked = requests;
    const { digest } = await encodeSound(opened, own);
    assert.equal(digest, await soundOf(opened.path, opened));
    assert.ok(requests - asked < 10, `${requests - asked} requests for one chunk's sound`);
  });
});

test("the last of a sound, which nobody has left yet, is asked for without the pictures between", async () => {
  const opened = await openFilm();
  const late = film.plan.chunks[2]!;
  await withScratches(async (chunks, sounds) => {
    for (const chunk of film.plan.chunks) if (chunk !== late) await readChunk(opened, chunks, chunk);
    const { digest, share } = await encodeSound(opened, sounds);
    assert.equal(digest, await soundOfFilm());
    const beginning = 5_500_000 / opened.pinned.sizeBytes;
    assert.ok(share < beginning + 0.02, `${share} of the master was read for the sound`);
    // Nor does it cost a request for each piece of it when the pictures are read in the end.
    const asked = requests;
    await readChunk(opened, sounds, late);
    assert.ok(requests - asked < 10, `${requests - asked} requests for one chunk`);
  });
});

test("a worker that is alone with a film reads the last of its sound with the pictures, which it encodes itself", async () => {
  const opened = await openFilm();
  await library.tasks.updateMany({ assetId: opened.assetId }, { $set: { worker: "wk_mine" } });
  await withScratches(async (_, own) => {
    for (const chunk of film.plan.chunks.slice(1)) await readChunk(opened, own, chunk);
    const asked = requests;
    await encodeSound(opened, own);
    assert.ok(requests - asked < 10, `${requests - asked} requests for one chunk's sound`);
  });
});

const contextOfRemoval = ({ assetId }: Film) => ({ blobs, log, asset: { _id: assetId, tenant: "t" } });

test("what was left by a worker that died, was damaged, or is of another version changes nothing but what is read", async () => {
  const opened = await openFilm();
  const [first, second, third] = film.plan.chunks;
  await withScratches(async (chunks, sounds) => {
    for (const chunk of [first!, second!, third!]) await readChunk(opened, chunks, chunk);
    const [, damaged, cut] = await left(opened.assetId);
    const put = (key: string, bytes: Uint8Array) =>
      blobs.put("sources", key, bytes, { contentType: "application/octet-stream" });
    const bytes = (await blobs.read("sources", damaged!.key))!;
    bytes[bytes.length - 1]! ^= 1;
    await put(damaged!.key, bytes);
    await put(cut!.key, (await blobs.read("sources", cut!.key))!.subarray(0, 2_000));
    const { digest, share } = await encodeSound(opened, sounds);
    assert.equal(digest, await soundOfFilm());
    assert.ok(share > 0.5 && share < 0.95, `${share} of the master was read: all but the first chunk's`);
  });
});

test("a sound is made of a store that lists nothing and gives nothing, as before", async () => {
  const opened = await openFilm();
  await withScratches(async (chunks, sounds) => {
    await readChunk(opened, chunks, film.plan.chunks[1]!);
    const failing = { ...blobs, list: () => assert.fail("no list"), put: () => Promise.reject(new Error()) };
    const context = { ...contextOf(opened.assetId, sounds, film.plan.chunks[0]!), blobs: failing };
    const planned = { plan: film.plan, pinned: opened.pinned };
    const wanted = { ...trackWindow(film.plan.audio[0]!.streamIndex), bring: takesSound(context, planned) };
    const made = await withSourceWindow(
      ...([context, opened.pinned, { ...wanted, leave: leavesSound(context, planned) }] as const),
      async (path) => ({ made: await soundOf(path), log: "" }),
    );
    assert.equal(made, await soundOfFilm());
  });
});

test("a worker that is alone with a film leaves nothing, nor does one whose chunk is done", async () => {
  const opened = await openFilm();
  const [first, second] = film.plan.chunks;
  await withScratches(async (chunks) => {
    await readChunk(opened, chunks, first!, "wk_other");
    assert.deepEqual(await left(opened.assetId), [], "nobody else has been at it");
    const done = { _id: taskOf(opened.assetId, second!) };
    await library.tasks.updateOne(done, { $set: { state: "done" } });
    await readChunk(opened, chunks, second!);
    assert.deepEqual(await left(opened.assetId), [], "another one was first");
    await readChunk(opened, chunks, first!);
    assert.equal((await left(opened.assetId)).length, 1);
  });
});
