import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { frameTiming } from "../../core/frame-rate.ts";
import { packetCollector } from "../../core/packet-table.ts";
import { describeSource, type ProbeReport, type ProbeStream } from "../../core/probe-report.ts";
import { pictureStream } from "../../core/probed-picture.ts";
import { toNumber } from "../../core/rational.ts";
import type { Source } from "../../core/source.ts";

const PICTURE: ProbeStream = {
  index: 0,
  codec_type: "video",
  codec_name: "h264",
  width: 640,
  height: 360,
  r_frame_rate: "25/1",
  avg_frame_rate: "25/1",
};
const SOUND: ProbeStream = { index: 1, codec_type: "audio", codec_name: "aac", channels: 2 };

/** Frames at these times, each a keyframe, as ffprobe prints packets. */
function lines(times: readonly (number | null)[], durationSeconds = 0.04): string[] {
  return times.map((time) => `0,${time ?? "N/A"},${time ?? "N/A"},${durationSeconds},K_`);
}

function steady(count: number, rate = 25): number[] {
  return Array.from({ length: count }, (_, index) => index / rate);
}

function describe(report: ProbeReport, packetLines: readonly string[]): Source {
  const collector = packetCollector(PICTURE);
  for (const line of packetLines) collector.addLine(line);
  return describeSource(report, collector.table(), { sizeBytes: 1, sha256: null });
}

