import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { filmEnds, reckonPackets } from "../../core/film-ends.ts";
import { statedRate } from "../../core/frame-rate.ts";
import { type PacketTable, packetCollector } from "../../core/packet-table.ts";
import type { ProbeReport, ProbeStream } from "../../core/probe-report.ts";

/** A film of which only both ends and the keyframes are known: how many frames it has, or that it must be read. */

const MS = 1e6;
const MB = 1e6;
/** A keyframe every `group` seconds, a megabyte a second. */
const cuesOf = (seconds: number, group = 2, first = 0) =>
  Array.from({ length: Math.ceil(seconds / group) }, (_, index) => ({
    seconds: first + index * group,
    clusterAt: 1000 + index * group * MB,
  }));

test("both ends are looked at: a hundredth of the film, two seconds to ten, whole groups of them", () => {
  for (const [minutes, headSeconds, tailFrom] of [
    [1, 2.24, 54],
    [10, 5.98, 592],
    [60, 10, 3588],
  ] as const) {
    const size = minutes * 60 * MB + 5000;
    const ends = filmEnds(cuesOf(minutes * 60), 40 * MS, size);
    assert.deepEqual([ends?.headSeconds, ends?.tailFromSeconds], [headSeconds, tailFrom]);
    assert.deepEqual(ends!.tail, { start: 1000 + tailFrom * MB, end: size });
  }
});

test("slow pictures are looked at for longer, since few of them tell no rhythm", () => {
  assert.equal(filmEnds(cuesOf(120), 200 * MS, 120 * MB)?.headSeconds, 11.2);
});

test("a short film, one that is entered once, and one that may stand still for half a minute are read whole", () => {
  assert.equal(filmEnds(cuesOf(10), 40 * MS, 10 * MB), null);
  assert.equal(filmEnds(cuesOf(1), 40 * MS, 600 * MB), null);
  const cues = cuesOf(600);
  const held = cues.filter(({ seconds }) => seconds < 300 || seconds > 330);
  assert.ok(filmEnds(cues, 40 * MS, 600 * MB) !== null);
  assert.equal(filmEnds(held, 40 * MS, 600 * MB), null);
});

const PICTURE: ProbeStream = { index: 0, codec_type: "video", codec_name: "h264", has_b_frames: 2 };
const SOUND: ProbeStream = { index: 1, codec_type: "audio", codec_name: "aac" };
const FRAMES = 15_000;
const FIRST = 0.021;
const ms = (seconds: number) => Math.round(seconds * 1000) / 1000;

interface Film {
  frames: number;
  frameSeconds: number;
  first: number;
  group: number;
}
const FILM: Film = { frames: FRAMES, frameSeconds: 0.04, first: FIRST, group: 50 };

/** What ffprobe lists of some frames, with half a second of sound beside them; `left`: those that are there. */
function endOf(film: Film, from: number, to: number, left = (_: number): boolean => true): PacketTable {
  const collector = packetCollector(PICTURE);
  const timeOf = (frame: number) => ms(film.first + frame * film.frameSeconds);
  for (let frame = from; frame < to; frame++) {
    if (!left(frame)) continue;
    const flag = frame % film.group === 0 ? "K_" : "__";
    collector.addLine(`0,${timeOf(frame)},${timeOf(frame)},${film.frameSeconds},${flag}`);
  }
  for (const at of [timeOf(from), timeOf(to - 1)]) collector.addLine(`1,${at},${at},0.02,K_`);
  return collector.table();
}

function reckon(
  film: Film,
  changes: {
    streams?: ProbeStream[];
    picture?: ProbeStream;
    head?: PacketTable;
    tail?: PacketTable;
    cues?: readonly { seconds: number; clusterAt: number }[];
    nanoseconds?: number;
  } = {},
) {
  const groups = Math.ceil(film.frames / film.group);
  const cues = Array.from({ length: groups }, (_, index) => ({
    seconds: ms(film.first + index * film.group * film.frameSeconds),
    clusterAt: index,
  }));
  const picture = changes.picture ?? PICTURE;
  const report: ProbeReport = { streams: changes.streams ?? [picture, SOUND] };
  const head = changes.head ?? endOf(film, 0, 2 * film.group);
  const tail = changes.tail ?? endOf(film, (groups - 2) * film.group, film.frames);
  const nanoseconds = changes.nanoseconds ?? Math.floor(film.frameSeconds * 1e9);
  return reckonPackets(report, picture, [head, tail], changes.cues ?? cues, statedRate(nanoseconds));
}

test("ten minutes are counted by the last frame's place", () => {
  const packets = reckon(FILM)!;
  assert.equal(packets.frames.seconds.length, FRAMES);
  assert.equal(packets.frames.seconds[0], FIRST);
  assert.equal(packets.frames.keyframeSeconds.length, FRAMES / 50);
  assert.deepEqual(packets.spans.get(1), {
    startSeconds: FIRST,
    endSeconds: ms(FIRST + 0.04 * 14_999) + 0.02,
  });
  assert.deepEqual([packets.reckoned, packets.hasAllTimes, packets.timelessFrames], ["even", true, 0]);
});

