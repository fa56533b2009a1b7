import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isNext, nearestChunk } from "../../core/near-chunk.ts";

const upTo = (end: number, first = 0) => Array.from({ length: end - first }, (_, index) => first + index);

/** So many are at hand that it is not the last round, unless it is said. */
const freeOnes = (chunks: readonly number[], weightOf = (_chunk: number) => 1) =>
  chunks.map((chunk) => ({ chunk, weight: weightOf(chunk), isFree: true }));

const CASES: [what: string, free: number[], own: number[], chunk: number | null][] = [
  ["none is free", [], [3], null],
  ["nobody has begun", upTo(40), [], 0],
  ["the next", upTo(40, 2), [0, 1], 2],
  ["the next, though one before is free, too", [3, 5, 9], [4], 5],
  ["the last before", [3, 9], [4], 3],
  ["what was read for another ladder", upTo(40), [7, 8], 7],
  ["others are at the beginning", upTo(40, 2), [], 21],
  ["others are at the beginning and in the middle", [...upTo(21, 4), ...upTo(40, 25)], [], 12],
  ["none is near, and the beginning is free", [...upTo(20), ...upTo(30, 24)], [39], 0],
  ["the last one", [17], [3], 17],
];

for (const [what, free, own, chunk] of CASES)
  test(`a chunk to take up: ${what}`, () => assert.equal(nearestChunk(freeOnes(free), new Set(own)), chunk));

test("in the last round it is one of the longest, near or not", () => {
  const weightOf = (chunk: number) => ({ 5: 20, 9: 30, 11: 28 })[chunk] ?? 10;
  const atHand = upTo(4).map((chunk) => ({ chunk, weight: 10, isFree: false }));
  const open = [...atHand, ...freeOnes([5, 9, 11, 20], weightOf)];
  assert.equal(nearestChunk(open, new Set([4, 19])), 9);
  assert.equal(nearestChunk(open, new Set([10])), 11, "one that is as long and next");
  assert.equal(nearestChunk(open.slice(1), new Set([4, 19])), 5, "more are free than at hand");
});

test("it is one of those that are free, and near where one of them is", () => {
  const some = fc.uniqueArray(fc.nat(60)).map((all) => all.sort((a, b) => a - b));
  const isNear = (chunk: number, own: ReadonlySet<number>) => isNext(chunk, own) || own.has(chunk + 1);
  fc.assert(
    fc.property(some, some, (free, own) => {
      const begun = new Set(own);
      const chunk = nearestChunk(freeOnes(free), begun);
      if (chunk === null) return free.length === 0;
      return free.includes(chunk) && isNear(chunk, begun) === free.some((one) => isNear(one, begun));
    }),
  );
});

test("workers that take turns have few borders between them, however many there are", () => {
  for (const workers of [2, 3, 8]) {
    const owner = new Map<number, number>();
    const begun = Array.from({ length: workers }, () => new Set<number>());
    for (let turn = 0; owner.size < 120; turn++) {
      const worker = turn % workers;
      const chunk = nearestChunk(freeOnes(upTo(120).filter((one) => !owner.has(one))), begun[worker]!)!;
      owner.set(chunk, worker);
      begun[worker]!.add(chunk);
    }
    const borders = upTo(120, 1).filter((chunk) => owner.get(chunk) !== owner.get(chunk - 1)).length;
    assert.ok(borders <= 4 * workers, `${borders} borders between ${workers}`);
  }
});
