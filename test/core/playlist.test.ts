import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parse } from "hls-parser";
import { measureBitrate } from "../../core/bitrate.ts";
import { buildPackage } from "../../core/package.ts";
import { allRungs, buildPlan, DEFAULT_PLAN_SETTINGS, type Plan } from "../../core/plan.ts";
import { mediaPlaylist } from "../../core/playlist.ts";
import { describeSource, type ProbeReport } from "../../core/probe-report.ts";
import { joinTracks } from "../../core/produced-track.ts";
import { rational, secondsText } from "../../core/rational.ts";
import type { TaskResult } from "../../core/records/task-result.ts";

test("seconds as text: rounded half up, in whole numbers", () => {
  const table: [number, number, number, string][] = [
    [180_180, 30_000, 6, "6.006000"],
    [1, 3, 6, "0.333333"],
    [2, 3, 6, "0.666667"],
    [1, 2, 0, "1"],
    [0, 7, 3, "0.000"],
    [9_999_995, 10_000_000, 6, "1.000000"],
  ];
  for (const [ticks, timescale, digits, text] of table)
    assert.equal(secondsText(ticks, timescale, digits), text);
});

test("a media playlist, to the letter", () => {
  const text = mediaPlaylist({
    initUri: "init.mp4",
    timescale: 30_000,
    targetDurationSeconds: 6,
    segments: [
      { uri: "00000.m4s", durationTicks: 180_180 },
      { uri: "00001.m4s", durationTicks: 1001, byteRange: { length: 10, offset: 5 } },
    ],
  });
  const expected = [
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    "#EXT-X-TARGETDURATION:6",
    "#EXT-X-MEDIA-SEQUENCE:0",
    "#EXT-X-PLAYLIST-TYPE:VOD",
    '#EXT-X-MAP:URI="init.mp4"',
    "#EXTINF:6.006000,",
    "00000.m4s",
    "#EXTINF:0.033367,",
    "#EXT-X-BYTERANGE:10@5",
    "00001.m4s",
    "#EXT-X-ENDLIST",
    "",
  ];
  assert.equal(text, expected.join("\n"));
});

test("peak: the worst run of half to one and a half target durations, checked against every run", () => {
  const anySegments = fc.array(
    fc.record({
      bytes: fc.integer({ min: 1, max: 1e7 }),
      durationSeconds: fc.double({ min: 0.04, max: 6.5, noNaN: true }),
    }),
    { minLength: 1, maxLength: 12 },
  );
  fc.assert(
    fc.property(anySegments, (segments) => {
      const { peakBps, averageBps } = measureBitrate(segments, 6);
      const bytes = segments.reduce((sum, one) => sum + one.bytes, 0);
      const seconds = segments.reduce((sum, one) => sum + one.durationSeconds, 0);
      assert.ok(Math.abs(averageBps - (bytes * 8) / seconds) <= 0.5);
      let worst = 0;
      for (let from = 0; from < segments.length; from++)
        for (let to = from + 1; to <= segments.length; to++) {
          const run = segments.slice(from, to);
          const length = run.reduce((sum, one) => sum + one.durationSeconds, 0);
          if (length >= 3 && length <= 9)
            worst = Math.max(worst, (run.reduce((sum, one) => sum + one.bytes, 0) * 8) / length);
        }
      assert.equal(peakBps, Math.ceil(worst || (bytes * 8) / seconds));
    }),
    { numRuns: 300 },
  );
});

function planOf(): Plan {
  const report: ProbeReport = {
    format: { format_name: "mov" },
    streams: [
      { index: 0, codec_type: "video", codec_name: "h264", width: 1280, height: 720, r_frame_rate: "24/1" },
      { index: 1, codec_type: "audio", codec_name: "aac", tags: { language: "eng" } },
      {
        index: 2,
        codec_type: "audio",
        codec_name: "aac",
        tags: { language: "ger", title: 'He said "hi"\n' },
      },
      { index: 3, codec_type: "audio", codec_name: "aac", tags: { language: "eng" } },
    ],
  };
  const frames = {
    seconds: Float64Array.from({ length: 24 * 20 }, (_, index) => index / 24),
    keyframeSeconds: Float64Array.of(0),
    lastDurationSeconds: 1 / 24,
  };
  const span = { startSeconds: 0, endSeconds: 20 };
  const spans = new Map([0, 1, 2, 3].map((stream) => [stream, span]));
  return buildPlan(
    describeSource(
      report,
      { frames, hasAllTimes: true, timelessFrames: 0, entries: [], spans, encrypted: new Set<number>() },
      { sizeBytes: 1, sha256: null },
    ),
    DEFAULT_PLAN_SETTINGS,
    "b",
  );
}

