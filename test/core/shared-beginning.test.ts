import assert from "node:assert/strict";
import { test } from "node:test";
import { rational } from "../../core/rational.ts";
import { type BesideUnit, isLeftToReader, isUnasked } from "../../core/shared-beginning.ts";
import { buildTimeline } from "../../core/timeline.ts";

const NOW = new Date(1_000_000);
const ago = (seconds: number): Date => new Date(NOW.getTime() - seconds * 1000);
const unit = (chunk: number, worker: string, changes: Partial<BesideUnit> = {}): BesideUnit => ({
  ...{ chunk, worker, state: "claimed", leaseUntil: ago(-5), claimedAt: ago(1), attempts: [] },
  ...changes,
});
const done = (chunk: number, worker: string, secondsAgo: number) =>
  unit(chunk, worker, { state: "done", leaseUntil: null, attempts: [{ endedAt: ago(secondsAgo) }] });
const OWN = unit(2, "mine");

for (const [name, expected, others] of [
  ["another worker is at the first unit", true, [unit(0, "other")]],
  ["it has just made one", true, [done(1, "other", 2)]],
  ["it made one a while ago", false, [done(1, "other", 4)]],
  ["it is at one and has made another", true, [done(0, "other", 60), unit(1, "other")]],
  [
    "this worker has made one before, and has the beginning itself",
    false,
    [done(0, "mine", 9), unit(1, "other")],
  ],
  ["the other one is at a unit behind it", false, [unit(3, "other")]],
  ["the other one is dead", false, [unit(0, "other", { leaseUntil: ago(1) })]],
  ["the other one is slow", false, [unit(0, "other", { claimedAt: ago(61) })]],
  ["the other one failed", false, [unit(0, "other", { state: "failed", leaseUntil: null })]],
  ["nobody else is there", false, []],
] as [string, boolean, BesideUnit[]][])
  test(`a unit is left to the other worker, ${expected ? "" : "not "}where ${name}`, () => {
    assert.equal(isLeftToReader(OWN, [OWN, ...others], NOW), expected);
  });

test("only what is made of every film, and nobody waits for, may be left", () => {
  const timeline = buildTimeline(rational(25, 1), 25 * 600);
  const may = (chunk: number, isAwaited?: true) =>
    isUnasked({ chunk, ...(isAwaited && { isAwaited }) }, timeline);
  assert.deepEqual([may(0), may(1), may(4), may(5), may(1, true)], [false, true, true, false, false]);
});
