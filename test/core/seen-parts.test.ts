import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { FLASH_COLUMNS, FLASH_ROWS, flashMeter, joinFlashing } from "../../core/flash-meter.ts";
import { pictureLogReader } from "../../core/picture-log.ts";
import { joinSeen, type SeenPart } from "../../core/seen-parts.ts";

/** Ten frames a second, segments of two seconds. */
const RATE = { num: 10, den: 1 };
const SEGMENT = 20;
/** What freezedetect takes for the same picture, in the unit of `luma` below. */
const NOISE = 1;

interface Frame {
  /** Stands for the whole picture: two frames differ by the difference of theirs. */
  luma: number;
  isBlack: boolean;
  /** Lit from this column to this one, of 100. */
  lit: [left: number, right: number] | null;
}

/** What ffmpeg prints of these frames, the first of which is the first that it is given. */
function printed(frames: readonly Frame[]): string[] {
  const lines: string[] = [];
  let held: number | null = null;
  let wasBlack = false;
  let [left, right] = [99, 0];
  for (const [index, { luma, isBlack, lit }] of frames.entries()) {
    lines.push(`frame:${index} pts:${index * 512} pts_time:${(index / 10).toPrecision(6)}`);
    if (isBlack !== wasBlack) lines.push(`lavfi.black_${isBlack ? "start" : "end"}=${index / 10}`);
    wasBlack = isBlack;
    if (held !== null && Math.abs(luma - held) > NOISE)
      lines.push("lavfi.freezedetect.freeze_start=0", "lavfi.freezedetect.freeze_end=0");
    if (held === null || Math.abs(luma - held) > NOISE) held = luma;
    // cropdetect passes over the first two.
    if (index < 2) continue;
    if (lit !== null) [left, right] = [Math.min(left, lit[0]), Math.max(right, lit[1])];
    const bars = { x1: left, x2: right, y1: 10, y2: 60 };
    for (const [side, value] of Object.entries(bars)) lines.push(`lavfi.cropdetect.${side}=${value}`);
  }
  return lines;
}

/** What is seen of a film that is cut into parts of so many segments each. */
function seenIn(film: readonly Frame[], segments: readonly number[]): SeenPart[] {
  let first = 0;
  return segments.map((count) => {
    const span = {
      from: Math.max(0, first - SEGMENT),
      first,
      end: Math.min(film.length, first + count * SEGMENT),
    };
    first = span.end;
    const reader = pictureLogReader(span, 10);
    for (const line of printed(film.slice(span.from, span.end))) reader.add(line);
    return { ...reader.seen(), flashing: [] };
  });
}

const frames = (count: number, frame: (index: number) => Partial<Frame>): Frame[] =>
  Array.from({ length: count }, (_, index) => ({
    ...{ luma: 10 * index, isBlack: false, lit: [0, 99] as [number, number] },
    ...frame(index),
  }));
const moving = (count: number): Frame[] => frames(count, (index) => ({ luma: 10 * index }));
const held = (count: number, luma = 5): Frame[] => frames(count, () => ({ luma }));
const black = (count: number): Frame[] => frames(count, () => ({ luma: 0, isBlack: true, lit: null }));
const wholeOf = (film: readonly Frame[]): number => Math.ceil(film.length / SEGMENT);
const range = (startSeconds: number, endSeconds: number) => ({ startSeconds, endSeconds });

