import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { extinfTexts } from "../../core/playlist.ts";
import { type Rational, rational, toNumber } from "../../core/rational.ts";
import {
  audioFrameCount,
  audioSegmentFrames,
  buildTimeline,
  segmentCount,
  segmentFrames,
  timelineSeconds,
} from "../../core/timeline.ts";

const rates: Rational[] = [
  rational(24_000, 1001),
  rational(24, 1),
  rational(25, 1),
  rational(30_000, 1001),
  rational(30, 1),
  rational(50, 1),
  rational(60_000, 1001),
  rational(60, 1),
  rational(179, 6),
  rational(15, 1),
  rational(1, 1),
];
const anyRate = fc.oneof(
  fc.constantFrom(...rates),
  fc
    .tuple(fc.integer({ min: 1, max: 60_000 }), fc.integer({ min: 1, max: 1001 }))
    .filter(([n, d]) => n / d <= 60 && n / d >= 0.5)
    .map(([n, d]) => rational(n, d)),
);
/** Up to three hours at 60 frames a second. */
const anyTimeline = fc
  .tuple(anyRate, fc.integer({ min: 1, max: 648_000 }))
  .map(([rate, frames]) => buildTimeline(rate, frames));

test("segments tile the timeline: no frame lost, none twice", () => {
  fc.assert(
    fc.property(anyTimeline, (timeline) => {
      let next = 0;
      for (let segment = 0; segment < segmentCount(timeline); segment++) {
        const range = segmentFrames(timeline, segment);
        assert.equal(range.firstFrame, next);
        assert.ok(range.frameCount >= 1 && range.frameCount <= timeline.framesPerSegment);
        next += range.frameCount;
      }
      assert.equal(next, timeline.frameCount);
    }),
    { numRuns: 500 },
  );
});

test("audio segments cover the picture and are cut within half an audio frame of it", () => {
  fc.assert(
    fc.property(anyTimeline, fc.constantFrom(48_000, 44_100), (timeline, sampleRate) => {
      const ranges = audioSegmentFrames(timeline, sampleRate, 1024);
      const total = audioFrameCount(timeline, sampleRate, 1024);
      assert.equal(
        ranges.reduce((sum, range) => sum + range.frameCount, 0),
        total,
      );
      assert.ok((total * 1024) / sampleRate >= timelineSeconds(timeline) - 1e-9);
      assert.ok(((total - 1) * 1024) / sampleRate < timelineSeconds(timeline));
      ranges.slice(1).forEach((range, index) => {
        const picture =
          (segmentFrames(timeline, index + 1).firstFrame * timeline.frameRate.den) / timeline.frameRate.num;
        const sound = (range.firstFrame * 1024) / sampleRate;
        assert.ok(Math.abs(picture - sound) <= 512 / sampleRate + 1e-9);
      });
    }),
    { numRuns: 300 },
  );
});

test("EXTINF sums stay within a microsecond over three hours (Apple 8.1 allows a frame)", () => {
  for (const rate of rates) {
    const timeline = buildTimeline(rate, Math.round(10_800 * toNumber(rate)));
    const segments = Array.from({ length: segmentCount(timeline) }, (_, segment) => ({
      uri: String(segment),
      durationTicks: segmentFrames(timeline, segment).frameCount * timeline.ticksPerFrame,
    }));
    let sum = 0n;
    for (const text of extinfTexts(segments, timeline.timescale)) sum += BigInt(text.replace(".", ""));
    const truth = (timeline.frameCount * timeline.ticksPerFrame * 1e6) / timeline.timescale;
    assert.ok(Math.abs(Number(sum) - truth) <= 1, `${rate.num}/${rate.den}: ${sum} against ${truth}`);
  }
});

test("a keyframe every 2 s and 6 s segments at the rates of the field", () => {
  const table: [Rational, number, string][] = [
    [rational(24, 1), 48, "6.000000"],
    [rational(25, 1), 50, "6.000000"],
    [rational(30_000, 1001), 60, "6.006000"],
    [rational(24_000, 1001), 48, "6.006000"],
    [rational(60, 1), 120, "6.000000"],
    [rational(179, 6), 60, "6.033520"],
  ];
  for (const [rate, framesPerKeyframe, extinf] of table) {
    const timeline = buildTimeline(rate, 10_000);
    assert.equal(timeline.framesPerKeyframe, framesPerKeyframe);
    const segment = { uri: "0", durationTicks: timeline.framesPerSegment * timeline.ticksPerFrame };
    assert.deepEqual(extinfTexts([segment], timeline.timescale), [extinf]);
  }
});

test("a timeline of no frames is refused", () => {
  assert.throws(() => buildTimeline(rational(24, 1), 0), RangeError);
  assert.throws(() => buildTimeline(rational(24, 1), 1.5), RangeError);
});
