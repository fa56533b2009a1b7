import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { VideoCodec } from "../../core/encoding.ts";
import { INIT_NAME, packagePrefix, segmentName, trackFolder } from "../../core/keys.ts";
import { buildLadder } from "../../core/ladder.ts";
import { allRungs, buildPlan, DEFAULT_PLAN_SETTINGS, generationOf } from "../../core/plan.ts";
import type { Source } from "../../core/source.ts";
import { segmentCount } from "../../core/timeline.ts";
import { sourceOf } from "../rig/plain-source.ts";

const anySource = fc
  .tuple(
    fc.integer({ min: 2, max: 4096 }),
    fc.integer({ min: 2, max: 2304 }),
    fc.integer({ min: 1, max: 300_000 }),
    fc.integer({ min: 0, max: 4 }),
  )
  .map((parts) => sourceOf(...parts));

test("same input, same bytes of plan and the same generation; any change gives another", () => {
  fc.assert(
    fc.property(anySource, (source) => {
      const plan = buildPlan(source, DEFAULT_PLAN_SETTINGS, "build 1");
      const again = buildPlan(structuredClone(source), { ...DEFAULT_PLAN_SETTINGS }, "build 1");
      assert.equal(JSON.stringify(again), JSON.stringify(plan));
      const generation = generationOf(plan, "etag 1");
      assert.equal(generationOf(again, "etag 1"), generation);
      assert.match(generation, /^[0-9a-f]{20}$/);
      assert.notEqual(generationOf(plan, "etag 2"), generation);
      assert.notEqual(
        generationOf(buildPlan(source, DEFAULT_PLAN_SETTINGS, "build 2"), "etag 1"),
        generation,
      );
      assert.notEqual(
        generationOf(buildPlan(source, { ...DEFAULT_PLAN_SETTINGS, preset: "medium" }, "build 1"), "etag 1"),
        generation,
      );
    }),
    { numRuns: 200 },
  );
});

test("rungs: never upscaled, even, aspect kept, unique, at least two bit rates, largest first", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 4096 }), fc.integer({ min: 2, max: 4096 }), (width, height) => {
      const rungs = buildLadder(width, height);
      assert.ok(rungs.length >= 2);
      assert.equal(new Set(rungs.map((rung) => rung.id)).size, rungs.length);
      assert.ok(new Set(rungs.map((rung) => rung.maxBitrateBps)).size >= 2);
      rungs.forEach((rung, index) => {
        assert.ok(rung.width <= width && rung.height <= height && rung.width >= 2 && rung.height >= 2);
        assert.equal((rung.width % 2) + (rung.height % 2), 0);
        const scale = Math.min(rung.width / width, rung.height / height);
        assert.ok(
          Math.abs(rung.width - width * scale) <= 3 + width / height &&
            Math.abs(rung.height - height * scale) <= 3 + height / width,
        );
        const larger = rungs[index - 1];
        if (larger)
          assert.ok(
            rung.width <= larger.width &&
              rung.height <= larger.height &&
              rung.maxBitrateBps < larger.maxBitrateBps,
          );
      });
    }),
    { numRuns: 2000 },
  );
});

test("the ladders of common pictures", () => {
  const sizes = (width: number, height: number): string[] =>
    buildLadder(width, height).map((rung) => `${rung.width}x${rung.height}`);
  assert.deepEqual(sizes(1920, 1080), ["1920x1080", "1280x720", "960x540", "640x360", "416x234"]);
  assert.deepEqual(sizes(3840, 2160), ["1920x1080", "1280x720", "960x540", "640x360", "416x234"]);
  assert.deepEqual(sizes(1080, 1920), ["1080x1920", "720x1280", "540x960", "360x640", "234x416"]);
  assert.deepEqual(sizes(1024, 576), ["960x540", "640x360", "416x234"]);
  assert.deepEqual(sizes(640, 360), ["640x360", "416x234"]);
  assert.deepEqual(sizes(1600, 900), ["1600x900", "1280x720", "960x540", "640x360", "416x234"]);
  assert.deepEqual(sizes(64, 64), ["64x64", "64x64"]);
});

