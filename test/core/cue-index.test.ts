import assert from "node:assert/strict";
import { test } from "node:test";
import { cueRanges, readCues, tickSeconds } from "../../core/cue-index.ts";
import { readElement, readElements } from "../../core/ebml.ts";
import { pictureTrack } from "../../core/matroska-tracks.ts";

/** Matroska's index, made by hand: ids and sizes as RFC 8794 writes them. */

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
const ORIGIN = 1000;
const whole = (bytes: Uint8Array) => readElement(bytes, ORIGIN, ORIGIN)!;
const piece = (bytes: Uint8Array) => ({ bytes, origin: ORIGIN });

test("ids keep their length bit, sizes do not, of one to eight bytes", () => {
  const at = { start: ORIGIN, body: ORIGIN + 2, end: ORIGIN + 3 };
  assert.deepEqual(whole(hex("b3 81 07")), { id: 0xb3, ...at });
  assert.deepEqual(whole(hex("1c53bb6b 4002 0000")), {
    ...{ id: 0x1c53bb6b, start: ORIGIN },
    ...{ body: ORIGIN + 6, end: ORIGIN + 8 },
  });
  assert.equal(whole(hex("b3 01 00000000000005")).end, ORIGIN + 9 + 5);
});

test("a size that nobody knew, a header that is cut off and an id of nought are none", () => {
  for (const bytes of ["18538067 01ffffffffffffff", "1c53bb", "b3", "00 81 07", ""])
    assert.equal(readElement(hex(bytes), ORIGIN, ORIGIN), null, bytes);
});

test("an element that leads out of its body makes none of them count", () => {
  assert.equal(readElements(hex("b3 81 07 b3 82 07"), ORIGIN, { start: ORIGIN, end: ORIGIN + 6 }), null);
});

/** `Tracks` of entries with number and type. */
const tracks = (...entries: [number: string, type: string][]): Uint8Array =>
  hex(
    `1654ae6b ${(0x80 + 8 * entries.length).toString(16)} ${entries.map(([number, type]) => `ae 86 d7 81 ${number} 83 81 ${type}`).join("")}`,
  );

test("the picture is the one track of its type", () => {
  const of = (bytes: Uint8Array) => pictureTrack(piece(bytes), whole(bytes));
  assert.deepEqual(of(tracks(["01", "02"], ["07", "01"])), { number: 7, frameNanoseconds: null });
  assert.equal(of(tracks(["01", "02"])), null);
  assert.equal(of(tracks(["01", "01"], ["02", "01"])), null);
});

test("how long a frame stands is known where the file says what a film may have", () => {
  const of = (size: string, nanoseconds: string) => {
    const duration = `23e383 ${size} ${nanoseconds}`;
    const entry = hex(`d7 81 01 83 81 01 ${duration}`);
    const bytes = Buffer.concat([
      hex(`1654ae6b ${(0x82 + entry.length).toString(16)} ae ${(0x80 + entry.length).toString(16)}`),
      entry,
    ]);
    return pictureTrack(piece(bytes), whole(bytes))?.frameNanoseconds;
  };
  assert.equal(of("84", "027bc86a"), 41_666_666);
  for (const [size, odd] of [
    ["81", "00"],
    ["81", "01"],
    ["84", "ffffffff"],
    ["88", "ffffffffffffffff"],
  ] as const)
    assert.equal(of(size, odd), null, odd);
});

test("a tick is a millisecond where nothing is said", () => {
  const said = hex("1549a966 87 2ad7b1 83 0186a0");
  assert.equal(tickSeconds(piece(said), whole(said)), 1e-4);
  const unsaid = hex("1549a966 80");
  assert.equal(tickSeconds(piece(unsaid), whole(unsaid)), 1e-3);
});

/** One `CuePoint` of track 1 at a time, in ticks, and a place. */
const point = (ticks: number, place: number): string =>
  `bb 8b b3 81 ${ticks.toString(16).padStart(2, "0")} b7 86 f7 81 01 f1 81 ${place.toString(16).padStart(2, "0")}`;
const cuesOf = (points: readonly [number, number][], track = 1) => {
  const bytes = hex(
    `1c53bb6b ${(0x80 + 13 * points.length).toString(16)} ${points.map(([ticks, place]) => point(ticks, place)).join("")}`,
  );
  return readCues(piece(bytes), whole(bytes), track, 0.1, 50);
};

test("cues are read with their time and place; of another track, or going back, there are none", () => {
  assert.deepEqual(
    cuesOf([
      [0, 10],
      [20, 90],
    ]),
    [
      { seconds: 0, clusterAt: 60 },
      { seconds: 2, clusterAt: 140 },
    ],
  );
  assert.equal(cuesOf([[0, 10]], 2), null);
  assert.equal(
    cuesOf([
      [20, 10],
      [0, 90],
    ]),
    null,
  );
  assert.equal(
    cuesOf([
      [0, 90],
      [20, 10],
    ]),
    null,
  );
});

const CUES = [0, 2, 4, 6, 8].map((seconds) => ({ seconds, clusterAt: 100 + seconds * 10 }));
test("where it is entered exactly it does not step back", () => {
  const window = { startSeconds: 4.01, endSeconds: 5, isExact: true } as const;
  assert.deepEqual(cueRanges(CUES, window, 1000), [{ start: 140, end: 180 }]);
});

for (const [startSeconds, endSeconds, start, end] of [
  [0, 1, 100, 140],
  // ffmpeg steps back from what it is asked for: right on a keyframe it enters at the one before.
  [4, 5, 120, 180],
  [4.5, 5, 140, 180],
  [4.5, 5.5, 140, 1000],
  [9, 10, 180, 1000],
] as const) {
  test(`from ${startSeconds} to ${endSeconds} s: from ${start} to ${end}`, () => {
    assert.deepEqual(cueRanges(CUES, { startSeconds, endSeconds }, 1000), [{ start, end }]);
  });
}
