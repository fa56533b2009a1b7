import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamSpan } from "../../core/stream-entries.ts";
import { checkTransport } from "../../core/transport-check.ts";
import { packetShape, readTransportPacket, stampedTimes } from "../../core/transport-packets.ts";
import { clock, type MadePacket, packet } from "../rig/transport-stream.ts";

/** Transport streams made by hand, packet by packet, as ISO/IEC 13818-1 writes them. */

const PICTURE = 0x100;
const MAP = 0x1000;

/** A picture that is shown two fifths of a second after it is decoded. */
const pes = (seconds: number): number[] => [
  ...[0, 0, 1, 0xe0, 0, 0, 0x80, 0xc0, 10],
  ...[...clock(3, seconds + 0.4), ...clock(1, seconds), 0, 0, 1, 9],
];
const section = (id: number, body: readonly number[]): number[] => {
  const length = 5 + body.length + 4;
  return [0, id, 0xb0, length, 0, 1, 0xc1, 0, 0, ...body, 1, 2, 3, 4];
};
const programmes = (...maps: number[]): number[] =>
  section(
    0,
    maps.flatMap((map, index) => [0, index + 1, 0xe0 | (map >> 8), map & 0xff]),
  );
const table = (packetId: number, payload: readonly number[], more: Partial<MadePacket> = {}) =>
  packet({ packetId, payload, ...more });
const pictures = (count: number, from = 10, counter = 0): Uint8Array[] =>
  Array.from({ length: count }, (_, index) =>
    packet({ packetId: PICTURE, payload: pes(from + index), counter: (counter + index) % 16 }),
  );
const TABLES = [table(0, programmes(MAP)), table(MAP, section(2, [0xe1, 0, 0xf0, 0, 27, 0xe1, 0, 0xf0, 0]))];
const SPAN: StreamSpan = {
  entries: { packetId: PICTURE, stepsBack: true, decodeSeconds: [0], at: [0] },
  zeroSeconds: 0,
  start: 1000,
  end: 2000,
  entry: { at: 1000 + 188, seconds: 100 },
  untilSeconds: 103,
};

/** What is said of a beginning and a stretch. */
function doubtOf(
  beginning: readonly Uint8Array[],
  stretch: readonly Uint8Array[],
  span = SPAN,
): string | null {
  const check = checkTransport(span, { unitBytes: 188, leadBytes: 0 });
  check.add(Buffer.concat(beginning));
  check.cut(span.start);
  check.add(Buffer.concat(stretch));
  return check.doubt();
}

const BEGINNING = [...TABLES, ...pictures(3)];
const STRETCH = [...pictures(3, 99, 6), ...TABLES, ...pictures(2, 102, 9)];

test("a plain stream leaves no doubt", () => {
  assert.equal(doubtOf(BEGINNING, STRETCH), null);
});

test("the first packet of all may state a jump", () => {
  const begun = packet({ packetId: PICTURE, payload: pes(9), counter: 15, isDiscontinuity: true });
  assert.equal(doubtOf([...TABLES, begun, ...pictures(3)], STRETCH), null);
});

