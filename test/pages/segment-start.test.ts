import assert from "node:assert/strict";
import { test } from "node:test";
import { rational } from "../../core/rational.ts";
import { buildTimeline } from "../../core/timeline.ts";
import { segmentStartSeconds } from "../../studio/segment-start.ts";

test("a segment begins where the grid has it", () => {
  for (const [num, den] of [
    [24_000, 1001],
    [25, 1],
    [30_000, 1001],
    [60, 1],
    [12, 1],
    [1, 4],
  ] as const) {
    const { framesPerSegment } = buildTimeline(rational(num, den), 100_000);
    for (const segment of [0, 1, 700]) {
      const wanted = (segment * framesPerSegment * den) / num;
      assert.ok(Math.abs(segmentStartSeconds(segment, num / den) - wanted) < 0.001, `${num}/${den}`);
    }
  }
});
