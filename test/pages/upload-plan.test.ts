import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  fitsLayout,
  inRuns,
  missingParts,
  type PartLayout,
  partRange,
  partVerdict,
  retryDelayMs,
  toBase64,
} from "../../studio/upload-plan.ts";

const layouts = fc
  .record({
    sizeBytes: fc.integer({ min: 1, max: 10_000 }),
    partSizeBytes: fc.integer({ min: 1, max: 3_000 }),
  })
  .map((layout) => ({ ...layout, partCount: Math.ceil(layout.sizeBytes / layout.partSizeBytes) }));

const allParts = ({ partCount }: PartLayout) => Array.from({ length: partCount }, (_, index) => index + 1);

function lengthOf(layout: PartLayout, partNumber: number): number {
  const { start, end } = partRange(layout, partNumber);
  return end - start;
}

test("the parts tile the file: none empty, none too long, no byte lost or twice", () => {
  fc.assert(
    fc.property(layouts, (layout) => {
      let at = 0;
      for (const partNumber of allParts(layout)) {
        const { start, end } = partRange(layout, partNumber);
        assert.equal(start, at);
        assert.ok(end > start && end - start <= layout.partSizeBytes);
        at = end;
      }
      assert.equal(at, layout.sizeBytes);
      assert.ok(fitsLayout(layout));
      assert.throws(() => partRange(layout, 0), RangeError);
      assert.throws(() => partRange(layout, layout.partCount + 1), RangeError);
    }),
  );
});

test("a file of another number of parts is not the one that was begun", () => {
  assert.ok(!fitsLayout({ sizeBytes: 301, partSizeBytes: 100, partCount: 3 }));
  assert.ok(!fitsLayout({ sizeBytes: 200, partSizeBytes: 100, partCount: 3 }));
});

test("missing are the parts that storage does not hold whole, whatever else it lists", () => {
  fc.assert(
    fc.property(layouts, fc.func(fc.constantFrom("held", "cut", "absent")), (layout, fateOf) => {
      const held = allParts(layout).flatMap((partNumber) => {
        const sizeBytes = lengthOf(layout, partNumber);
        const fate = fateOf(partNumber);
        if (fate === "absent") return [];
        return [{ partNumber, sizeBytes: fate === "cut" ? sizeBytes - 1 : sizeBytes }];
      });
      const expected = allParts(layout).filter((partNumber) => fateOf(partNumber) !== "held");
      assert.deepEqual(missingParts(layout, held.reverse()), expected);
    }),
  );
});

test("runs keep order, lose nothing and stay within their size", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer({ min: 1, max: 100 }), (entries, size) => {
      const runs = inRuns(entries, size);
      assert.deepEqual(runs.flat(), entries);
      assert.ok(runs.every((run) => run.length >= 1 && run.length <= size));
    }),
  );
});

test("retries wait anything up to a limit that doubles and ends at 20 s", () => {
  assert.equal(retryDelayMs(1, 0), 0);
  assert.equal(retryDelayMs(1, 0.5), 500);
  assert.equal(retryDelayMs(3, 0.5), 2_000);
  assert.equal(retryDelayMs(30, 0.5), 10_000);
});

test("what storage answers decides what becomes of a part", () => {
  const verdicts: [number, string][] = [
    [200, "stored"],
    [204, "stored"],
    [403, "sign"],
    [400, "again"],
    [429, "again"],
    [500, "again"],
    [503, "again"],
    [404, "refused"],
    [413, "refused"],
  ];
  for (const [status, verdict] of verdicts) assert.equal(partVerdict(status), verdict, `${status}`);
});

test("base64 is what Node makes of the same bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      assert.equal(toBase64(bytes), Buffer.from(bytes).toString("base64"));
    }),
  );
});
