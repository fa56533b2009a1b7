import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { CHUNKS_PER_PART, partCount } from "../../core/film-parts.ts";
import { leftSounds, PREVIEW_FOLDER, packagePrefix } from "../../core/keys.ts";
import { joinTracks } from "../../core/produced-track.ts";
import { expectedObjects } from "../../core/read-parts.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import type { TaskKind, TaskRecord } from "../../core/records/task.ts";
import { segmentCount } from "../../core/timeline.ts";
import type { Blobs } from "../../stores/blobs.ts";
import { findConformance } from "../../stores/library/conformance.ts";
import { takeReadings } from "../../transcoder/take-readings.ts";
import { type FactsOfPackage, verifyObjects } from "../../transcoder/verify.ts";
import { made } from "../rig/media.ts";
import { openStorage, packageDigest } from "../rig/package.ts";
import { eventually } from "../rig/processes.ts";
import { type Product, startProduct } from "../rig/product.ts";

/**
 * A film that is just long enough to be read back in parts, ten small pictures a second. All of it is black, so that its publication is
 * held with everything made until somebody waives that.
 */

const SECONDS = 400;

function blackFilm(): Promise<string> {
  return made("mp4", [
    ...["-f", "lavfi", "-i", `color=black:size=160x96:rate=10:duration=${SECONDS}`],
    // A short tone each second: an encoder takes longest over what sounds all the time.
    ...["-f", "lavfi", "-i", `aevalsrc=exprs='0.3*sin(2*PI*440*t)*gt(mod(t,1),0.95)':s=48000:d=${SECONDS}`],
    ...["-c:v", "libx264", "-preset", "ultrafast", "-g", "20", "-pix_fmt", "yuv420p"],
    ...["-c:a", "aac", "-ac", "2", "{out}"],
  ]);
}

let product: Product;
let blobs: Blobs;
let film: AssetRecord;
before(async () => {
  product = await startProduct({ workers: 1, slots: 2 });
  blobs = openStorage(product);
  const assetId = await product.upload(await readFile(await blackFilm()));
  film = await product.until(assetId, ({ state }) => state === "ready" || state === "failed", 600);
});
after(async () => {
  blobs.close();
  await product.stop();
});

const tasksOf = (kind: TaskKind, { _id, generation }: AssetRecord): Promise<TaskRecord[]> =>
  product.library.tasks.find({ assetId: _id, kind, generation }).toArray();
const outcomesOf = ({ attempts }: TaskRecord): string[] => attempts.map(({ outcome }) => outcome);

/** All that a publication would have to know of a package as it lies in storage, and what of it no part has read. */
async function joined(asset: AssetRecord) {
  const { plan, generation } = asset;
  const tasks = await product.library.tasks.find({ assetId: asset._id, generation }).toArray();
  const results = tasks.flatMap(({ kind, result }) => (kind === "preview" ? [] : (result ?? [])));
  const expected = expectedObjects(
    plan!,
    joinTracks(results, segmentCount(plan!.timeline)),
    results.flatMap(({ texts }) => texts ?? []),
  );
  const nothing = (): FactsOfPackage => ({
    prefix: packagePrefix(asset._id, generation!),
    objects: new Map(),
  });
  const facts = nothing();
  const context = { blobs, library: product.library, signal: new AbortController().signal };
  const parts = results.flatMap(({ read }) => read ?? []);
  const unread = await takeReadings(context, expected, parts, facts);
  return { expected, unread, facts, nothing, parts, signal: context.signal };
}

test("it is read back while others of its chunks are still being encoded, sound by itself, and is held with all of it read", async () => {
  assert.deepEqual([film.state, film.error?.code], ["failed", "findings_not_waived"]);
  assert.equal(partCount(film.plan!.chunks.length), 3);
  const reads = await tasksOf("verify", film);
  assert.deepEqual(reads.map(({ part, chunk }) => `${part} ${chunk}`).sort(), [
    ...["a0 0", "h264 0", "h264 1", "h264 2"],
  ]);
  const chunks = await tasksOf("video", film);
  const begun = ({ attempts }: TaskRecord): number => attempts.at(-1)!.startedAt.getTime();
  const ended = ({ attempts }: TaskRecord): number => attempts.at(-1)!.endedAt.getTime();
  const first = reads.find(({ part, chunk }) => part === "h264" && chunk === 0)!;
  assert.ok(begun(first) < Math.max(...chunks.map(ended)));
});

test("what the parts say, joined, is what one reading of everything says", async () => {
  const { expected, unread, facts, nothing, signal } = await joined(film);
  assert.deepEqual(unread, []);
  const whole = nothing();
  const { read, bad } = await verifyObjects(blobs, expected, signal, whole);
  assert.deepEqual([read.length, bad], [expected.length, []]);
  const sorted = ({ objects }: FactsOfPackage) => [...objects].sort(([a], [b]) => (a < b ? -1 : 1));
  assert.deepEqual(sorted(facts), sorted(whole));
});