function resultsOf(plan: Plan): TaskResult[] {
  const track = (
    trackId: string,
    codec: string,
    timescale: number,
    bytes: number,
  ): TaskResult["tracks"][number] => ({
    trackId,
    initKey: "i",
    initBytes: 700,
    initSha256: "x",
    codec,
    timescale,
    cells: [0, 1, 2, 3].map((segment) => ({
      key: `k${segment}`,
      segment,
      bytes: bytes * (segment === 2 ? 2 : 1),
      sha256: "y",
      durationTicks: (segment === 3 ? 2 : 6) * timescale,
      keyframes: [{ offset: 0, length: 100, startTicks: segment * 6 * timescale }],
    })),
  });
  const video = allRungs(plan).map((rung, index) =>
    track(rung.id, "avc1.64001f", plan.timeline.timescale, 1_000_000 / (index + 1)),
  );
  video.push(track(plan.trickPlay.id, "avc1.64000d", plan.timeline.timescale, 5_000));
  const audio = plan.audio.map((one) => track(one.id, "mp4a.40.2", 48_000, 96_000));
  return [{ tracks: video, images: [] }, ...audio.map((one) => ({ tracks: [one], images: [] }))];
}

test("the multivariant playlist says what the bytes measure, and parses", () => {
  const plan = planOf();
  const made = buildPackage(plan, joinTracks(resultsOf(plan), 4));
  const text = made.playlists.find((file) => file.path === "main.m3u8")!.text;
  const main = parse(text);
  assert.ok("variants" in main);
  const streams = main.variants.filter((variant) => !variant.isIFrameOnly);
  assert.equal(streams.length, allRungs(plan).length);
  assert.equal(
    main.variants.length,
    allRungs(plan).length * 2 + 1,
    "I-frames of each, and those made for seeking",
  );
  const top = streams.find((variant) => variant.resolution?.height === 720)!;
  // Worst run of 3..9 s: the last two segments, 3,000,000 bytes in 8 s; the sound's, 288,000 in the same 8 s.
  assert.equal(top.bandwidth, 3_000_000 + 288_000);
  assert.equal(top.averageBandwidth, Math.round((5_000_000 * 8) / 20) + Math.round((480_000 * 8) / 20));
  assert.deepEqual(
    top.audio.map((one) => [one.name, one.language, one.isDefault]),
    [
      ["English", "en", true],
      ["He said hi", "de", false],
      ["English 3", "en", false],
    ],
  );
  for (const file of made.playlists.filter(({ path }) => path.endsWith(".m3u8")))
    assert.doesNotThrow(() => parse(file.text), file.path);
});

test("a missing, doubled or foreign cell is never packaged", () => {
  const plan = planOf();
  const [video, ...audio] = resultsOf(plan);
  const without = structuredClone(video!);
  without.tracks[0]!.cells.pop();
  assert.throws(() => joinTracks([without, ...audio], 4), RangeError);
  assert.throws(() => joinTracks([video!, structuredClone(video!), ...audio], 4), RangeError);
  const foreign = structuredClone(video!);
  foreign.tracks.forEach((track) => {
    track.initSha256 = "other";
  });
  assert.throws(() => joinTracks([video!, foreign, ...audio], 8), RangeError);
});

test("a fraction is kept in lowest terms and refuses nonsense", () => {
  assert.deepEqual(rational(60, 2), { num: 30, den: 1 });
  assert.throws(() => rational(1, 0), RangeError);
});
