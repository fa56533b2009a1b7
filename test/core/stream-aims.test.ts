import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  aimsBetween,
  areInOrder,
  entryFinder,
  goesOn,
  gridSeconds,
  hasNearer,
  isBehind,
  isNear,
  isSeen,
  longestGroup,
  middleOf,
  mostUnseenBytes,
  placeBetween,
  stepsBetween,
  tailSeconds,
} from "../../core/stream-aims.ts";
import type { StreamPicture } from "../../core/stream-pictures.ts";

/** Where a transport stream is looked into, and what is made of what is met there. */

const at = (decodeSeconds: number) => ({ at: 0, decodeSeconds });
/** A picture every 40 ms from `from` on, 1000 bytes each, shown two later; an entry every `group`. */
function pictures(count: number, { from = 10, group = 50 } = {}): StreamPicture[] {
  return Array.from({ length: count }, (_, index) => ({
    at: index * 1000,
    decodeSeconds: from + index * 0.04,
    shownSeconds: from + index * 0.04 + 0.08,
    isEntry: index % group === 0,
  }));
}

const entriesOf = (all: readonly StreamPicture[], isFilmStart: boolean) => {
  const finder = entryFinder(isFilmStart);
  return all.flatMap((picture) => finder.add(picture) ?? []).map(({ at, leadAt }) => [at, leadAt]);
};

test("a film's first picture is begun at, all other entries have a quarter of a second before them", () => {
  const [first, ...others] = [
    [0, 0],
    [50_000, 43_000],
    [100_000, 93_000],
  ];
  assert.deepEqual(entriesOf(pictures(120), true), [first, ...others]);
  assert.deepEqual(entriesOf(pictures(120), false), others);
  const late = pictures(120).slice(45);
  assert.deepEqual(
    entriesOf(late, false),
    [others[1]],
    "of what is met a fifth of a second before nothing is known",
  );
});

test("a hundred thousand entries in a quarter of a second are gone through once", () => {
  const crowd = Array.from({ length: 100_000 }, (_, index) => ({
    ...{ at: index * 188, decodeSeconds: index / 90_000, shownSeconds: index / 90_000, isEntry: true },
  }));
  assert.equal(entriesOf(crowd, false).length, 100_000 - 22_500);
});

test("pictures are in order where each is decoded behind the one before it", () => {
  assert.ok(areInOrder(pictures(50)));
  const shownOnly = [0, 3, 1, 2].map((place) => ({ at: 0, decodeSeconds: place * 0.04 }));
  assert.ok(!areInOrder(shownOnly), "reordered ones that have a time of showing alone");
  assert.ok(!areInOrder([at(1), at(1)]));
});

test("groups are as long as the longest of the beginning, the one that it ends in among them", () => {
  const known = (decodeSeconds: number) => ({ at: 0, decodeSeconds });
  assert.equal(longestGroup([known(1), known(3), known(4)], known(5)), 2);
  assert.equal(longestGroup([known(1)], known(8)), 7);
  assert.equal(longestGroup([known(1), known(1.2)], known(1.3)), 0.5);
});

test("a segment of the grid is six seconds, or a little more; uneven pictures have none", () => {
  const of = (rate: number, frames = 100) =>
    gridSeconds(
      Array.from({ length: frames }, (_, at) => ({ ...pictures(1)[0]!, shownSeconds: 1 + at / rate })),
    );
  assert.deepEqual([of(25), of(24_000 / 1001), of(30_000 / 1001), of(50)], [6, 6.006, 6.006, 6]);
  assert.deepEqual([of(12.5), of(15), of(48)], [6, 6, 6], "rates that no display knows");
  assert.equal(of(25, 20), null, "too few to tell");
  const uneven = pictures(100).map((one, at) => ({ ...one, shownSeconds: at * 0.04 + (at % 3) * 0.03 }));
  assert.equal(gridSeconds(uneven), null);
});

const rhythm = (groupSeconds: number, segmentSeconds = 6) => ({ first: at(1), groupSeconds, segmentSeconds });

