import assert from "node:assert/strict";
import { test } from "node:test";
import { resumeAt, type SeenChapter, seenFromSeconds } from "../../core/seen.ts";

const HOUR_SECONDS = 3_600;

function chapter(startSeconds: number, kind: SeenChapter["kind"] = null): SeenChapter {
  return { startSeconds, kind };
}

test("a film is seen from its credits on, else in its last twentieth, of a long one in its last three minutes", () => {
  const cases: [what: string, durationSeconds: number, from: number, chapters?: SeenChapter[]][] = [
    ["a clip", 30, 28.5],
    ["an episode", 1_200, 1_140],
    ["where both are the same", HOUR_SECONDS, HOUR_SECONDS - 180],
    ["a long film", 3 * HOUR_SECONDS, 3 * HOUR_SECONDS - 180],
    ["a day", 24 * HOUR_SECONDS, 24 * HOUR_SECONDS - 180],
    ["long credits", 3 * HOUR_SECONDS, 10_200, [chapter(0), chapter(10_200, "credits")]],
    ["short ones", 3 * HOUR_SECONDS, 10_790, [chapter(0), chapter(10_790, "credits")]],
    ["a scene behind them", 3 * HOUR_SECONDS, 10_620, [chapter(10_200, "credits"), chapter(10_500)]],
    ["opening credits", 1_200, 1_140, [chapter(0, "credits"), chapter(60)]],
    ["opening credits and no other chapter", 7_200, 7_020, [chapter(60, "credits")]],
    ["opening credits behind an intro", 7_200, 7_020, [chapter(0, "intro"), chapter(60, "credits")]],
    ["credits just before the half", 1_200, 1_140, [chapter(599.9, "credits")]],
    ["credits from the half on", 1_200, 600, [chapter(600, "credits")]],
    ["opening and closing ones", 1_200, 1_100, [chapter(60, "credits"), chapter(1_100, "credits")]],
    ["credits alone, from the first picture on", 1_200, 1_140, [chapter(0, "credits")]],
    ["chapters behind the end", 1_200, 1_100, [chapter(1_100, "credits"), chapter(1_200), chapter(1_300)]],
    ["credits behind the end", 1_200, 1_140, [chapter(0), chapter(1_200, "credits")]],
    ["no credits", 1_200, 1_140, [chapter(0, "intro"), chapter(60), chapter(1_100)]],
  ];
  for (const [what, durationSeconds, from, chapters] of cases)
    assert.equal(seenFromSeconds(durationSeconds, chapters), from, what);
});

test("who left before that goes on there, all others at the beginning", () => {
  const credits = [chapter(1_000, "credits")];
  const cases: [number, number, SeenChapter[] | undefined, number][] = [
    [0, 1_200, undefined, 0],
    [1_139.9, 1_200, undefined, 1_139.9],
    [1_140, 1_200, undefined, 0],
    [3 * HOUR_SECONDS - 500, 3 * HOUR_SECONDS, undefined, 3 * HOUR_SECONDS - 500],
    [999, 1_200, credits, 999],
    [1_000, 1_200, credits, 0],
    [5_000, 1_200, undefined, 0],
  ];
  for (const [position, duration, chapters, at] of cases)
    assert.equal(resumeAt(position, duration, chapters), at, `${position} of ${duration}`);
});