test("a codec's ladder: ids of its own, cheaper caps, nothing smaller than its encoder takes", () => {
  const shown = (width: number, height: number, codec: VideoCodec): string[] =>
    buildLadder(width, height, codec, `${codec}-`).map(
      (rung) => `${rung.id} ${rung.width}x${rung.height} ${rung.maxBitrateBps / 1000} ${rung.crf}`,
    );
  assert.deepEqual(shown(3840, 2160, "hevc"), [
    "hevc-2160p 3840x2160 13650 26",
    "hevc-1440p 2560x1440 7150 26",
    "hevc-1080p 1920x1080 3900 26",
    "hevc-720p 1280x720 2275 26",
    "hevc-540p 960x540 1300 26",
    "hevc-360p 640x360 585 26",
    "hevc-234p 416x234 228 26",
  ]);
  assert.deepEqual(shown(1920, 1080, "av1").slice(0, 2), [
    "av1-1080p 1920x1080 3300 35",
    "av1-720p 1280x720 1925 35",
  ]);
  assert.deepEqual(shown(64, 64, "av1"), ["av1-64p 64x64 100 35", "av1-64p-low 64x64 50 43"]);
  assert.deepEqual(shown(62, 64, "av1"), []);
  assert.deepEqual(shown(2000, 14, "hevc"), []);
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 4096 }), fc.integer({ min: 2, max: 4096 }), (width, height) => {
      for (const [codec, least] of [
        ["h264", 2],
        ["hevc", 16],
        ["av1", 64],
      ] as const) {
        const rungs = buildLadder(width, height, codec);
        assert.notEqual(rungs.length, 1, "none, or at least two bit rates");
        for (const rung of rungs) assert.ok(Math.min(rung.width, rung.height) >= least);
      }
    }),
  );
});

test("which ladders a master gets: H.264 always, what was asked for, and HDR where it is there", () => {
  const hdr = { contentLight: { max: 1000, maxAverage: 400 } };
  const rows: [VideoCodec[], Partial<Source["video"]>, string[]][] = [
    [["h264"], {}, ["h264 SDR"]],
    [["h264", "hevc", "av1"], {}, ["h264 SDR", "hevc SDR", "av1 SDR"]],
    [["h264"], { colorTransfer: "smpte2084", hdr }, ["h264 SDR"]],
    [["h264", "av1"], { colorTransfer: "smpte2084", hdr }, ["h264 SDR", "av1 SDR"]],
    [["h264", "hevc"], { colorTransfer: "smpte2084", hdr }, ["h264 SDR", "hevc SDR", "hevc-hdr PQ 1000"]],
    [["h264", "hevc"], { colorTransfer: "smpte2084" }, ["h264 SDR", "hevc SDR", "hevc-hdr PQ"]],
    // HLG's curve is relative to the screen: light levels say nothing there.
    [["h264", "hevc"], { colorTransfer: "arib-std-b67", hdr }, ["h264 SDR", "hevc SDR", "hevc-hdr HLG"]],
    [["h264", "av1"], { width: 60, height: 64 }, ["h264 SDR"]],
  ];
  for (const [codecs, facts, ladders] of rows) {
    const source = sourceOf(1280, 720, 100, 0);
    Object.assign(source.video, facts);
    const plan = buildPlan(source, { ...DEFAULT_PLAN_SETTINGS, encoding: { codecs } }, "b");
    assert.deepEqual(
      plan.ladders.map((one) =>
        [one.id, one.range, ...(one.hdr ? [one.hdr.contentLight?.max] : [])].join(" "),
      ),
      ladders,
    );
    const ids = allRungs(plan).map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
  }
});

test("every key of a package is unique, short, and no folder of another", () => {
  const plan = buildPlan(sourceOf(1920, 1080, 24 * 600, 3), DEFAULT_PLAN_SETTINGS, "b");
  const prefix = packagePrefix("as_00000000000000000000000000", generationOf(plan, "e"));
  const folders = [
    ...allRungs(plan).map((rung) => trackFolder("video", rung.id)),
    ...plan.audio.map((track) => trackFolder("audio", track.id)),
  ];
  const names = [
    INIT_NAME,
    ...Array.from({ length: segmentCount(plan.timeline) }, (_, index) => segmentName(index)),
  ];
  const keys = folders.flatMap((folder) => names.map((name) => prefix + folder + name));
  assert.equal(new Set(keys).size, keys.length);
  const all = new Set(keys);
  for (const key of keys) {
    assert.ok(key.length <= 200 && /^[\w./-]+$/.test(key) && !key.includes("//") && !key.includes(".."));
    const parts = key.split("/");
    for (let depth = 1; depth < parts.length; depth++) assert.ok(!all.has(parts.slice(0, depth).join("/")));
  }
});
