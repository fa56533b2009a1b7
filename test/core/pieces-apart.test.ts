import assert from "node:assert/strict";
import { test } from "node:test";
import type { ByteRange } from "../../core/byte-ranges.ts";
import { isLookedFor, piecesApart } from "../../core/pieces-apart.ts";

/** Pieces of sound, each so far behind the end of the one before. */
function sound(pieces: number, gapBytes: number, bytes = 600): ByteRange[] {
  return Array.from({ length: pieces }, (_, index) => {
    const start = index * (bytes + gapBytes);
    return { start, end: start + bytes };
  });
}

const FILM = sound(900, 30_000);

for (const [name, all, lacking, asked] of [
  ["nothing lacks", FILM, [], null],
  ["a chunk at the end", FILM, FILM.slice(840), 60],
  ["two chunks apart", FILM, [...FILM.slice(100, 160), ...FILM.slice(400, 460)], 120],
  ["a third", FILM, FILM.slice(600), 300],
  ["more than that takes longer than pictures read along", FILM, FILM.slice(599), null],
  ["all of it", FILM, FILM, null],
  ["little lies between", sound(900, 7_000), sound(900, 7_000).slice(840), null],
  ["pieces so near that they are one", sound(900, 4_000), sound(900, 4_000).slice(840), null],
  [
    "so far apart that nothing is read between them anyway",
    sound(900, 2_000_000),
    sound(60, 2_000_000),
    null,
  ],
] as const)
  test(`the last of a sound: ${name}: ${asked === null ? "read with what lies between" : `${asked} requests`}`, () => {
    const pieces = piecesApart(all, lacking);
    assert.equal(pieces?.length ?? null, asked);
    if (asked !== null) assert.deepEqual(pieces, lacking);
  });

test("two tracks whose pieces lie side by side take one request for both", () => {
  const both = FILM.flatMap((piece) => [piece, { start: piece.end + 100, end: piece.end + 900 }]);
  const pieces = piecesApart(both, both.slice(1_680));
  assert.equal(pieces?.length, 60);
});

test("sound is looked for between pictures where little is lacking and they are large", () => {
  const film = { sizeBytes: 450e6, pictures: 14_400 };
  const of = (bytes: number, changes = {}) =>
    isLookedFor([{ start: 0, end: bytes }], { ...film, ...changes });
  assert.deepEqual([of(0), of(1e6), of(150e6), of(151e6)], [false, true, true, false]);
  // 12 KiB a picture: 4 are asked for with each, 8 are spared.
  assert.deepEqual([of(1e6, { pictures: 36_621 }), of(1e6, { pictures: 36_622 })], [true, false]);
});
