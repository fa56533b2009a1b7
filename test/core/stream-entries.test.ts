import assert from "node:assert/strict";
import { test } from "node:test";
import { packetCollector } from "../../core/packet-table.ts";
import { entryBefore, keptEntries } from "../../core/stream-entries.ts";

const every = (step: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => index * step);
const entriesAt = (decodeSeconds: number[]) => ({
  ...{ packetId: 256, stepsBack: true, decodeSeconds },
  at: decodeSeconds.map((_, index) => index * 188),
});

test("kept are those that stand a second apart", () => {
  const listed = every(0.4, 8).map((decodeSeconds, at) => ({ decodeSeconds, at }));
  assert.deepEqual(
    keptEntries(listed).map(({ at }) => at),
    [0, 3, 6],
  );
  assert.deepEqual(keptEntries([]), []);
});

test("a chunk is entered two seconds early or more, and a keyframe before the last one before it", () => {
  for (const [groupSeconds, firstSeconds, expected] of [
    [2, 12, 10],
    [2, 13, 10],
    [1, 12, 10],
    [5, 12, 5],
    [5, 10.5, 5],
    [5, 9.9, null],
    [2, 0, null],
    [2, 2, null],
    [100, 150, null],
  ] as const) {
    const keyframes = every(groupSeconds, 20);
    const entries = entriesAt(keyframes);
    const entry = entryBefore(entries, keyframes, firstSeconds);
    const found = entry === null ? null : entries.decodeSeconds[entry];
    assert.equal(found, expected, `groups of ${groupSeconds} s, ${firstSeconds} s`);
  }
});

/** ffprobe's lines with places: stream, pts, dts, duration, pos, flags. */
const LINES = [
  "0,1.08,1.00,0.04,188,K_",
  "1,0.9,0.9,0.02,376,K_",
  "0,1.20,1.04,0.04,564,__",
  "0,3.08,3.00,0.04,752,K_,",
];

test("places are told of a picture whose times and places go on", () => {
  const entriesOf = (lines: readonly string[], isPlaced = true) => {
    const collector = packetCollector({ index: 0 });
    for (const line of lines) collector.addLine(line, isPlaced);
    return collector.table().entries.map(({ decodeSeconds, at }) => [decodeSeconds, at]);
  };
  assert.deepEqual(entriesOf(LINES), [
    [1, 188],
    [3, 752],
  ]);
  for (const [name, line] of [
    ["a time that goes back", "0,2.08,2.00,0.04,940,K_"],
    ["a place that goes back", "0,4.08,4.00,0.04,700,K_"],
    ["no place", "0,4.08,4.00,0.04,N/A,K_"],
    ["no time of decoding", "0,4.08,N/A,0.04,940,K_"],
    ["no time of showing", "0,N/A,4.00,0.04,940,K_"],
    ["no time", "0,N/A,N/A,0.04,940,K_"],
  ])
    assert.deepEqual(entriesOf([...LINES, line!]), [], name);
  const plain = LINES.map((line) => line.split(",").toSpliced(4, 1).join(","));
  assert.deepEqual(entriesOf(plain, false), [], "lines without places");
});