const [first, entered, ...others] = STRETCH as [Uint8Array, Uint8Array, ...Uint8Array[]];
const spoilt = (more: Partial<MadePacket>): Uint8Array[] => [
  ...STRETCH,
  packet({ packetId: PICTURE, payload: pes(104), counter: 11, ...more }),
];
const DOUBTS: readonly (readonly [string, readonly Uint8Array[], readonly Uint8Array[], RegExp])[] = [
  ["a packet lost", BEGINNING, [first, entered, ...others.slice(1)], /missing/],
  ["a packet twice", BEGINNING, spoilt({ counter: 10 }), /missing/],
  ["scrambled", BEGINNING, spoilt({ isScrambled: true }), /scrambled/],
  ["not mended by the receiver", BEGINNING, spoilt({ isDamaged: true }), /damaged/],
  ["a jump that the writer states", BEGINNING, spoilt({ isDiscontinuity: true }), /jumps/],
  ["a clock that goes back", BEGINNING, spoilt({ payload: pes(90) }), /goes back/],
  ["a clock that jumps", BEGINNING, spoilt({ payload: pes(120) }), /clock jumps/],
  ["a clock that begins anew behind 2^33 ticks", [...TABLES, ...pictures(3, 95_440)], STRETCH, /goes back/],
  ["too few pictures", BEGINNING, STRETCH.slice(0, 4), /too soon/],
  [
    "another time at the entry",
    BEGINNING,
    [first, ...pictures(1, 100.04, 7), ...others],
    /no picture begins/,
  ],
  [
    "no start at the entry",
    BEGINNING,
    [first, packet({ packetId: PICTURE, payload: pes(100), isStart: false, counter: 7 }), ...others],
    /no picture begins/,
  ],
  [
    "another stream at the entry",
    BEGINNING,
    [first, packet({ packetId: 0x101, payload: pes(100) }), ...others],
    /no picture begins/,
  ],
  ["the entry not in it", BEGINNING, [first], /no picture begins/],
  ["little before the entry", BEGINNING, [...pictures(1, 99.9, 6), entered, ...others], /too near/],
  ["two programmes", [table(0, programmes(MAP, 0x1001)), ...BEGINNING.slice(1)], STRETCH, /2 programmes/],
  ["no tables", pictures(3), STRETCH.filter((one) => !TABLES.includes(one)), /which programme/],
  [
    "another table in the stretch",
    BEGINNING,
    [first, entered, table(MAP, section(2, [0xe1, 1, 0xf0, 0, 27, 0xe1, 1, 0xf0, 0])), ...others],
    /programme changes/,
  ],
  ["no packet", BEGINNING, [first, entered, new Uint8Array(188)], /in a row/],
];
for (const [name, beginning, stretch, doubt] of DOUBTS) {
  test(`a doubt: ${name}`, () => {
    assert.match(doubtOf(beginning, stretch) ?? "none", doubt);
  });
}

test("a table may go on in the next packet of its own", () => {
  const long = section(
    2,
    Array.from({ length: 200 }, (_, index) => index & 0x7f),
  );
  const parts = (payload: readonly number[]) => [
    table(MAP, payload.slice(0, 150)),
    table(MAP, payload.slice(150), { isStart: false, counter: 1 }),
  ];
  const beginning = [TABLES[0]!, ...parts(long), ...pictures(3)];
  assert.equal(
    doubtOf(beginning, [first, entered, ...parts(long), ...others.filter((one) => one !== TABLES[1])]),
    null,
  );
  const changed = long.with(-8, 0x7e);
  assert.match(
    doubtOf(beginning, [first, entered, ...parts(changed), ...others]) ?? "none",
    /programme changes/,
  );
});

test("times of 33 bits, of decoding before those of showing", () => {
  for (const seconds of [0, 1.4, 26_512.143, (2 ** 33 - 40_000) / 90_000])
    assert.ok(
      Math.abs(stampedTimes(Uint8Array.from(pes(seconds)))!.decodeSeconds - seconds) < 1e-5,
      `${seconds}`,
    );
  const shownOnly = Uint8Array.from([0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, ...clock(2, 7), 0, 0, 1, 9]);
  assert.deepEqual(stampedTimes(shownOnly), { decodeSeconds: 7, shownSeconds: 7 });
  assert.equal(stampedTimes(Uint8Array.from([0, 0, 1, 0xe0, 0, 0, 0x80, 0, 0, 0, 0, 0, 1, 9])), null);
  assert.equal(stampedTimes(new Uint8Array(184)), null);
});

test("no bytes make the reader read beyond them", () => {
  let state = 1;
  const next = (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state & 0xff;
  };
  for (let round = 0; round < 2_000; round++) {
    const bytes = Uint8Array.from({ length: 188 }, next);
    bytes[0] = 0x47;
    const read = readTransportPacket(bytes, 0)!;
    assert.ok(read.payload.byteOffset + read.payload.length <= 188);
    stampedTimes(read.payload);
    // As a table and as the picture.
    for (const packetId of [0, PICTURE]) {
      bytes[1] = 0x40 | (packetId >> 8);
      bytes[2] = packetId & 0xff;
      doubtOf([...BEGINNING, bytes], [bytes, ...STRETCH]);
    }
  }
});

test("the shape of packets is seen from five of them", () => {
  const plain = Buffer.concat(pictures(6));
  assert.deepEqual(packetShape(plain), { unitBytes: 188, leadBytes: 0 });
  const stamped = Buffer.concat(pictures(6).flatMap((one) => [new Uint8Array(4), one]));
  assert.deepEqual(packetShape(stamped), { unitBytes: 192, leadBytes: 4 });
  assert.equal(packetShape(plain.subarray(1)), null);
  assert.equal(packetShape(plain.subarray(0, 188 * 4)), null);
});
