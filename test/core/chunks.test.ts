import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { chooseChunks, prerollSeconds } from "../../core/chunks.ts";
import { rational } from "../../core/rational.ts";
import {
  buildTimeline,
  type Chunk,
  chunkFrames,
  segmentCount,
  type Timeline,
  timelineSeconds,
} from "../../core/timeline.ts";

const anyTimeline = fc
  .tuple(
    fc.constantFrom(rational(24, 1), rational(30_000, 1001), rational(179, 6), rational(60, 1)),
    fc.integer({ min: 1, max: 60_000 }),
  )
  .map(([rate, frames]) => buildTimeline(rate, frames));
/** Distances between keyframes, so that they are as irregular as scene cuts make them. */
const anyKeyframes = fc
  .array(fc.double({ min: 0.04, max: 40, noNaN: true }), { maxLength: 200 })
  .map((gaps) => {
    let time = 0;
    return [0, ...gaps.map((gap) => (time += gap))];
  });

const every = (seconds: number, until: number): number[] =>
  Array.from({ length: Math.ceil(until / seconds) }, (_, index) => index * seconds);
const lengths = (chunks: readonly Chunk[]): number[] => chunks.map(({ segmentCount: count }) => count);
const wasted = (timeline: Timeline, keyframes: readonly number[], chunks: readonly Chunk[]): number =>
  chunks.reduce((sum, { firstSegment }) => sum + prerollSeconds(timeline, keyframes, firstSegment), 0);

test("chunks tile the segments and the frames", () => {
  fc.assert(
    fc.property(anyTimeline, anyKeyframes, (timeline, keyframes) => {
      let segment = 0;
      let frame = 0;
      chooseChunks(timeline, keyframes).forEach((chunk, index) => {
        assert.equal(chunk.index, index);
        assert.equal(chunk.firstSegment, segment);
        assert.ok(chunk.segmentCount >= 1 && chunk.segmentCount <= 51);
        const range = chunkFrames(timeline, chunk);
        assert.equal(range.firstFrame, frame);
        segment += chunk.segmentCount;
        frame += range.frameCount;
      });
      assert.equal(segment, segmentCount(timeline));
      assert.equal(frame, timeline.frameCount);
    }),
  );
});

test("never more is thrown away than with chunks of two", () => {
  fc.assert(
    fc.property(anyTimeline, anyKeyframes, (timeline, keyframes) => {
      const chunks = chooseChunks(timeline, keyframes);
      const uniform = Array.from({ length: Math.ceil(segmentCount(timeline) / 2) }, (_, index) => ({
        index,
        firstSegment: 2 * index,
        segmentCount: 2,
      }));
      const [chosen, plain] = [wasted(timeline, keyframes, chunks), wasted(timeline, keyframes, uniform)];
      // A shorter chunk may cost a little decoding where it saves more elsewhere: all is counted in one coin.
      assert.ok(chosen <= plain + 1, `${chosen} against ${plain}`);
    }),
  );
});

test("keyframes on the grid: chunks of two segments, nothing is thrown away", () => {
  const timeline = buildTimeline(rational(24, 1), 24 * 600);
  const keyframes = every(2, 600);
  const chunks = chooseChunks(timeline, keyframes);
  assert.deepEqual(new Set(lengths(chunks)), new Set([2]));
  assert.equal(wasted(timeline, keyframes, chunks), 0);
});

test("a keyframe a tick before or behind the border counts as on it", () => {
  const timeline = buildTimeline(rational(30_000, 1001), 1_000);
  for (const jitter of [-0.001, 0, 0.001])
    assert.ok(prerollSeconds(timeline, [0, 6.006 + jitter], 1) < 0.0011);
  assert.ok(prerollSeconds(timeline, [0, 6.006 + 0.02], 1) > 6);
});

test("long groups of pictures: at most a tenth of the film is decoded for nothing", () => {
  for (const group of [5, 8.3, 250 / 24, 10.01]) {
    const timeline = buildTimeline(rational(24, 1), 24 * 3_600);
    const keyframes = every(group, 3_600);
    const share = wasted(timeline, keyframes, chooseChunks(timeline, keyframes)) / timelineSeconds(timeline);
    assert.ok(share <= 0.1, `groups of ${group} s: ${share}`);
  }
});

test("keyframes as rare as half a minute, on no border: no chunk grows to minutes for a tenth decoded less", () => {
  for (const [group, longest] of [
    [31, 10],
    [33, 10],
    [35.9, 20],
    [60, 10],
  ] as const) {
    const timeline = buildTimeline(rational(24, 1), 24 * 600);
    const keyframes = every(group, 600);
    const chunks = chooseChunks(timeline, keyframes);
    assert.ok(Math.max(...lengths(chunks)) <= longest, `groups of ${group} s: ${lengths(chunks)}`);
    const share = wasted(timeline, keyframes, chunks) / timelineSeconds(timeline);
    assert.ok(share <= 0.1, `groups of ${group} s: ${share}`);
  }
});

test("one keyframe in an hour: few long chunks instead of an hour decoded for each", () => {
  const timeline = buildTimeline(rational(24, 1), 24 * 3_600);
  const chunks = chooseChunks(timeline, [0]);
  assert.deepEqual(new Set(lengths(chunks)), new Set([50]));
});

test("a tail of a few frames joins the chunk before it", () => {
  const tail = (frames: number): number[] =>
    lengths(chooseChunks(buildTimeline(rational(24, 1), frames), []));
  assert.deepEqual(tail(1), [1]);
  assert.deepEqual(tail(144 * 2 + 71), [3]);
  assert.deepEqual(
    tail(144 * 2 + 72).reduce((sum, count) => sum + count, 0),
    3,
  );
  assert.deepEqual(tail(144 + 10), [2]);
});