test("what is lost or changed after it was read, and before, is found, made again and read again: the same bytes", async () => {
  const clean = (await packageDigest(product, film)).filter((line) => !line.startsWith(PREVIEW_FOLDER));
  const { expected, parts } = await joined(film);
  const [changed, lost, unseen] = [0, 1, 2].map((part) => {
    const { plan } = film;
    const { firstSegment } = plan!.chunks[CHUNKS_PER_PART * part]!;
    const rung = plan!.ladders[0]!.rungs[0]!.id;
    const name = `video/${rung}/${String(firstSegment).padStart(5, "0")}.m4s`;
    return packagePrefix(film._id, film.generation!) + name;
  });
  const flip = async (key: string): Promise<void> => {
    const bytes = Uint8Array.from((await blobs.read("media", key))!);
    bytes[bytes.length - 1]! ^= 1;
    await blobs.put("media", key, bytes, { contentType: "video/mp4" });
  };
  await flip(changed!);
  await blobs.remove("media", [lost!]);
  const { unread } = await joined(film);
  assert.deepEqual(unread.map(({ key }) => key).sort(), [changed, lost].sort());
  assert.equal(parts.flatMap(({ objects }) => objects).length, expected.length);
  // A part that has not been read yet finds what is wrong with it by itself.
  await flip(unseen!);
  const last = { assetId: film._id, generation: film.generation, kind: "verify" as const, chunk: 2 };
  await product.library.tasks.updateOne(last, { $set: { state: "todo", result: null, ratio: 0 } });

  // As another worker's chunk leaves it.
  const sound = `${leftSounds(film.tenant, film._id)}mark/0-4`;
  await blobs.put("sources", sound, Buffer.from("left"), { contentType: "application/octet-stream" });
  await product.call("POST", `/v1/assets/${film._id}/findings/black/waive`, { reason: "It is meant so." });
  film = await product.until(film._id, ({ state }) => state === "ready", 300);
  assert.equal(await blobs.head("sources", sound), null, "what chunks left of the sound is removed");
  const published = await packageDigest(product, film);
  assert.deepEqual(
    clean.filter((line) => !published.includes(line)),
    [],
  );
  const chunks = await tasksOf("video", film);
  const again = chunks.filter(({ attempts }) => attempts.length > 1).map(({ chunk }) => chunk);
  assert.deepEqual(
    again.sort((a, b) => a - b),
    [0, CHUNKS_PER_PART, 2 * CHUNKS_PER_PART],
  );
  // The pointer moves a moment before the publishing task is recorded.
  const publication = await eventually("the publication on record", 60, async () => {
    const [task] = await tasksOf("publish", film);
    return task?.state === "done" ? task : null;
  });
  assert.deepEqual(
    publication.attempts.map(({ error }) => error?.code ?? "done"),
    ["findings_not_waived", "cells_damaged", "done"],
  );
  const reads = await tasksOf("verify", film);
  const told = reads.map((task) => [task.part, task.chunk, outcomesOf(task)]);
  assert.deepEqual(told.sort(), [
    ["a0", 0, ["done"]],
    ["h264", 0, ["done", "done"]],
    ["h264", 1, ["done", "done"]],
    ["h264", 2, ["done", "failed", "done"]],
  ]);
  assert.deepEqual((await joined(film)).unread, []);
});

test("another generation's copies are read back like all else, and a text in one part", async () => {
  const before = film.published!.generation;
  const track = { kind: "subtitle", language: "de", vtt: "WEBVTT\n\n00:10.000 --> 06:20.000\nDunkel.\n" };
  assert.equal((await product.call("POST", `/v1/assets/${film._id}/tracks`, track)).status, 202);
  const again = await product.until(
    film._id,
    ({ state, published }) => state === "failed" || (state === "ready" && published?.generation !== before),
    300,
  );
  assert.equal(again.state, "ready", again.error?.message);
  const [chunks, reads] = [await tasksOf("video", again), await tasksOf("verify", again)];
  // What had to be made again is not trusted to be copied.
  const copied = chunks.flatMap(outcomesOf).filter((outcome) => outcome === "reused");
  assert.equal(copied.length, chunks.length - 3);
  assert.deepEqual(reads.map(outcomesOf), Array(5).fill(["done"]));
  const { unread, facts } = await joined(again);
  assert.deepEqual(unread, []);
  const texts = [...facts.objects.values()].filter(({ text }) => text !== null);
  assert.equal(texts.length, segmentCount(again.plan!.timeline) + 1);
  const report = await findConformance(product.library, again._id, again.published!.generation);
  assert.ok(report!.results.some(({ verdict }) => verdict === "pass"));
});
