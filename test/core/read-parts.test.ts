import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { planOf } from "../../bench/simulated-plan.ts";
import { chunksOf } from "../../core/film-parts.ts";
import { allRungs, type Plan } from "../../core/plan.ts";
import { joinTracks, type ProducedTrack } from "../../core/produced-track.ts";
import { publishWeight, readTasks } from "../../core/publish-cost.ts";
import {
  type ExpectedObject,
  expectedObjects,
  joinReadings,
  READING_LASTS_SECONDS,
  type ReadPart,
  type StoredVersion,
} from "../../core/read-parts.ts";
import type { TaskResult } from "../../core/records/task-result.ts";
import { segmentCount, segmentFrames } from "../../core/timeline.ts";

const NOW = 1_000_000;
const plan: Plan = { ...planOf(40 * 12, 640, 360), audio: [] };
const { timeline, chunks } = plan;

/** What the encode of one chunk of pictures says that it made. */
function resultOf(chunk: Plan["chunks"][number]): TaskResult {
  const tracks = allRungs(plan).map(({ id }): ProducedTrack => {
    const cells = Array.from({ length: chunk.segmentCount }, (_, index) => {
      const segment = chunk.firstSegment + index;
      const durationTicks = segmentFrames(timeline, segment).frameCount * timeline.ticksPerFrame;
      const key = `as/g/video/${id}/${segment}.m4s`;
      return {
        key,
        segment,
        bytes: 1000 + segment,
        sha256: `${id} ${segment}`,
        durationTicks,
        keyframes: [],
      };
    });
    const init = { initKey: `as/g/video/${id}/init.mp4`, initBytes: 1, initSha256: "i" };
    return { trackId: id, ...init, codec: "avc1", timescale: timeline.timescale, cells };
  });
  return { tracks, images: [] };
}

const results = chunks.map(resultOf);
const whole = expectedObjects(plan, joinTracks(results, segmentCount(timeline)), []);
const versionOf = ({ bytes, sha256 }: ExpectedObject): StoredVersion => ({
  ...{ sizeBytes: bytes, etag: `"${sha256}"`, modifiedSeconds: 900_000 },
});

/** As a part is read: from its own chunks alone, in order or not. */
function partOf(part: number, own = results): ReadPart {
  const { first, end } = chunksOf(part);
  const [begin, ...others] = chunks.slice(first, end);
  const segments = [begin!, ...others].reduce((sum, one) => sum + one.segmentCount, 0);
  const tracks = joinTracks(own.slice(first, end).reverse(), segments, begin!.firstSegment);
  const objects = expectedObjects(plan, tracks, []).map((one) => ({ ...one, version: versionOf(one) }));
  return { sinceSeconds: NOW - 60, objects, facts: String(part) };
}

const parts = [0, 1, 2].map((part) => partOf(part));
const stored = new Map(whole.map((one) => [one.key, versionOf(one)]));
const keysOf = (read: ReadonlyMap<string, unknown>): string[] => [...read.keys()].sort();

test("a long film's publication reads nothing itself, its parts everything once; a short one's has none", () => {
  const tasks = readTasks(plan);
  assert.deepEqual(
    tasks.map(({ part, chunk }) => `${part} ${chunk}`),
    ["h264 0", "h264 1", "h264 2"],
  );
  const read = parts.flatMap(({ objects }) => objects.map(({ key }) => key));
  assert.deepEqual(read.toSorted(), whole.map(({ key }) => key).sort());
  const short = planOf(32 * 12, 640, 360);
  assert.deepEqual(readTasks(short), []);
  // All that is read is weighed somewhere, and not twice.
  const longest = planOf(33 * 12, 640, 360);
  assert.ok(publishWeight(longest) < publishWeight(short));
  const together = publishWeight(longest) + readTasks(longest).reduce((sum, { weight }) => sum + weight, 0);
  assert.ok(together > publishWeight(short) && together < 1.5 * publishWeight(short));
});

test("sound and text are parts of their own, whatever the codecs", () => {
  const film = planOf(7200, 1920, 1080, ["h264", "hevc"]);
  const count = (part: string): number => readTasks(film).filter((one) => one.part === part).length;
  assert.deepEqual([count("h264"), count("hevc")], [38, 38]);
  for (const { id } of film.audio) assert.equal(count(id), 1);
});

test("from the word of all parts, in any order and any of them twice, nothing is left to be read", () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([0, 0, 1, 1, 2, 2], { minLength: 0 }), (order) => {
      const read = joinReadings(
        whole,
        order.map((part) => parts[part]!),
        stored,
        NOW,
      );
      const wanted = [...new Set(order)].flatMap((part) => parts[part]!.objects.map(({ key }) => key));
      assert.deepEqual(keysOf(read), wanted.sort());
      for (const [key, part] of read) assert.ok(part.objects.some((one) => one.key === key));
    }),
  );
});

/** One thing that is not as it was when it was read. */
const CHANGES: Record<string, (of: { is: ExpectedObject; lies: StoredVersion }) => unknown> = {
  "other bytes were recorded since": ({ is }) => (is.sha256 = "other"),
  "another length was recorded since": ({ is }) => (is.bytes += 1),
  "it stands elsewhere": ({ is }) => (is.media!.startTicks += 1),
  "it lasts longer": ({ is }) => (is.media!.durationTicks += 1),
  "it has more frames": ({ is }) => (is.media!.frames! += 1),
  "it is a text": ({ is }) => (is.media = null),
  "another ETag": ({ lies }) => (lies.etag = '"another"'),
  "another size": ({ lies }) => (lies.sizeBytes -= 1),
  "written again": ({ lies }) => (lies.modifiedSeconds += 1),
};

for (const [what, change] of Object.entries(CHANGES)) {
  test(`what a part said of an object counts no more: ${what}`, () => {
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(2), (index, last) => {
        const expected = structuredClone(whole);
        const lying = structuredClone(stored);
        const { key } = expected[index]!;
        change({ is: expected[index]!, lies: lying.get(key)! });
        const order = [0, 1, 2].map((part) => parts[(part + last) % 3]!);
        const read = joinReadings(expected, order, lying, NOW);
        assert.deepEqual(keysOf(read), whole.flatMap((one) => (one.key === key ? [] : [one.key])).sort());
      }),
    );
  });
}

test("what is gone, what a store gives no ETag of, and what was read too long ago, is read again", () => {
  const { key } = whole[3]!;
  const gone = new Map([...stored].filter(([one]) => one !== key));
  assert.equal(joinReadings(whole, parts, gone, NOW).has(key), false);
  const nameless = { ...versionOf(whole[3]!), etag: "" };
  const [part, ...others] = parts;
  const objects = part!.objects.map((one) => (one.key === key ? { ...one, version: nameless } : one));
  const without = new Map([...stored, [key, nameless]]);
  assert.equal(joinReadings(whole, [{ ...part!, objects }, ...others], without, NOW).has(key), false);
  const old = { ...part!, sinceSeconds: NOW - READING_LASTS_SECONDS - 1 };
  const read = joinReadings(whole, [old, ...others], stored, NOW);
  assert.equal(read.size, whole.length - part!.objects.length);
});

test("a part of another plan says nothing of this one's objects", () => {
  const elsewhere = parts.map((part) => ({
    ...part,
    objects: part.objects.map((one) => ({ ...one, key: one.key.replace("/g/", "/h/") })),
  }));
  assert.equal(joinReadings(whole, elsewhere, stored, NOW).size, 0);
});
