import assert from "node:assert/strict";
import { test } from "node:test";
import type { Chapter } from "../../player-demo/api-client.ts";
import { announcedFrom, chapterAt, chapterEnd } from "../../player-demo/chapters.ts";
import { clockTime } from "../../player-demo/clock-time.ts";
import { retryDelayMs } from "../../player-demo/retry-delay.ts";
import { readHash } from "../../player-demo/session-token.ts";

const intro: Chapter = { startSeconds: 5, name: "Intro", kind: "intro" };
const story: Chapter = { startSeconds: 60, name: "Story", kind: null };
const credits: Chapter = { startSeconds: 3_000, name: "Credits", kind: "credits" };

test("a chapter lasts to the next one, the last to the end of the film", () => {
  const all = [intro, story, credits];
  const rows: [number, Chapter | null][] = [
    [0, null],
    [5, intro],
    [59.9, intro],
    [60, story],
    [9_999, credits],
  ];
  for (const [seconds, chapter] of rows) assert.equal(chapterAt(all, seconds), chapter, `${seconds} s`);
  assert.equal(chapterEnd(all, intro, 3_100), 60);
  assert.equal(chapterEnd(all, credits, 3_100), 3_100);
});

test("the next film is announced with the credits, else shortly before the end", () => {
  assert.equal(announcedFrom([intro, credits], 3_100), 3_000);
  // Something follows them: the viewer stays.
  assert.equal(announcedFrom([credits, { ...story, startSeconds: 3_050 }], 3_100), 3_088);
  // Opening ones, and nothing is marked behind them.
  assert.equal(announcedFrom([intro, { ...credits, startSeconds: 60 }], 3_100), 3_088);
  assert.equal(announcedFrom([], 3_100), 3_088);
  assert.equal(announcedFrom([], 10), 5);
});

test("a place in a film is written as on a clock", () => {
  const rows: [number, string][] = [
    [0, "0:00"],
    [9.99, "0:09"],
    [754, "12:34"],
    [3_600, "1:00:00"],
    [3_845.2, "1:04:05"],
    [-1, "0:00"],
  ];
  for (const [seconds, written] of rows) assert.equal(clockTime(seconds), written);
});

test("tries in a row come at growing pauses, up to 20 s", () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6, 60].map(retryDelayMs),
    [1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000],
  );
});

test("the address says what to play, and from where", () => {
  assert.deepEqual(readHash("#title=ti_1&from=0"), {
    token: null,
    titleId: "ti_1",
    aboutId: null,
    fromSeconds: 0,
  });
  for (const [from, seconds] of [
    ["12.5", 12.5],
    ["-3", 0],
    ["soon", null],
  ])
    assert.equal(readHash(`#title=a&from=${from}`).fromSeconds, seconds);
  assert.equal(readHash("#title=a").fromSeconds, null);
});