test("whatever the rate, the length and the start, rounded to milliseconds as the container does: each frame in its place", () => {
  const rates = [24_000 / 1001, 24, 25, 30_000 / 1001, 30, 50, 60_000 / 1001, 60, 12.5, 15];
  const films = fc.record({
    frameSeconds: fc.constantFrom(...rates).map((rate) => 1 / rate),
    frames: fc.integer({ min: 600, max: 300_000 }),
    first: fc.integer({ min: 0, max: 2_000 }).map((milliseconds) => milliseconds / 1000),
    group: fc.integer({ min: 40, max: 250 }),
  });
  fc.assert(
    fc.property(films, (film) => {
      const seconds = reckon(film)?.frames.seconds;
      assert.equal(seconds?.length, film.frames);
      for (let frame = 0; frame < film.frames; frame += 997)
        assert.ok(Math.abs(seconds[frame]! - film.first - frame * film.frameSeconds) < 0.0011);
    }),
  );
});

const shifted = FILM.frames - 100;
const DOUBTS: readonly (readonly [string, Parameters<typeof reckon>[1]])[] = [
  ["another rate than the file states", { nanoseconds: 33_333_333 }],
  ["a frame that is missing at the beginning", { head: endOf(FILM, 0, 100, (frame) => frame !== 20) }],
  ["a frame that is missing at the end", { tail: endOf(FILM, shifted, FRAMES, (frame) => frame !== 14_990) }],
  ["a first keyframe that the index does not list", { cues: [{ seconds: 2.021, clusterAt: 0 }] }],
  ["few frames", { head: endOf(FILM, 0, 20) }],
  ["a track that begins later", { streams: [PICTURE, SOUND, { ...SOUND, index: 2 }] }],
  ["a text of which nothing is said", { streams: [PICTURE, SOUND, { index: 2, codec_type: "subtitle" }] }],
  [
    "a count that the file states otherwise",
    { picture: { ...PICTURE, tags: { "NUMBER_OF_FRAMES-eng": "14990" } } },
  ],
];
for (const [name, changes] of DOUBTS)
  test(`${name}: the whole must be read`, () => {
    assert.equal(reckon(FILM, changes), null);
  });

test("recordings that were joined keep the rate, and are told from an even film by their keyframes", () => {
  const tail = endOf({ ...FILM, first: FIRST + 0.02 }, shifted, FRAMES);
  const cues = [0, 298, 300.02, 596.02].map((seconds) => ({ seconds: ms(FIRST + seconds), clusterAt: 0 }));
  const packets = reckon(FILM, { tail, cues })!;
  assert.deepEqual(
    [packets.reckoned, packets.frames.seconds.at(-1)],
    ["moved", ms(FIRST + 0.02 + 14_999 * 0.04)],
  );
  // Half a frame more: there is room for one.
  assert.equal(packets.frames.seconds.length, FRAMES + 1);
  const counting = (frames: number) =>
    reckon(FILM, { tail, cues, picture: { ...PICTURE, tags: { NUMBER_OF_FRAMES: String(frames) } } });
  assert.ok(counting(FRAMES) !== null && counting(FRAMES / 2) === null);
});

test("more frames than any film's are not made up: the whole must be read", () => {
  const film = { ...FILM, frameSeconds: 0.001 };
  const tail = endOf({ ...film, first: 6_000 }, 0, 100);
  const cues = [FIRST, 6_000].map((seconds) => ({ seconds, clusterAt: 0 }));
  assert.ok(reckon(film, { tail, cues, nanoseconds: 1e6 }) === null);
});

test("a frame without a time in either end: the whole must be read", () => {
  const collector = packetCollector(PICTURE);
  for (let frame = 0; frame < 100; frame++) collector.addLine(`0,N/A,${ms(FIRST + frame * 0.04)},0.04,K_`);
  assert.equal(reckon(FILM, { head: collector.table() }), null);
});

test("what the file says of its tracks is taken for what lies between", () => {
  const picture = { ...PICTURE, tags: { NUMBER_OF_FRAMES: String(FRAMES) } };
  const text = (index: number, duration: string): ProbeStream => ({
    ...{ index, codec_type: "subtitle", codec_name: "subrip" },
    tags: { "DURATION-eng": duration },
  });
  const head = endOf(FILM, 0, 100);
  const tail = endOf(FILM, shifted, FRAMES);
  const short = { ...SOUND, index: 4, tags: { DURATION: "00:09:50.500000000" } };
  const withShort = { ...head, spans: new Map([...head.spans, [4, { startSeconds: 0.1, endSeconds: 2 }]]) };
  const streams = [picture, SOUND, text(2, "00:00:00.000000000"), text(3, "00:01:02.500000000"), short];
  const packets = reckon(FILM, { picture, streams, head: withShort, tail })!;
  assert.deepEqual([...packets.spans.keys()], [0, 1, 3, 4]);
  assert.deepEqual(packets.spans.get(3), { startSeconds: 0, endSeconds: 62.5 });
  assert.deepEqual(packets.spans.get(4), { startSeconds: 0.1, endSeconds: 590.5 });
});

test("a track that is encrypted in either end is", () => {
  const tail = { ...endOf(FILM, shifted, FRAMES), encrypted: new Set([1]) };
  assert.deepEqual([...reckon(FILM, { tail })!.encrypted], [1]);
});
