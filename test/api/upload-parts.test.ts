import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { layOutParts, MAX_PARTS, MAX_SOURCE_BYTES, partFaults, partLength } from "../../api/upload-parts.ts";

const MIB = 1024 ** 2;
const sizes = fc.oneof(
  fc.integer({ min: 1, max: 1_000 * MIB }),
  fc.integer({ min: 1, max: MAX_SOURCE_BYTES }),
);

test("parts tile any file up to 5 TiB exactly, in at most 10,000 and of at least 5 MiB", () => {
  fc.assert(
    fc.property(sizes, (sizeBytes) => {
      const layout = layOutParts(sizeBytes);
      assert.ok(layout.partCount >= 1 && layout.partCount <= MAX_PARTS);
      assert.ok(layout.partSizeBytes >= 5 * MIB && layout.partSizeBytes <= 5 * 1024 * MIB);
      const last = partLength({ ...layout, sizeBytes }, layout.partCount);
      assert.ok(last >= 1 && last <= layout.partSizeBytes);
      assert.equal((layout.partCount - 1) * layout.partSizeBytes + last, sizeBytes);
    }),
  );
});

test("the largest file is cut into parts of whole MiB", () => {
  assert.deepEqual(layOutParts(MAX_SOURCE_BYTES), { partSizeBytes: 525 * MIB, partCount: 9_987 });
  assert.deepEqual(layOutParts(1), { partSizeBytes: 8 * MIB, partCount: 1 });
});

test("T22: whatever storage holds that is not exactly the file is found", () => {
  const sizeBytes = 20 * MIB;
  const file = { sizeBytes, ...layOutParts(sizeBytes) };
  const whole = [8, 8, 4].map((mib, index) => ({ partNumber: index + 1, sizeBytes: mib * MIB }));
  assert.deepEqual(partFaults(file, whole), []);
  assert.deepEqual(partFaults(file, [...whole].reverse()), []);
  const rows: [{ partNumber: number; sizeBytes: number }[], [number, string][]][] = [
    [
      [],
      [
        [1, "missing"],
        [2, "missing"],
        [3, "missing"],
      ],
    ],
    [whole.slice(1), [[1, "missing"]]],
    [whole.map((part) => ({ ...part, sizeBytes: 8 * MIB })), [[3, "wrong_size"]]],
    [
      whole.map((part) => ({ ...part, sizeBytes: part.sizeBytes - 1 })),
      [
        [1, "wrong_size"],
        [2, "wrong_size"],
        [3, "wrong_size"],
      ],
    ],
    [[...whole, { partNumber: 4, sizeBytes: 1 }], [[4, "unknown"]]],
    [[...whole, { partNumber: 0, sizeBytes: 1 }], [[0, "unknown"]]],
    [
      whole.map((part) => ({ ...part, partNumber: part.partNumber + 1 })),
      [
        [1, "missing"],
        [3, "wrong_size"],
        [4, "unknown"],
      ],
    ],
  ];
  for (const [stored, faults] of rows) {
    assert.deepEqual(
      partFaults(file, stored).map(({ partNumber, fault }) => [partNumber, fault]),
      faults,
    );
  }
});
