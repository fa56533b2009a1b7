import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { listSamples } from "../../core/listed-samples.ts";
import { packetCollector } from "../../core/packet-table.ts";
import type { SampleTrack } from "../../core/sample-table.ts";

interface Sample {
  shownTicks: number;
  duration: number;
  isKeyframe: boolean;
  isShown: boolean;
}

function trackOf(index: number, timescale: number, samples: readonly Sample[]): SampleTrack {
  return {
    ...{ index, timescale, handler: index === 0 ? "vide" : "soun" },
    entry: new TextEncoder().encode(index === 2 ? "....enca" : "....avc1"),
    offsets: Float64Array.from(samples, (_, at) => at * 10),
    sizes: new Uint32Array(samples.length).fill(10),
    decodeTicks: Float64Array.from(samples, (_, at) => at * 1001),
    shownTicks: Float64Array.from(samples, ({ shownTicks }) => shownTicks),
    durations: Uint32Array.from(samples, ({ duration }) => duration),
    isKeyframe: Uint8Array.from(samples, ({ isKeyframe }) => Number(isKeyframe)),
    isShown: Uint8Array.from(samples, ({ isShown }) => Number(isShown)),
  };
}

/** The same as a demuxer would list it, packet by packet, to the six decimals that ffprobe prints. */
function collected(tracks: readonly SampleTrack[], picture: { index: number }) {
  const collector = packetCollector(picture);
  for (const { index, timescale, entry, ...columns } of tracks) {
    const seconds = (ticks: number): number => Math.round((ticks / timescale) * 1e6) / 1e6;
    for (let at = 0; at < columns.sizes.length; at++)
      collector.add({
        streamIndex: index,
        presentationSeconds: seconds(columns.shownTicks[at]!),
        decodeSeconds: seconds(columns.decodeTicks[at]!),
        durationSeconds: seconds(columns.durations[at]!),
        isKeyframe: columns.isKeyframe[at] === 1,
        isHidden: columns.isShown[at] === 0,
        isEncrypted: entry[7] === "a".charCodeAt(0),
        at: Number.NaN,
      });
  }
  return collector.table();
}

/** Shown near where they lie, as encoders reorder, or anywhere. */
const samples = fc
  .tuple(
    fc.array(
      fc.record({
        offset: fc.integer({ min: -3, max: 3 }),
        duration: fc.nat(3000),
        isKeyframe: fc.boolean(),
        isShown: fc.oneof({ weight: 8, arbitrary: fc.constant(true) }, fc.boolean()),
      }),
      { maxLength: 60 },
    ),
    fc.constantFrom(1001, 20_000),
  )
  .map(([rows, apart]) =>
    rows.map(({ offset, ...row }, at): Sample => ({ ...row, shownTicks: at * 1001 + offset * apart })),
  );

test("tables list what a demuxer of the same packets does, whatever is hidden and in whatever order it is shown", () => {
  fc.assert(
    fc.property(
      fc.tuple(samples, samples, samples),
      fc.constantFrom(24, 30_000, 90_000),
      fc.nat(3),
      (each, timescale, picture) => {
        const tracks = each.map((one, index) => trackOf(index, timescale, one));
        const own = listSamples(tracks, { index: picture }, 1e6);
        assert.deepEqual(own, collected(tracks, { index: picture }));
      },
    ),
    { numRuns: 300 },
  );
});

test("frames come in the order of display from the first keyframe on, with what the last one says of its length", () => {
  const of = (rows: [number, boolean, boolean?][]) =>
    listSamples(
      [
        trackOf(
          0,
          1,
          rows.map(([shownTicks, isKeyframe, isShown = true], at) => ({
            ...{ shownTicks, isKeyframe, isShown },
            duration: at + 1,
          })),
        ),
      ],
      { index: 0 },
      1e6,
    ).frames;
  const frames = (seconds: number[], keyframeSeconds: number[], lastDurationSeconds: number) => ({
    seconds: Float64Array.from(seconds),
    keyframeSeconds: Float64Array.from(keyframeSeconds),
    lastDurationSeconds,
  });
  assert.deepEqual(
    of([
      [0, false],
      [4, true],
      [2, false],
      [6, false],
      [5, true],
    ]),
    frames([4, 5, 6], [4, 5], 4),
    "what is shown before the first keyframe is left out",
  );
  assert.deepEqual(
    of([
      [0, true, false],
      [2, false],
      [1, false],
    ]),
    frames([1, 2], [], 2),
    "its keyframe is hidden",
  );
  assert.deepEqual(
    of([
      [0, true],
      [3, false],
      [3, false],
    ]),
    frames([0, 3, 3], [0], 3),
    "two at the same time",
  );
  const ascending = Array.from({ length: 100 }, (_, at) => at);
  const backwards = [0, ...ascending.slice(1).reverse()].map((time): [number, boolean] => [time, true]);
  assert.deepEqual(
    of(backwards),
    frames(ascending, ascending, 2),
    "further from where they lie than any encoder's",
  );
  assert.deepEqual(of([]), frames([], [], 0));
});
