import assert from "node:assert/strict";
import { test } from "node:test";
import { frameTiming } from "../../core/frame-rate.ts";
import { rational } from "../../core/rational.ts";
import { buildTimeline } from "../../core/timeline.ts";

const LOOPS = 120;
const FRAMES = 720;
/** A clip looped by stream copy: sound that is a little longer than the picture leaves a gap at each seam. */
const LOOP_SECONDS = 30.016;

test("an average rate of a long file is taken as a fraction whose ticks microseconds can name", () => {
  const times = Array.from({ length: LOOPS * FRAMES }, (_, index) => {
    const loop = Math.floor(index / FRAMES);
    return loop * LOOP_SECONDS + (index % FRAMES) / 24;
  });
  const stated = rational(LOOPS * FRAMES * 15_360 + 1, Math.round(LOOPS * LOOP_SECONDS * 15_360));
  const { frameRate, frameCount, variable } = frameTiming(times, 1 / 24, [rational(24, 1), stated]);
  assert.equal(variable, false);
  assert.equal(frameCount, times.length);
  const { timescale, ticksPerFrame } = buildTimeline(frameRate, frameCount);
  assert.ok(timescale <= 1_000_000, `${frameRate.num}/${frameRate.den}`);
  assert.ok(Math.abs(timescale / ticksPerFrame - stated.num / stated.den) < 1e-6);
});

test("rates that are plain already stay as they are", () => {
  const times = Array.from({ length: 400 }, (_, index) => index / 12.5);
  assert.deepEqual(frameTiming(times, 0.08, [rational(25, 2)]).frameRate, rational(25, 2));
});

test("guesses of a reader that stand off are no other rhythm, where they are few, near and not the last", () => {
  const guessed = (off: Record<number, number>): boolean => {
    const times = Array.from({ length: 531 }, (_, index) => (index + (off[index] ?? 0)) / 25).sort(
      (a, b) => a - b,
    );
    return !frameTiming(times, 0.04, [rational(25, 1)], true).variable;
  };
  const some = { 30: 2, 31: 1, 97: -1.4, 98: -0.8 };
  assert.equal(guessed(some), true);
  const far = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [index + 30, 5]));
  assert.equal(guessed(far), false, "too far off");
  assert.equal(guessed({ 530: 1 }), false, "the last");
  const many = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [2 * index + 10, 1.2]));
  assert.equal(guessed(many), false, "too many");
  const times = Array.from({ length: 531 }, (_, index) => (index < 100 ? index : index + 1) / 25);
  assert.equal(frameTiming(times, 0.04, [rational(25, 1)], true).variable, true, "a frame is missing");
  assert.equal(guessed({}), true);
});