test("a look for each time at which a chunk may begin, a group before it; fewer into long films and long groups", () => {
  const aims = (group: number, until: number) =>
    aimsBetween(rhythm(group), at(8), at(until)).map(({ fromSeconds, untilSeconds }) => [
      fromSeconds,
      Math.round(untilSeconds * 1000) / 1000,
    ]);
  // A tenth of a second for how pictures are reordered.
  assert.deepEqual(aims(2, 59), [
    [11, 13.1],
    [23, 25.1],
    [35, 37.1],
    [47, 49.1],
  ]);
  assert.deepEqual(
    aims(0.5, 59).map(([, until]) => until),
    [12.85, 24.85, 36.85, 48.85],
    "some pictures before it where that costs little",
  );
  assert.deepEqual(aims(10, 100), [
    [30.5, 31.1],
    [60.5, 61.1],
    [90.5, 91.1],
  ]);
  const hour = aimsBetween(rhythm(2, 6.006), at(8), at(3601));
  assert.equal(hour.length, 119);
  assert.ok(Math.abs(hour.at(-1)!.untilSeconds - (1.1 + 119 * 30.03)) < 1e-9, "on the grid to the end");
  for (const hours of [0.1, 1, 2, 5]) {
    assert.ok(aimsBetween(rhythm(2), at(8), at(hours * 3600)).length <= 128, `${hours}`);
    assert.ok(aimsBetween(rhythm(10), at(8), at(hours * 3600)).length <= 64, `${hours}`);
  }
  // 40 Mbit/s: a minute of that is more than a file by itself may be.
  const heavy = aimsBetween(rhythm(2), at(8), { at: 36e9, decodeSeconds: 7201 });
  assert.equal(Math.round(heavy[1]!.untilSeconds - heavy[0]!.untilSeconds), 30);
});

test("a look takes the last entry that is no later, where others come before", () => {
  const aim = { fromSeconds: 10, untilSeconds: 12 };
  assert.deepEqual(
    [hasNearer(at(10), aim, 2), hasNearer(at(10.5), aim, 2), hasNearer(at(12), aim, 2)],
    [true, false, false],
  );
  assert.deepEqual([isBehind(at(12), aim), isBehind(at(12.04), aim)], [false, true]);
});

test("nothing is hidden in a step of ten seconds at most, and of few bytes", () => {
  const place = (megabytes: number, decodeSeconds: number) => ({ at: megabytes * 1e6, decodeSeconds });
  const [first, ...others] = stepsBetween([
    place(0, 1),
    place(3, 11),
    place(2, 9),
    place(40, 12),
    place(41, 22.5),
  ]);
  assert.deepEqual(
    [first!.from.decodeSeconds, first!.until.decodeSeconds],
    [1, 9],
    "in the order of the file",
  );
  const mostBytes = mostUnseenBytes(place(0, 1), place(60, 61));
  assert.equal(mostBytes, 15e6);
  assert.deepEqual(
    others.map((step) => isSeen(step, mostBytes)),
    [true, false, false],
    "37 MB in a second, and more than ten seconds",
  );
  const back = { from: place(3, 16), until: place(4, 15.9) };
  assert.deepEqual([goesOn(first!), goesOn(back)], [true, false]);
  assert.equal(middleOf(back), 3.5e6);
  assert.equal(
    middleOf({ from: at(1), until: { at: 60_000, decodeSeconds: 20 } }),
    null,
    "a step of the clock itself",
  );
});

test("the end is a hundredth of the film, two seconds to ten", () => {
  assert.deepEqual([60, 600, 7200].map(tailSeconds), [2, 6, 10]);
});

test("where bytes go with time the first landing is near; elsewhere it lies between the places that are known", () => {
  const whole = { low: { at: 1000, decodeSeconds: 1 }, high: { at: 61_001_000, decodeSeconds: 61 } };
  const seconds = fc.double({ min: 1.5, max: 61, noNaN: true });
  fc.assert(
    fc.property(seconds, (wanted) => {
      const place = placeBetween(whole.low, whole.high, wanted);
      assert.ok(isNear({ at: place, decodeSeconds: 1 + (place - 1000) / 1_016_666 }, wanted), `${wanted}`);
    }),
  );
  for (const wanted of [-5, 1, 61.4, 1e6]) {
    const place = placeBetween(whole.low, whole.high, wanted);
    assert.ok(place >= whole.low.at && place <= whole.high.at, `${wanted}: ${place}`);
  }
});