/** The refusal of a file with this picture and these packets. */
function codeOf(
  picture: Partial<ProbeStream>,
  packetLines = lines(steady(50)),
  report: ProbeReport = {},
): string {
  try {
    describe({ streams: [{ ...PICTURE, ...picture }], ...report }, packetLines);
    return "taken";
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test("chapters are those with a name, from the first picture on, each at a place of its own", () => {
  const chapter = (start: string, title?: string) => ({
    start_time: start,
    ...(title ? { tags: { title } } : {}),
  });
  const chapters = [
    chapter("1.900000", "The\nmeadow\u0000 "),
    chapter("0.000000", "Opening"),
    chapter("1.200000"),
    chapter("1.900000", "Again"),
    chapter("2.500000", "Behind the end"),
    chapter("nowhere", "Lost"),
  ];
  const times = steady(50).map((time) => time + 0.4);
  const { facts } = describe({ streams: [PICTURE], chapters }, lines(times));
  assert.deepEqual(facts?.chapters, [
    { startSeconds: 0, name: "Opening" },
    { startSeconds: 1.5, name: "The meadow" },
  ]);
});

test("every refusal has its code, and the limits themselves are taken", () => {
  const streams = (count: number) => Array.from({ length: count }, (_, index) => ({ ...PICTURE, index }));
  const table: [string, string, string][] = [
    ["a plain picture", codeOf({}), "taken"],
    ["4K", codeOf({ width: 3840, height: 2160 }), "taken"],
    ["the largest", codeOf({ width: 4096, height: 2304 }), "taken"],
    ["larger", codeOf({ width: 4098, height: 2304 }), "dimensions_refused"],
    ["too wide", codeOf({ width: 8194, height: 2 }), "dimensions_refused"],
    ["nothing to see: ffprobe's answer to a bomb", codeOf({ width: 0, height: 0 }), "dimensions_refused"],
    ["pixels a mile wide", codeOf({ sample_aspect_ratio: "9000:1" }), "dimensions_refused"],
    ["a codec that is not taken", codeOf({ codec_name: "magicyuv" }), "unsupported_codec"],
    ["cover art alone", codeOf({ disposition: { attached_pic: 1 } }), "no_video"],
    ["sound alone", codeOf({ codec_type: "audio", codec_name: "aac" }), "no_video"],
    ["64 streams", codeOf({}, undefined, { streams: streams(64) }), "taken"],
    ["65 streams", codeOf({}, undefined, { streams: streams(65) }), "too_many_streams"],
    ["no frame", codeOf({}, []), "source_damaged"],
    ["no times", codeOf({}, lines([0, null, null])), "timeline_invalid"],
    ["one time for all", codeOf({}, lines(Array(50).fill(1))), "timeline_invalid"],
    ["a gap of ten seconds", codeOf({}, lines([0, 10, 20])), "taken"],
    ["a longer one", codeOf({}, lines([0, 10.1])), "timeline_invalid"],
    ["a frame every nine seconds for an hour", codeOf({}, lines(steady(400, 1 / 9))), "timeline_invalid"],
    ["longer than a day", codeOf({}, lines(steady(90_000, 1))), "timeline_invalid"],
    ["2 s of 2.09 s", codeOf({ duration: "2.09" }), "taken"],
    ["2 s of 2.11 s", codeOf({ duration: "2.11" }), "source_damaged"],
    ["2 s of a file of 3 s", codeOf({}, undefined, { format: { duration: "3" } }), "source_damaged"],
  ];
  for (const [name, found, expected] of table) assert.equal(found, expected, name);
});

test("a picture of a size that is not taken is told the limit that it is beyond", () => {
  const refused = (width: number, height: number, said: RegExp) =>
    assert.throws(() => pictureStream({ streams: [{ ...PICTURE, width, height }] }), { message: said });
  refused(4098, 2304, /of 4098×2304 .*\(largest: 4096×2304/);
  refused(8194, 2, /at most 8192 in a row/);
  refused(0, 0, /cannot be decoded.*largest/);
  refused(640, 1, /of 640×1 .*\(smallest: 2×2\)/);
});

test("encrypted samples are refused, of a sound as of a picture, whatever codec is stated", () => {
  const refused = { code: "unsupported_codec", message: /encrypted.* without protection/ };
  const read = (picture: string, sound: string) => () =>
    describe({ streams: [PICTURE, SOUND] }, [
      ...lines(steady(50)).map((line) => line + picture),
      `1,0,0,2,K_${sound}`,
    ]);
  assert.equal(read("", ",Skip Samples")().audio.length, 1);
  assert.throws(read(",Encryption info", ""), refused);
  assert.throws(read("", ",Encryption info"), refused);
});

test("of several pictures the default one is taken, and cover art never", () => {
  const cover = { ...PICTURE, index: 2, disposition: { attached_pic: 1, default: 1 } };
  const other = { ...PICTURE, index: 3 };
  const main = { ...PICTURE, disposition: { default: 1 } };
  assert.equal(describe({ streams: [cover, other, main] }, lines(steady(50))).video.streamIndex, 0);
});

test("sound: language, name and span, whatever tags the file brings", () => {
  const table: [Record<string, string> | undefined, string, string | null][] = [
    [undefined, "und", null],
    [{ language: "eng" }, "en", null],
    [{ language: "ger" }, "de", null],
    [{ language: "pt_BR" }, "pt-BR", null],
    [{ language: "zh-Hant-TW" }, "zh-Hant-TW", null],
    [{ language: "english" }, "und", null],
    [{ language: '"><script>' }, "und", null],
    [{ title: 'a "b"\r\n#EXT-X-ENDLIST' }, "und", "a b #EXT-X-ENDLIST"],
    [{ title: " \u0000 " }, "und", null],
    [{ title: "🎬".repeat(200) }, "und", "🎬".repeat(100)],
  ];
  for (const [tags, language, label] of table) {
    const report = { streams: [PICTURE, { ...SOUND, tags }] };
    const [track] = describe(report, [...lines(steady(50)), "1,0.5,0.5,0.5,K_", "1,1.0,1.0,0.5,K_"]).audio;
    assert.deepEqual([track?.language, track?.label], [language, label]);
    assert.deepEqual([track?.startSeconds, track?.durationSeconds], [0.5, 1]);
  }
  assert.deepEqual(
    describe({ streams: [PICTURE, SOUND] }, lines(steady(50))).audio,
    [],
    "a track without a packet",
  );
});

test("what an edit list hides is not counted", () => {
  const hidden = ["0,-0.08,-0.08,0.04,KD", "0,-0.04,-0.04,0.04,_D"];
  const { video } = describe({ streams: [PICTURE] }, [
    ...hidden,
    ...lines(steady(50)).map((one) => one.replace("K", "_")),
  ]);
  assert.deepEqual([video.frameCount, video.startSeconds], [50, 0]);
});

/** Containers write times in ticks of 1/1000 s (Matroska), 1/90000 s (TS) or finer (MP4). */
const TICKS_PER_SECOND = [1000, 90_000, 24_000_000];
const RATES: [number, number][] = [
  ...([
    [24_000, 1001],
    [24, 1],
    [25, 1],
    [30_000, 1001],
    [30, 1],
  ] as [number, number][]),
  ...([
    [50, 1],
    [60_000, 1001],
    [60, 1],
    [179, 6],
    [15, 1],
    [12, 1],
  ] as [number, number][]),
];

test("a constant rate is found exactly, however its times were rounded", () => {
  const arbitrary = fc.record({
    rate: fc.constantFrom(...RATES),
    ticksPerSecond: fc.constantFrom(...TICKS_PER_SECOND),
    frames: fc.integer({ min: 2, max: 5000 }),
    startSeconds: fc.double({ min: -1, max: 100_000, noNaN: true }),
  });
  fc.assert(
    fc.property(arbitrary, ({ rate: [num, den], ticksPerSecond, frames, startSeconds }) => {
      const times = Array.from({ length: frames }, (_, index) => {
        const seconds = startSeconds + (index * den) / num;
        return Math.round(seconds * ticksPerSecond) / ticksPerSecond;
      });
      const timing = frameTiming(times, den / num, [{ num, den }, null]);
      assert.deepEqual(timing.frameRate, { num, den });
      assert.deepEqual([timing.frameCount, timing.variable], [frames, false]);
    }),
  );
});

test("any other rhythm is re-timed at a rate that screens know, over the same time to half a frame", () => {
  const gaps = fc.array(fc.double({ min: 0.005, max: 2, noNaN: true }), { minLength: 20, maxLength: 300 });
  fc.assert(
    fc.property(gaps, (steps) => {
      let at = 0;
      const times = [0, ...steps.map((step) => (at += step))];
      const timing = frameTiming(times, 0.04, []);
      assert.ok(toNumber(timing.frameRate) <= 60);
      if (!timing.variable) return;
      const shownSeconds = timing.frameCount / toNumber(timing.frameRate);
      assert.ok(Math.abs(shownSeconds - (at + 0.04)) <= 0.5 / toNumber(timing.frameRate) + 1e-9);
    }),
  );
});
