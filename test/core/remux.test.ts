import assert from "node:assert/strict";
import { test } from "node:test";
import { beginsWithIdr, describeCoded } from "../../core/coded-picture.ts";
import { copiedFragments } from "../../core/copied-track.ts";
import { readFragments } from "../../core/fragments.ts";
import { rational } from "../../core/rational.ts";
import type { SampleTrack } from "../../core/sample-table.ts";
import { buildTimeline } from "../../core/timeline.ts";

/** What a table says of coded pictures, and the boxes that are put around them. */

const TIMELINE = buildTimeline(rational(2, 1), 20);
/** Four frames a group, decoded I P B B: shown I B B P. */
const GROUP = [0, 3, 1, 2];

function box(type: string, ...content: Uint8Array[]): Uint8Array {
  const body = Buffer.concat(content);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + body.length);
  head.write(type, 4, "latin1");
  return Buffer.concat([head, body]);
}

/** Twenty frames in closed groups, on a clock of 500 ticks a frame that starts at 7. */
function tableOf(change: Partial<SampleTrack> = {}): SampleTrack {
  const places = Array.from({ length: 20 }, (_, at) => Math.floor(at / 4) * 4 + GROUP[at % 4]!);
  return {
    ...{ index: 0, handler: "vide", timescale: 1000 },
    entry: box("avc1", Buffer.alloc(78), box("avcC", Uint8Array.of(1, 100, 0, 30))),
    offsets: Float64Array.from(places, (_, at) => 100 * at),
    sizes: new Uint32Array(20).fill(10),
    decodeTicks: Float64Array.from(places, (_, at) => 500 * at),
    shownTicks: Float64Array.from(places, (place) => 7 + 500 * place),
    durations: new Uint32Array(20).fill(500),
    isKeyframe: Uint8Array.from(places, (_, at) => Number(at % 4 === 0)),
    isShown: new Uint8Array(20).fill(1),
    ...change,
  };
}

test("closed groups on the grid are described by their configuration and their bytes", () => {
  const coded = describeCoded(tableOf(), TIMELINE);
  assert.deepEqual(coded, {
    configuration: Buffer.from([1, 100, 0, 30]).toString("base64"),
    segmentBytes: [120, 80],
  });
});

const swapped = (a: number, b: number): Float64Array => {
  const ticks = tableOf().shownTicks;
  [ticks[a], ticks[b]] = [ticks[b]!, ticks[a]!];
  return ticks;
};
const unmarked = tableOf().isKeyframe;
unmarked[8] = 0;
for (const [name, change] of [
  ["a group that shows a frame before its keyframe", { shownTicks: swapped(7, 8) }],
  ["a group that shows a frame after the next keyframe", { shownTicks: swapped(6, 9) }],
  ["no keyframe on the grid", { isKeyframe: unmarked }],
  ["a hidden frame", { isShown: new Uint8Array(20).fill(1, 1) }],
  ["another sample entry", { entry: box("avc3", Buffer.alloc(78), box("avcC")) }],
  ["no configuration", { entry: box("avc1", Buffer.alloc(78)) }],
] as const) {
  test(`${name} is not cut`, () => {
    assert.equal(describeCoded(tableOf(change), TIMELINE), null);
  });
}

test("a table of other frames than the timeline's is not cut", () => {
  assert.equal(describeCoded(tableOf(), buildTimeline(rational(2, 1), 21)), null);
});

/** Units of these types, each of three bytes. */
const units = (...types: number[]): Uint8Array =>
  Buffer.concat(types.map((type) => Uint8Array.of(0, 0, 0, 3, 0x60 | type, 1, 2)));

for (const [types, expected] of [
  [[5], true],
  [[9, 6, 6, 5], true],
  [[1], false],
  [[6, 1, 5], false],
  [[7, 8, 5], false],
  [[9, 6], false],
] as const) {
  test(`a sample of units ${types.join(" ")} ${expected ? "can" : "cannot"} be entered`, () => {
    assert.equal(beginsWithIdr(units(...types)), expected);
  });
}

test("a message longer than what was read leaves it unknown: no", () => {
  assert.equal(beginsWithIdr(Uint8Array.of(0, 0, 16, 0, 6, 1, 2, 3)), false);
});

test("frames stand at the grid's places, whatever the master counts in, their bytes untouched", () => {
  const samples = Array.from({ length: 8 }, (_, at) => Uint8Array.of(at, at));
  const bytes = copiedFragments(tableOf(), samples, { firstFrame: 12, frameCount: 8 }, TIMELINE);
  const fragments = readFragments(bytes);
  const ticks = TIMELINE.ticksPerFrame;
  assert.deepEqual(
    fragments.map(({ baseDecodeTime }) => baseDecodeTime),
    [12 * ticks, 16 * ticks],
  );
  for (const fragment of fragments) {
    assert.deepEqual(
      fragment.samples.map(({ isSync }) => isSync),
      [true, false, false, false],
    );
    const shown = fragment.samples.map((one, at) => at + one.compositionOffsetTicks / ticks);
    assert.deepEqual(shown, GROUP);
    assert.ok(fragment.samples.every(({ durationTicks }) => durationTicks === ticks));
  }
  const read = fragments.flatMap(({ samples: own }) => own.map(({ offset }) => bytes[offset]));
  assert.deepEqual(read, [0, 1, 2, 3, 4, 5, 6, 7]);
});
