import assert from "node:assert/strict";
import { test } from "node:test";
import type { Speed, VideoCodec } from "../../core/encoding.ts";
import { buildPlan, DEFAULT_PLAN_SETTINGS } from "../../core/plan.ts";
import { describeSource, type ProbeStream } from "../../core/probe-report.ts";
import { videoRecipe } from "../../transcoder/video-recipe.ts";

const LIGHT = { side_data_type: "Content light level metadata", max_content: 1000, max_average: 400 };

function recipesOf(codecs: VideoCodec[], picture: Partial<ProbeStream>, light = false, speed?: Speed) {
  const frames = {
    seconds: Float64Array.from({ length: 100 }, (_, index) => index / 25),
    keyframeSeconds: Float64Array.of(0),
    lastDurationSeconds: 0.04,
  };
  const stream = { index: 0, codec_type: "video", codec_name: "hevc", width: 320, height: 180, ...picture };
  const report = {
    format: { format_name: "mov,mp4" },
    streams: [stream],
    frames: light ? [{ side_data_list: [LIGHT] }] : [],
  };
  const spans = new Map([[0, { startSeconds: 0, endSeconds: 4 }]]);
  const table = {
    frames,
    hasAllTimes: true,
    timelessFrames: 0,
    entries: [],
    spans,
    encrypted: new Set<number>(),
  };
  const source = describeSource(report, table, { sizeBytes: 1, sha256: null });
  const plan = buildPlan(
    source,
    { ...DEFAULT_PLAN_SETTINGS, encoding: { codecs, ...(speed && { speed }) } },
    "b",
  );
  return new Map(
    plan.ladders.map((ladder) => {
      const recipe = videoRecipe(source, plan, ladder, plan.chunks[0]!);
      const options = recipe.outputs[0]!.options.join(" ");
      return [ladder.id, { graph: recipe.filterGraph ?? "", options, outputs: recipe.outputs.length }];
    }),
  );
}

test("each codec is told the grid, the cap and one thread in its own words", () => {
  const recipes = recipesOf(["h264", "hevc", "av1"], {});
  assert.deepEqual([...recipes.keys()], ["h264", "hevc", "av1"]);
  const table: [string, RegExp[]][] = [
    [
      "h264",
      [/-c:v libx264 .*-profile:v high /, /keyint=50:min-keyint=50:scenecut=0:open-gop=0/, /-threads 1/],
    ],
    [
      "hevc",
      [
        /-c:v libx265 .*-profile:v main /,
        /keyint=50:min-keyint=50:scenecut=0:open-gop=0/,
        /frame-threads=1:no-wpp=1:pools=none:high-tier=0/,
        /-tag:v hvc1/,
      ],
    ],
    ["av1", [/-c:v libsvtav1 /, /-g 50 /, /-svtav1-params scd=0:lp=1/]],
  ];
  for (const [id, patterns] of table) {
    const { options, graph, outputs } = recipes.get(id)!;
    for (const pattern of patterns) assert.match(options, pattern);
    assert.match(options, /-maxrate \d+ /);
    assert.match(options, /-frames:v 100 .*-output_ts_offset 0\.000000/);
    assert.match(graph, /format=yuv420p,/);
    // The pictures for seeking ride on H.264's decode.
    assert.equal(outputs, id === "h264" ? 3 : 2);
  }
});

test("each speed has its way of making pictures smaller, to the top rung and to those below it", () => {
  const byZimg = /^zscale=\d+:\d+:filter=lanczos:dither=none$/;
  const bySwscale = /^scale=\d+:\d+:flags=lanczos$/;
  const table: [Speed | undefined, RegExp, RegExp][] = [
    [undefined, /^scale=1920:1080:flags=bicubic:in_range/, byZimg],
    ["fast", /^scale=1920:1080:flags=bicubic:in_range/, byZimg],
    ["balanced", /^scale=1920:1080:flags=lanczos:in_range/, bySwscale],
    ["small", /^scale=1920:1080:flags=lanczos:in_range/, bySwscale],
  ];
  // Larger than the largest rung of H.264, so that the top is scaled too.
  const picture = { width: 3840, height: 2160 };
  for (const [speed, toTop, below] of table) {
    const { graph } = recipesOf(["h264"], picture, false, speed).get("h264")!;
    const [top, ...others] = graph.split(/[,;\]]/).filter((filter) => /^z?scale=/.test(filter));
    assert.match(top!, toTop);
    assert.equal(others.length, 4, graph);
    for (const other of others) assert.match(other, below, `${speed}`);
  }
});

test("an HDR ladder is neither tone-mapped nor cut to eight bits, and says what it is", () => {
  const recipes = recipesOf(["h264", "hevc"], { color_transfer: "smpte2084", pix_fmt: "yuv420p10le" }, true);
  assert.deepEqual([...recipes.keys()].sort(), ["h264", "hevc", "hevc-hdr"]);
  assert.match(recipes.get("hevc")!.graph, /tonemap=.*sidedata=mode=delete/);
  assert.doesNotMatch(recipes.get("hevc")!.options, /hdr10|max-cll/);
  const { graph, options } = recipes.get("hevc-hdr")!;
  // What makes it smaller says nothing of colours.
  assert.doesNotMatch(graph, /tonemap|transfer|npl|matrix/);
  assert.match(
    graph,
    /format=yuv420p10le,setparams=range=limited:color_primaries=bt2020:color_trc=smpte2084/,
  );
  assert.match(options, /-profile:v main10 .*hdr10-opt=1:max-cll=1000,400/);
  assert.match(options, /-color_trc smpte2084 -colorspace bt2020nc -color_range tv/);
});