describe("a film that was looked at in parts", () => {
  const table: [string, Frame[], number[], Partial<ReturnType<typeof joinSeen>>][] = [
    [
      "nothing",
      moving(80),
      [2, 2],
      { black: [], frozen: [], content: { x: 0, y: 10, width: 100, height: 50 } },
    ],
    ["black over a border", [...moving(30), ...black(20), ...moving(30)], [2, 2], { black: [range(3, 5)] }],
    ["black over two", [...moving(30), ...black(80), ...moving(10)], [2, 2, 2], { black: [range(3, 11)] }],
    ["black to a border", [...moving(30), ...black(10), ...moving(40)], [2, 2], { black: [range(3, 4)] }],
    ["still over a border", [...moving(30), ...held(20), ...moving(30)], [2, 2], { frozen: [range(3, 5)] }],
    ["still for longer than is looked back", [...held(70), ...moving(10)], [2, 2], { frozen: [range(0, 7)] }],
    ["still throughout", held(120), [2, 2, 2], { frozen: [range(0, 12)] }],
    ["still from a border", [...moving(40), ...held(40)], [2, 2], { frozen: [range(4, 8)] }],
    ["two stills that meet", [...held(40), ...held(40, 50)], [2, 2], { frozen: [range(0, 8)] }],
    ["still for a moment", [...moving(38), ...held(4), ...moving(38)], [2, 2], { frozen: [] }],
    [
      "bars that one part would call wider",
      [...frames(40, () => ({ lit: [20, 79] })), ...frames(40, () => ({ lit: [10, 70] }))],
      [2, 2],
      { content: { x: 10, y: 10, width: 70, height: 50 } },
    ],
    [
      "a part in the dark",
      [...moving(40), ...black(40)],
      [2, 2],
      { content: { x: 0, y: 10, width: 100, height: 50 } },
    ],
    ["all of it in the dark", black(80), [2, 2], { content: null, black: [range(0, 8)] }],
  ];
  for (const [name, film, segments, expected] of table)
    test(name, () => {
      const seen = joinSeen(seenIn(film, segments), RATE);
      assert.deepEqual({ ...seen, ...expected }, seen);
      assert.deepEqual(joinSeen(seenIn(film, [wholeOf(film)]), RATE), seen, "in one piece");
    });

  /** Each scene moves, or stands, or is black; no picture is nearly like the one before. */
  const anyScene = fc.record({
    kind: fc.constantFrom("moving", "held", "black"),
    count: fc.integer({ min: 1, max: 3 * SEGMENT }),
    luma: fc.integer({ min: 0, max: 50 }).map((luma) => luma * 3 * NOISE),
    lit: fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 50, max: 99 })),
  });
  const anyFilm = fc.array(anyScene, { minLength: 1, maxLength: 12 }).map((scenes) =>
    scenes.flatMap(({ kind, count, luma, lit }) =>
      frames(count, (index) => ({
        luma: kind === "moving" ? luma + 3 * NOISE * (index % 7) : kind === "held" ? luma : -100,
        isBlack: kind === "black",
        lit: kind === "black" ? null : lit,
      })),
    ),
  );
  const anyCut = (segments: number): fc.Arbitrary<number[]> =>
    fc.array(fc.boolean(), { minLength: segments - 1, maxLength: segments - 1 }).map((borders) => {
      const parts = [1];
      for (const isBorder of borders)
        if (isBorder) parts.push(1);
        else parts[parts.length - 1]!++;
      return parts;
    });

  test("however it is cut, what is found is what one piece gives", () => {
    const cutFilm = anyFilm.chain((film) => fc.tuple(fc.constant(film), anyCut(wholeOf(film))));
    fc.assert(
      fc.property(cutFilm, ([film, cut]) => {
        const whole = joinSeen(seenIn(film, [wholeOf(film)]), RATE);
        assert.deepEqual(joinSeen(seenIn(film, cut), RATE), whole);
      }),
      { numRuns: 500 },
    );
  });

  test("a picture that drifts over a border is still before and behind it", () => {
    const drifting = frames(80, (index) => ({ luma: index / 10 }));
    assert.deepEqual(joinSeen(seenIn(drifting, [2, 2]), RATE).frozen, [range(0, 8)]);
  });

  test("what moves for one part and would stand for the next is told by that for its own frames alone", () => {
    const wavering = [
      ...frames(20, (index) => ({ luma: 1.5 * (index % 2) })),
      ...frames(20, (index) => ({ luma: index === 0 ? 0.75 : 1.5 * (index % 2) })),
      ...frames(20, (index) => ({ luma: 1.5 * (index % 2) })),
      ...frames(20, (index) => ({ luma: 10 + 10 * index })),
    ];
    assert.deepEqual(joinSeen(seenIn(wavering, [2, 2]), RATE).frozen, [range(4, 6)]);
  });

  const grid = { frameRate: 10, framesPerSegment: SEGMENT };
  /** The spans of a film whose frames are each of one luma, cut into parts of so many segments. */
  const flashingIn = (film: readonly Uint8Array[], cut: readonly number[]) => {
    let first = 0;
    const parts = cut.map((segments) => {
      const [from, end] = [Math.max(0, first - SEGMENT), first + segments * SEGMENT];
      const meter = flashMeter(grid, from, first);
      for (const frame of film.slice(from, end)) meter.add(frame);
      first = end;
      return meter.spans();
    });
    return joinFlashing(parts.flat());
  };

  test("flashes: what a segment's meter knows is its own two seconds and those before, of every part", () => {
    const lumaOf = (lumas: readonly number[]) =>
      lumas.map((luma) => new Uint8Array(FLASH_COLUMNS * FLASH_ROWS).fill(luma));
    const rise = [...Array(5).fill(16), ...Array(SEGMENT - 5).fill(120)];
    const flashes = [120, 235, 16, 235, 16, 235, 16, 235];
    const rest = Array(SEGMENT - flashes.length).fill(235);
    const table: [string, number[], number][] = [
      // The rise to full white goes on from one that is known: three flashes are no danger.
      ["known", [...rise, ...flashes, ...rest, ...Array(SEGMENT).fill(235)], 0],
      // It rose too long ago: the fourth is counted, in one piece as well.
      ["forgotten", [...rise, ...Array(SEGMENT).fill(120), ...flashes, ...rest], 1],
    ];
    for (const [name, lumas, found] of table)
      for (const cut of [[3], [1, 2], [2, 1], [1, 1, 1]])
        assert.equal(flashingIn(lumaOf(lumas), cut).length, found, `${name}, cut into ${cut}`);
  });

  test("flashes: however it is cut, and joined in whatever steps", () => {
    /** Cells of one row share their luma: rows that flash at their own pace, wander or stand. */
    const anyRow = fc.record({
      period: fc.integer({ min: 1, max: 6 }),
      from: fc.nat(100),
      until: fc.nat(200),
      dark: fc.integer({ min: 16, max: 140 }),
      bright: fc.integer({ min: 90, max: 235 }),
    });
    const anyStrobe = fc.tuple(fc.array(anyRow, { minLength: 1, maxLength: FLASH_ROWS }), anyCut(9));
    fc.assert(
      fc.property(anyStrobe, ([rows, cut]) => {
        const film = Array.from({ length: 9 * SEGMENT - 7 }, (_, at) =>
          Uint8Array.from({ length: FLASH_COLUMNS * FLASH_ROWS }, (_, cell) => {
            const { period, from, until, dark, bright } =
              rows[Math.floor(cell / FLASH_COLUMNS) % rows.length]!;
            return at >= from && at < until && Math.floor(at / period) % 2 === 1 ? bright : dark;
          }),
        );
        assert.deepEqual(flashingIn(film, cut), flashingIn(film, [9]));
      }),
    );
  });
});
