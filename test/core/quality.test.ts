import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  chooseWindows,
  packScores,
  percentile,
  qualityOfCells,
  qualityOfWindows,
  scoringGoes,
  summarize,
  unpackScores,
  windowFrames,
} from "../../core/quality.ts";

test("packed scores come back within a tenth of a decibel, a frame for a frame, perfect ones too", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 200 }),
      (frames) => {
        const back = unpackScores(packScores(frames));
        assert.equal(back.length, frames.length);
        const decibels = (score: number) => Math.min(51, -10 * Math.log10(1 - score));
        for (const [index, score] of frames.entries())
          assert.ok(Math.abs(decibels(back[index]!) - decibels(score)) <= 0.1 + 1e-6);
      },
    ),
  );
});

test("mean, 5th percentile and worst segment, by hand", () => {
  const segments = [
    { segment: 0, frames: [90, 92] },
    { segment: 1, frames: [50, 70] },
    { segment: 2, frames: [] },
  ];
  assert.deepEqual(summarize("vmaf", segments), {
    metric: "vmaf",
    mean: 75.5,
    p5: 50,
    worst: { segment: 1, value: 60 },
    frames: 4,
  });
  assert.equal(summarize("vmaf", []), null);
  assert.equal(percentile([5, 1, 4, 2, 3], 0.05), 1);
  assert.equal(
    percentile(
      Array.from({ length: 100 }, (_, index) => index + 1),
      0.05,
    ),
    5,
  );
});

test("a rendition's SSIM is that of all its cells, and is not told where one has none", () => {
  const cells = [
    { segment: 0, ssim: packScores([0.99, 0.99, 0.99]) },
    { segment: 1, ssim: packScores([0.9]) },
  ];
  const quality = qualityOfCells(cells)!;
  assert.deepEqual([quality.mean, quality.worst, quality.frames], [0.9675, { segment: 1, value: 0.9 }, 4]);
  assert.ok(Math.abs(quality.p5 - 0.9) < 0.003, String(quality.p5));
  assert.equal(qualityOfCells([...cells, { segment: 2 }]), null);
});

test("windows: one drawn at least, half of many the worst, evenly spread, the same for the same seed", () => {
  const film = (segments: number) =>
    Array.from({ length: segments }, (_, segment) => ({ segment, score: segment === 7 ? 0.5 : 0.9 }));
  assert.equal(chooseWindows(film(1), 2, "a").length, 1);
  assert.equal(chooseWindows(film(5), 30, "a")[0]!.chosen, "sample");
  const windows = chooseWindows(film(100), 600, "a");
  assert.deepEqual(windows, chooseWindows(film(100), 600, "a"));
  assert.notDeepEqual(windows, chooseWindows(film(100), 600, "b"));
  const drawn = windows.filter(({ chosen }) => chosen === "sample").map(({ segment }) => segment);
  assert.equal(windows.length, 7);
  assert.equal(drawn.length, 4);
  for (const [part, segment] of drawn.entries())
    assert.ok(segment >= part * 25 && segment < (part + 1) * 25, `${segment}`);
  assert.ok(
    windows.some(({ segment }) => segment === 7),
    "the worst is among them",
  );
  assert.equal(chooseWindows(film(2000), 12_000, "a").length, 24);
});

test("a window is the first half of a group of pictures, within its segment, and no longer where frames are dense", () => {
  for (const [framesPerKeyframe, frameCount, scored] of [
    [48, 144, 24],
    [50, 150, 25],
    [60, 180, 30],
    [120, 360, 30],
    [48, 7, 7],
  ] as const)
    assert.deepEqual(windowFrames({ firstFrame: 9, frameCount }, framesPerKeyframe), {
      firstFrame: 9,
      frameCount: scored,
    });
});

test("many windows are scored in several goes, each window in one", () => {
  for (const [windows, goes] of [
    [1, 1],
    [4, 1],
    [5, 2],
    [24, 6],
  ] as const) {
    const spans = scoringGoes(windows);
    assert.equal(spans.length, goes, `${windows}`);
    const scored = spans.flatMap(({ first, end }) =>
      Array.from({ length: end - first }, (_, at) => first + at),
    );
    assert.deepEqual(scored, [...Array(windows).keys()]);
  }
});

test("windows chosen for being bad do not pull the mean down, and are told as the worst", () => {
  const window = (segment: number, chosen: "sample" | "worst") => ({ segment, chosen });
  const quality = qualityOfWindows("vmaf", [
    { window: window(0, "sample"), frames: [90, 94] },
    { window: window(3, "worst"), frames: [40] },
  ]);
  assert.deepEqual(quality, {
    metric: "vmaf",
    mean: 92,
    p5: 90,
    worst: { segment: 3, value: 40 },
    frames: 3,
  });
  assert.equal(qualityOfWindows("vmaf", []), null);
});
