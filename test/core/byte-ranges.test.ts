import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ByteRange, coveredBytes, inLoads, inPieces, joined, missing } from "../../core/byte-ranges.ts";

const LENGTH = 60;
const anyRange = fc
  .tuple(fc.nat(LENGTH), fc.nat(LENGTH))
  .map(([a, b]): ByteRange => ({ start: Math.min(a, b), end: Math.max(a, b) }));
const anyRanges = fc.array(anyRange, { maxLength: 12 });

/** The model: one flag a byte. */
function bytesOf(ranges: readonly ByteRange[]): boolean[] {
  return Array.from({ length: LENGTH }, (_, at) => ranges.some(({ start, end }) => start <= at && at < end));
}

test("joined spans are the same bytes, in order, apart from each other", () => {
  fc.assert(
    fc.property(anyRanges, (ranges) => {
      const result = joined(ranges);
      assert.deepEqual(bytesOf(result), bytesOf(ranges));
      for (const [index, { start, end }] of result.entries()) {
        assert.ok(start < end);
        if (index > 0) assert.ok(result[index - 1]!.end < start);
      }
    }),
  );
});

test("a gap that is joined is read with its neighbours, a wider one is not", () => {
  const ranges = [
    { start: 0, end: 10 },
    { start: 14, end: 20 },
    { start: 25, end: 30 },
  ];
  assert.deepEqual(joined(ranges, 4), [
    { start: 0, end: 20 },
    { start: 25, end: 30 },
  ]);
});

test("what is missing and what is held make up what is wanted, and do not overlap", () => {
  fc.assert(
    fc.property(anyRanges, anyRanges, (wanted, held) => {
      const absent = bytesOf(missing(wanted, held));
      const have = bytesOf(held);
      assert.deepEqual(
        absent,
        bytesOf(wanted).map((is, at) => is && !have[at]),
      );
    }),
  );
});

test("pieces are the same bytes, none too long", () => {
  fc.assert(
    fc.property(anyRanges, fc.integer({ min: 1, max: 20 }), (ranges, most) => {
      const pieces = inPieces(joined(ranges), most);
      assert.deepEqual(bytesOf(pieces), bytesOf(ranges));
      assert.equal(coveredBytes(pieces), bytesOf(ranges).filter(Boolean).length);
      for (const { start, end } of pieces) assert.ok(end - start <= most);
    }),
  );
});

test("loads are the same spans in the same order, none too many or too long unless it is one span", () => {
  const sizes = { mostBytes: fc.integer({ min: 1, max: 20 }), mostRanges: fc.integer({ min: 1, max: 5 }) };
  fc.assert(
    fc.property(anyRanges, fc.record(sizes), (ranges, { mostBytes, mostRanges }) => {
      const spans = joined(ranges);
      const loads = inLoads(spans, mostBytes, mostRanges);
      assert.deepEqual(loads.flat(), spans);
      for (const [index, load] of loads.entries()) {
        assert.ok(load.length === 1 || (load.length <= mostRanges && coveredBytes(load) <= mostBytes));
        // As few as can be.
        const [next] = loads[index + 1] ?? [];
        if (next === undefined) continue;
        assert.ok(load.length === mostRanges || coveredBytes([...load, next]) > mostBytes);
      }
    }),
  );
});
