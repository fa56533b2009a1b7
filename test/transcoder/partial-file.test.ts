import assert from "node:assert/strict";
import { test } from "node:test";
import { behind } from "../../transcoder/file-spans.ts";

test("a write that took fewer bytes than it was given goes on behind them", () => {
  const pieces = [Uint8Array.of(1, 2, 3), Uint8Array.of(4), Uint8Array.of(5, 6)];
  for (const [gone, left] of [
    [0, [[1, 2, 3], [4], [5, 6]]],
    [2, [[3], [4], [5, 6]]],
    [3, [[4], [5, 6]]],
    [5, [[6]]],
    [6, []],
  ] as const)
    assert.deepEqual(
      behind(pieces, gone).map((piece) => [...piece]),
      left,
      `${gone} bytes`,
    );
});
