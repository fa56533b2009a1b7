import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  pictureFinder,
  pictureOfProgramme,
  type StreamCoding,
  type StreamPicture,
} from "../../core/stream-pictures.ts";
import { readTransportPacket } from "../../core/transport-packets.ts";
import { mappedStreams } from "../../core/transport-tables.ts";
import { clock, packet } from "../rig/transport-stream.ts";

/** Pictures found in packets that are made by hand: where each begins, and whether a decoder can begin there. */

const PICTURE = 0x100;
const START = [0, 0, 1];
const pes = (seconds: number, carried: readonly number[]): number[] => [
  ...[...START, 0xe0, 0, 0, 0x80, 0xc0, 10],
  ...[...clock(3, seconds + 0.08), ...clock(1, seconds), ...carried],
];

/** All pictures in these packets, which lie one behind the other. */
function found(packets: readonly Uint8Array[], coding: StreamCoding | null = "h264"): StreamPicture[] {
  const finder = pictureFinder(PICTURE, coding);
  return packets.flatMap((bytes, index) => finder.add(readTransportPacket(bytes, 0)!, index * 188));
}
const begun = (seconds: number, carried: readonly number[]) =>
  packet({ packetId: PICTURE, payload: pes(seconds, carried) });
const further = (carried: readonly number[]) =>
  packet({ packetId: PICTURE, payload: carried, isStart: false });

const DELIMITER = [...START, 9, 0xf0];
const SEQUENCE = [...START, 0xb3, 20, 0, 192];
/** An H.262 picture's header: its number, its kind (1: I, 2: P, 3: B). */
const picture = (kind: number) => [...START, 0x00, 0, kind << 3, 0xff];

for (const [name, coding, carried, isEntry] of [
  ["H.264, IDR", "h264", [...DELIMITER, ...START, 0x67, 1, ...START, 0x68, 1, ...START, 0x65, 1], true],
  ["H.264, another slice", "h264", [...DELIMITER, ...START, 0x41, 1], false],
  ["H.264, a recovery point and no IDR", "h264", [...DELIMITER, ...START, 6, 6, 1, ...START, 0x41, 1], false],
  ["H.264, a slice in parts", "h264", [...DELIMITER, ...START, 2, 1], false],
  ["HEVC, IDR", "hevc", [...START, 35 << 1, 1, ...START, 32 << 1, 1, ...START, 19 << 1, 1], true],
  ["HEVC, clean random access", "hevc", [...START, 21 << 1, 1], true],
  ["HEVC, trailing", "hevc", [...START, 1 << 1, 1], false],
  ["MPEG-2, I behind a sequence header", "mpeg2", [...SEQUENCE, ...picture(1)], true],
  ["MPEG-2, I alone", "mpeg2", picture(1), false],
  ["MPEG-2, P behind a sequence header", "mpeg2", [...SEQUENCE, ...picture(2)], false],
] as const)
  test(`${name}: ${isEntry ? "an entry" : "no entry"}, also where it goes on in the next packet`, () => {
    const whole = found([begun(10, carried)], coding);
    assert.equal(whole.length, 1);
    assert.equal(whole[0]!.isEntry, isEntry);
    for (let cut = 1; cut < carried.length; cut++) {
      const [first, another] = found([begun(10, carried.slice(0, cut)), further(carried.slice(cut))], coding);
      assert.deepEqual([first?.isEntry, first?.at, another], [isEntry, 0, undefined], `cut at ${cut}`);
    }
  });

test("a picture stands where its first packet lies, with both of its times", () => {
  const beside = packet({ packetId: 0x101, payload: pes(3, [...START, 0x65, 1]) });
  const slice = [...START, 0x41, 1];
  const all = found([beside, begun(10, slice), further([1, 2, 3]), beside, begun(10.04, slice)]);
  assert.deepEqual(
    all.map(({ at, decodeSeconds, shownSeconds }) => [at / 188, decodeSeconds, shownSeconds]),
    [
      [1, 10, 10.08],
      [4, 10.04, 10.12],
    ],
  );
});

test("what nobody can tell the kind of is no entry: it ends too soon, or its first slice is far behind", () => {
  const cut = found([begun(10, DELIMITER), begun(10.04, [...START, 0x65, 1])]);
  assert.deepEqual(
    cut.map(({ isEntry }) => isEntry),
    [false, true],
  );
  const long = Array.from({ length: 120 }, () => further(Array.from({ length: 170 }, () => 0xff)));
  assert.deepEqual(
    found([begun(10, DELIMITER), ...long, further([...START, 0x65, 1])]).map(({ isEntry }) => isEntry),
    [false],
  );
});

test("packets before the first beginning, and those without a time, begin no picture", () => {
  const timeless = packet({
    packetId: PICTURE,
    payload: [...START, 0xe0, 0, 0, 0x80, 0, 0, ...START, 0x65, 1],
  });
  assert.deepEqual(found([further([...START, 0x65, 1]), timeless]), []);
});

test("where nobody asks which can be entered, none can", () => {
  assert.equal(found([begun(10, [...START, 0x65, 1])], null)[0]!.isEntry, false);
});

test("any packets at all are read, and nothing is thrown", () => {
  const packets = fc.array(fc.uint8Array({ minLength: 188, maxLength: 188 }), { maxLength: 8 });
  fc.assert(
    fc.property(packets, fc.constantFrom<StreamCoding>("h264", "hevc", "mpeg2"), (all, coding) => {
      for (const bytes of all) {
        bytes[0] = 0x47;
        bytes[1] = (bytes[1]! & 0x40) | 1;
        bytes[2] = 0;
      }
      found(all, coding);
    }),
  );
});

/** A programme's map (2.4.4.8) of streams of these types. */
const map = (types: readonly number[], described: readonly number[] = []): Uint8Array => {
  const streams = types.flatMap((type, index) => [type, 0xe1, index, 0xf0, 2, 7, 7]);
  const body = [0, 1, 0xc1, 0, 0, 0xe1, 0, 0xf0, described.length, ...described, ...streams, 1, 2, 3, 4];
  return Uint8Array.from([2, 0xb0, body.length, ...body]);
};

test("the one picture of a programme is found among its streams; two, none or another are none", () => {
  const of = (types: readonly number[], described?: readonly number[]) =>
    pictureOfProgramme(mappedStreams(map(types, described)));
  assert.deepEqual(of([0x0f, 0x1b]), { packetId: 0x101, coding: "h264" });
  assert.deepEqual(of([0x24, 0x81], [5, 4, 1, 2, 3, 4]), { packetId: 0x100, coding: "hevc" });
  assert.deepEqual(of([0x03, 0x02]), { packetId: 0x101, coding: "mpeg2" });
  for (const types of [[], [0x0f], [0x1b, 0x1b], [0x10]]) assert.equal(of(types), null, String(types));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void mappedStreams(bytes)));
});
