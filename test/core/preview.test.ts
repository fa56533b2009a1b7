import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { buildPlan, DEFAULT_PLAN_SETTINGS, type Plan } from "../../core/plan.ts";
import {
  areOfOneGrid,
  eagerUnits,
  previewCellKey,
  previewCellOf,
  previewOf,
  unitsFor,
} from "../../core/preview.ts";
import { rational } from "../../core/rational.ts";
import type { SourceVideo } from "../../core/source.ts";
import { secondsLeft, type TimedTask } from "../../core/time-left.ts";
import { buildTimeline } from "../../core/timeline.ts";
import { SOURCE } from "../api/api-for-test.ts";

const RATES = [rational(25, 1), rational(24, 1), rational(30_000, 1_001), rational(60, 1)];

test("every cell of a film has one unit that makes it, in order, and nothing beyond has", () => {
  fc.assert(
    fc.property(fc.constantFrom(...RATES), fc.integer({ min: 1, max: 20_000 }), (rate, frames) => {
      const timeline = buildTimeline(rate, frames);
      const cells = Math.ceil(frames / timeline.framesPerKeyframe);
      const makers = Array.from({ length: cells }, (_, cell) => unitsFor(timeline, cell)[0]);
      assert.equal(makers[0], 0);
      makers.slice(1).forEach((unit, index) => {
        const step = unit! - makers[index]!;
        assert.ok(step === 0 || step === 1);
      });
      assert.deepEqual(unitsFor(timeline, cells), []);
    }),
    { numRuns: 50 },
  );
});

test("what is made unasked is the beginning of a long film, and nothing of a short one", () => {
  const film = (seconds: number) => buildTimeline(rational(25, 1), seconds * 25);
  assert.deepEqual(eagerUnits(film(20)), []);
  assert.deepEqual(eagerUnits(film(30)), [0]);
  assert.deepEqual(eagerUnits(film(40)), [0, 1]);
  assert.deepEqual(eagerUnits(film(100)), [0, 1, 2]);
  assert.deepEqual(eagerUnits(film(3_600)), [0, 1, 2, 3, 4]);
  assert.deepEqual(unitsFor(film(3_600), 0), [0, 1, 2, 3]);
  assert.deepEqual(unitsFor(film(3_600), 1_799).length, 1);
});

test("a preview goes on beside what is found out later, as long as its frames stand where they stood", () => {
  const of = (plan: Partial<Plan>, video: Partial<SourceVideo> = {}) => {
    const described = { ...SOURCE, video: { ...SOURCE.video, ...video } };
    return previewOf({ ...buildPlan(described, DEFAULT_PLAN_SETTINGS, "build"), ...plan }, described);
  };
  const draft = of({ timing: "place" });
  for (const [name, expected, later] of [
    ["it is entered elsewhere", true, of({ timing: "place", chunks: [] }, { keyframeSeconds: [0, 9] })],
    ["its frames are counted", true, of({ timing: "count" })],
    ["its ladder is its own", true, of({ timing: "place", ladders: [] })],
    ["its frames are retimed", false, of({ timing: "retime" })],
    ["it is a frame longer", false, of({ timing: "place" }, { frameCount: SOURCE.video.frameCount + 1 })],
    ["it is interlaced", false, of({ timing: "place" }, { fieldOrder: "tt" })],
  ] as const)
    assert.equal(areOfOneGrid(draft, later), expected, name);
});

test("a cell's key says which it is, and no other key does", () => {
  assert.deepEqual(previewCellOf(previewCellKey("as_1", "abc", 41)), {
    assetId: "as_1",
    generation: "abc",
    cell: 41,
  });
  for (const key of [
    "as_1/abc/video/360p/00001.m4s",
    "as_1/abc/preview/main.m3u8",
    "as_1/abc/preview/video/360p/init.mp4",
    "as_1/abc/preview/video/360p/1.m4s",
  ])
    assert.equal(previewCellOf(key), null, key);
});

const START = Date.parse("2026-01-01T00:00:00Z");
const at = (seconds: number): Date => new Date(START + seconds * 1000);
const done = (from: number, to: number): TimedTask => ({
  weight: 10,
  state: "done",
  ratio: 1,
  attempts: [{ startedAt: at(from), endedAt: at(to), outcome: "done" }],
});
const open = (ratio = 0): TimedTask => ({
  weight: 10,
  state: ratio > 0 ? "claimed" : "todo",
  ratio,
  attempts: [],
});

test("the time left is what is open at the rate so far", () => {
  assert.equal(secondsLeft([open(), open()], at(0)), null, "nothing to go by");
  assert.equal(secondsLeft([done(0, 10), open(), open()], at(10)), 20);
  // Two workers at once are twice as quick.
  assert.equal(secondsLeft([done(0, 10), done(0, 10), open(), open()], at(10)), 10);
  assert.equal(secondsLeft([done(0, 10), open(0.5), open()], at(15)), 15);
  // What was taken over took no time and says nothing.
  const reused: TimedTask = {
    ...done(0, 0),
    attempts: [{ startedAt: at(0), endedAt: at(0), outcome: "reused" }],
  };
  assert.equal(secondsLeft([reused, done(0, 10), open()], at(10)), 10);
});

test("long ago does not count: where workers were added, the rate is that of now", () => {
  const slow = [done(0, 1_000)];
  const fast = Array.from({ length: 30 }, (_, index) => done(1_000 + index * 10, 1_010 + index * 10));
  assert.equal(secondsLeft([...slow, ...fast, open()], at(1_300)), 10);
});
