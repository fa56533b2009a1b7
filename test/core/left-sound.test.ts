import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { type ByteRange, coveredBytes, missing } from "../../core/byte-ranges.ts";
import { leftSoundKey, leftSoundsOf, leftStretch } from "../../core/keys.ts";
import { betweenSpans, packSound, soundMark, spansToLeave, unpackSound } from "../../core/left-sound.ts";

const MASTER = { key: "t/up_1/source", etag: '"one"' };
const MARK = soundMark(MASTER, [1]);
const SIZE = 10_000;

const anySound = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 30 })), {
    minLength: 1,
    maxLength: 20,
  })
  .map((steps) => {
    let at = 0;
    const spans = steps.map(([before, length]): ByteRange => {
      const start = at + before;
      at = start + length;
      return { start, end: at };
    });
    return { spans, bytes: Buffer.from(spans.flatMap(({ start, end }) => counted(start, end))) };
  });

function counted(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, at) => (start + at) % 256);
}

test("what is left is found again, byte for byte", () => {
  fc.assert(
    fc.property(anySound, (sound) => {
      const found = unpackSound(packSound(MARK, sound), MARK, SIZE);
      assert.deepEqual(found?.spans, sound.spans);
      assert.ok(sound.bytes.equals(found.bytes));
    }),
  );
});

test("what is damaged, cut off, longer, of another mark, or larger than the master is nothing", () => {
  fc.assert(
    fc.property(anySound, fc.nat(), fc.integer({ min: 1, max: 255 }), (sound, place, flip) => {
      const object = packSound(MARK, sound);
      const flipped = Uint8Array.from(object);
      flipped[place % object.length]! ^= flip;
      const end = sound.spans.at(-1)!.end;
      assert.equal(unpackSound(flipped, MARK, SIZE), null, "a byte is another");
      assert.equal(unpackSound(object.subarray(0, place % object.length), MARK, SIZE), null, "cut off");
      assert.equal(unpackSound(Buffer.concat([object, Buffer.of(flip)]), MARK, SIZE), null, "longer");
      assert.equal(unpackSound(object, soundMark(MASTER, [1, 2]), SIZE), null, "of other tracks");
      assert.equal(unpackSound(object, MARK, end - 1), null, "behind the master's end");
      assert.notEqual(unpackSound(object, MARK, end), null);
    }),
  );
});

test("any bytes at all are nothing, and nothing is thrown", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, isSigned) => {
      const object = isSigned ? signed(Buffer.from(bytes).toString("latin1")) : bytes;
      const found = unpackSound(object, MARK, SIZE);
      if (found !== null) assert.ok(isSigned && coveredBytes(found.spans) === found.bytes.length);
    }),
  );
});

/** With the right first line before it. */
function signed(body: string): Uint8Array {
  const digest = createHash("sha256").update(Buffer.from(body, "latin1")).digest("hex");
  return Buffer.from(`matinee-sound-1 ${MARK} ${digest}\n${body}`, "latin1");
}

for (const [name, body, isGood] of [
  ["two spans", "10 2 5 1\nabc", true],
  ["at the very beginning", "0 3\nabc", true],
  ["up to the end", "9997 3\nabc", true],
  ["one byte behind it", "9998 3\nabc", false],
  ["fewer bytes than are named", "10 2 5 1\nab", false],
  ["more", "10 2 5 1\nabcd", false],
  ["an empty span", "10 3 5 0\nabc", false],
  ["a span without a length", "10 3 5\nabc", false],
  ["a span that goes back", "10 2 -5 1\nabc", false],
  ["no number", "10 x\nabc", false],
  ["no spans", "\n", false],
  ["no line of them", "10 3", false],
  ["a number beyond all that can be counted", "9999999999999999 3\nabc", false],
] as [string, string, boolean][])
  test(`${name}: ${isGood ? "taken" : "passed over"}, though its digest is right`, () => {
    assert.equal(unpackSound(signed(body), MARK, SIZE) !== null, isGood);
  });

test("a mark is of one version of one master and of which tracks, not of their order", () => {
  assert.equal(soundMark(MASTER, [2, 1, 2]), soundMark(MASTER, [1, 2]));
  const others = [
    { ...MASTER, etag: '"two"' },
    { ...MASTER, key: "t/up_2/source" },
  ].map((master) => soundMark(master, [1]));
  assert.equal(new Set([MARK, soundMark(MASTER, [1, 2]), ...others]).size, 4);
});

test("a key tells which stretch is below it, and what is none is told from it", () => {
  const folder = leftSoundsOf("t", "as_1", MARK);
  const key = leftSoundKey(folder, { start: 7, end: 90 });
  assert.ok(key.startsWith(`t/as_1/sound/${MARK}/`));
  assert.deepEqual(leftStretch(folder, key), { start: 7, end: 90 });
  assert.deepEqual(
    ["x", "7", "7-", "7-90/x", "-7-90"].map((name) => leftStretch(folder, folder + name)),
    [null, null, null, null, null],
  );
});

/** A piece of sound of `size` bytes at every hundredth byte. */
const sound = (size: number): ByteRange[] =>
  Array.from({ length: 100 }, (_, index) => ({ start: index * 100, end: index * 100 + size }));
const all = (pieces: readonly ByteRange[]): number[] => pieces.map(({ start }) => start);

test("of a stretch the pieces are left that lie in it whole, from its first picture to its last", () => {
  const window = [
    { start: 310, end: 405 },
    { start: 205, end: 300 },
  ];
  assert.deepEqual(all(spansToLeave(sound(10), window, () => [])), [300]);
  assert.deepEqual(all(spansToLeave(sound(5), window, () => [])), [300, 400]);
  assert.deepEqual(all(spansToLeave(sound(5), [], () => [])), []);
  assert.deepEqual(all(spansToLeave([], window, () => [])), []);
});

test("what is not on the disk is not left", () => {
  const held = [
    { start: 0, end: 305 },
    { start: 400, end: 500 },
  ];
  const left = spansToLeave(sound(10), [{ start: 200, end: 500 }], (spans) => missing(spans, held));
  assert.deepEqual(left, [
    { start: 200, end: 210 },
    { start: 300, end: 305 },
    { start: 400, end: 410 },
  ]);
});

test("a fifth of a stretch is left, more of it is not", () => {
  const window = [{ start: 0, end: 1_000 }];
  assert.equal(spansToLeave(sound(20), window, () => []).length, 10);
  assert.equal(spansToLeave(sound(21), window, () => []).length, 0);
});

test("what lies between what was left is all of its stretch that was not", () => {
  const spans = [
    { start: 100, end: 110 },
    { start: 110, end: 120 },
    { start: 200, end: 201 },
  ];
  assert.deepEqual(betweenSpans(spans), [{ start: 120, end: 200 }]);
  assert.deepEqual(betweenSpans([]), []);
});
