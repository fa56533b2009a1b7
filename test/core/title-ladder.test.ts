import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DEFAULT_ENCODING } from "../../core/encoding.ts";
import { buildLadder } from "../../core/ladder.ts";
import { buildPlan, DEFAULT_PLAN_SETTINGS, generationOf } from "../../core/plan.ts";
import type { QualityMetric } from "../../core/quality.ts";
import { type Candidate, candidatesOf, decibels, perceived, upperEdge } from "../../core/quality-curve.ts";
import { rational } from "../../core/rational.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import { buildTimeline } from "../../core/timeline.ts";
import {
  bytesOfGroups,
  curvesMissing,
  rateOfFilm,
  ratesOfWindow,
  type TitleCurve,
  TRIAL_CRFS,
  trialLadders,
  trialSizes,
  trialWindows,
} from "../../core/title-analysis.ts";
import { fixedTableBps, titleRungs } from "../../core/title-ladder.ts";
import { tasksOf } from "../../core/work.ts";
import { SOURCE } from "../api/api-for-test.ts";

/** A film whose largest size costs `topBps` at the better trial quality, and of which smaller sizes keep `kept` of the quality. */
function curveFor(
  topBps: number,
  kept: number,
  metric: QualityMetric = "vmaf",
  [width, height] = [1920, 1080],
): TitleCurve {
  const sizes = trialSizes(width, height, "h264");
  const points = sizes.flatMap((size, place) =>
    TRIAL_CRFS.h264.map((crf, step) => {
      const share = (size.width * size.height) / (sizes[0]!.width * sizes[0]!.height);
      const vmaf = (step === 0 ? 95 : 82) * kept ** place;
      return {
        ...{ width: size.width, height: size.height, crf },
        averageBps: topBps * share ** 0.8 * (step === 0 ? 1 : 0.25),
        score: metric === "vmaf" ? vmaf : vmaf / 100,
      };
    }),
  );
  return { codec: "h264", speed: "fast", metric, points };
}

const shown = (curve: TitleCurve): string[] =>
  titleRungs(1920, 1080, curve, "")!.map(
    ({ id, maxBitrateBps, crf }) => `${id} ${maxBitrateBps / 1000} ${crf}`,
  );

test("an easy film ends with few small rungs, a hard one with more", () => {
  const easy = shown(curveFor(700_000, 0.97));
  const hard = shown(curveFor(4_800_000, 0.9));
  assert.ok(easy.length < hard.length, `${easy} / ${hard}`);
  assert.ok(easy.length >= 2 && hard.length >= 5);
  assert.ok(Number(hard.at(-1)!.split(" ")[1]) <= 540, "slow lines have something");
});

const anyCurve = fc
  .record({
    topBps: fc.integer({ min: 40_000, max: 60_000_000 }),
    kept: fc.double({ min: 0.6, max: 1.01, noNaN: true }),
    metric: fc.constantFrom<QualityMetric>("vmaf", "ssim"),
    size: fc.constantFrom<[number, number]>([1920, 1080], [1080, 1920], [1280, 720], [640, 360], [1600, 900]),
  })
  .map(({ topBps, kept, metric, size }) => ({ size, curve: curveFor(topBps, kept, metric, size) }));

test("rungs of any film: two at least, never upscaled, falling in rate and in quality, within the table's caps", () => {
  fc.assert(
    fc.property(anyCurve, ({ size: [width, height], curve }) => {
      const rungs = titleRungs(width, height, curve, "");
      if (rungs === null) return;
      assert.ok(rungs.length >= 2);
      assert.equal(new Set(rungs.map(({ id }) => id)).size, rungs.length);
      const table = buildLadder(width, height);
      rungs.forEach((rung, index) => {
        assert.ok(rung.width <= width && rung.height <= height);
        const own = table.find((one) => one.width === rung.width && one.height === rung.height);
        assert.ok(rung.maxBitrateBps <= own!.maxBitrateBps);
        const larger = rungs[index - 1];
        if (larger === undefined) return;
        assert.ok(rung.width <= larger.width, "a cascade only goes down");
        assert.ok(rung.maxBitrateBps < larger.maxBitrateBps);
        if (rung.predicted === undefined || larger.predicted === undefined) return;
        assert.ok(larger.predicted.averageBps >= 1.49 * rung.predicted.averageBps);
        const loss =
          perceived(curve.metric, larger.predicted.score) - perceived(curve.metric, rung.predicted.score);
        assert.ok(loss > 0.2, `useless: ${loss}`);
      });
      for (const { predicted, maxBitrateBps } of rungs)
        if (predicted !== undefined && maxBitrateBps > 100_000)
          assert.ok(maxBitrateBps <= 2 * predicted.averageBps && maxBitrateBps >= predicted.averageBps);
    }),
    { numRuns: 500 },
  );
});

test("the top rung is where no more is seen, or the best that there is", () => {
  const [top] = titleRungs(1920, 1080, curveFor(2_000_000, 0.9), "")!;
  assert.ok(top!.predicted!.score >= 94 && top!.predicted!.score < 95.5, JSON.stringify(top));
  const [poor] = titleRungs(1920, 1080, curveFor(12_000_000, 0.9), "")!;
  assert.ok(poor!.predicted!.score < 94);
});

test("a film of next to nothing keeps its size", () => {
  const black = curveFor(5_000, 1);
  const rungs = titleRungs(
    1920,
    1080,
    { ...black, points: black.points.map((one) => ({ ...one, score: 100 })) },
    "",
  )!;
  assert.deepEqual(
    rungs.map(({ id, height }) => [id, height]),
    [
      ["1080p", 1080],
      ["1080p-low", 1080],
    ],
  );
});

test("two rungs of the top size where it is HD and costs little (Apple 9.10)", () => {
  const [first, second] = titleRungs(1920, 1080, curveFor(3_000_000, 0.93), "")!;
  assert.deepEqual([first!.id, second!.id], ["1080p", "1080p-2"]);
});

test("the upper edge: rates and scores rise, and nothing lies above it", () => {
  const candidate = fc.record({
    width: fc.constant(2),
    height: fc.constant(2),
    crf: fc.integer({ min: 0, max: 51 }),
    averageBps: fc.integer({ min: 1_000, max: 10_000_000 }),
    score: fc.double({ min: 1, max: 100, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(candidate, { minLength: 1, maxLength: 40 }), (candidates: Candidate[]) => {
      const edge = upperEdge(candidates);
      edge.slice(1).forEach((one, index) => {
        assert.ok(one.averageBps > edge[index]!.averageBps && one.score > edge[index]!.score);
      });
      for (const { averageBps, score } of candidates) {
        const best = edge.findLast((one) => one.averageBps <= averageBps);
        assert.ok(best !== undefined && best.score >= score);
      }
    }),
  );
});

test("between its trial points a curve passes through them, and falls", () => {
  const curve = curveFor(2_000_000, 0.9);
  const top = candidatesOf(curve).filter(({ height }) => height === 1080);
  for (const { crf, averageBps, score } of curve.points.slice(0, 2)) {
    const own = top.find((one) => one.crf === crf)!;
    assert.ok(Math.abs(own.averageBps - averageBps) < 1 && Math.abs(own.score - score) < 1e-6);
  }
  top.slice(1).forEach((one, index) => {
    assert.ok(one.averageBps < top[index]!.averageBps && one.score < top[index]!.score);
  });
  assert.ok(decibels("ssim", 1) > 40, "finite");
});

test("windows: one from each part of the order of business, evenly where nothing is known, always the same", () => {
  const timeline = buildTimeline(rational(24, 1), 24 * 600);
  const even = trialWindows(timeline, null);
  assert.equal(even.length, 8);
  for (const { group, half } of even) {
    assert.ok(group.firstFrame % 48 === 0 && group.frameCount === 48);
    assert.deepEqual(half, { firstFrame: group.firstFrame, frameCount: 24 });
  }
  const bytes = Array.from({ length: 300 }, (_, group) => (group < 150 ? 1 : 1000 + group));
  const busy = trialWindows(timeline, bytes).filter(({ group }) => group.firstFrame >= 150 * 48);
  assert.equal(busy.length, 4, "half of the film is busy");
  assert.deepEqual(trialWindows(timeline, bytes), trialWindows(timeline, [...bytes]));
  assert.equal(trialWindows(buildTimeline(rational(24, 1), 24 * 60), null).length, 2);
});

test("a film's rate from its windows', a window's from its frames", () => {
  const timeline = buildTimeline(rational(24, 1), 24 * 8);
  const range = { firstFrame: 48, frameCount: 24 };
  const windows = [{ group: range, half: range }];
  assert.equal(rateOfFilm([1000], windows, timeline, [20, 10, 10, 0]), 1000);
  assert.equal(rateOfFilm([1000], windows, timeline, [20, 10, 20, 10]), 1500);
  assert.equal(rateOfFilm([1000], windows, timeline, [900, 10, 900, 900]), 2000, "no more than twice");
  assert.equal(rateOfFilm([1000], windows, timeline, null), 1000);
  // Of each size at two qualities: the better one goes on as it began, the other spends twice that.
  const half = (keyframe: number, other: number) => [keyframe, ...new Array<number>(23).fill(other)];
  const rates = ratesOfWindow(
    {
      halves: [half(1000, 100), half(500, 50), half(100, 10), half(50, 5)],
      wholes: [
        [100, ...new Array<number>(47).fill(10)],
        [50, ...new Array<number>(47).fill(5), 50 + 47 * 5],
      ],
    },
    timeline,
  );
  assert.deepEqual(
    rates,
    [5700, 2 * 2850, 570, 2 * 285].map((groupBytes) => (groupBytes * 8) / 2),
  );
  const seconds = [0, 0.5, 2, 3.9, 4, 99];
  const sizes = [1, 2, 3, 4, 5, 6];
  assert.deepEqual(bytesOfGroups(timeline, { sizes, secondsFromFirst: (at) => seconds[at]! }), [3, 7, 5, 0]);
});

test("what is analysed: films of a minute and a half and more, sizes to choose between, codecs without a curve", () => {
  const film = { durationSeconds: 90, video: { ...SOURCE.video, width: 1280, height: 720 } };
  const both = { codecs: ["h264" as const, "av1" as const], ladder: "title" as const };
  const { curve } = { curve: curveFor(1_000_000, 0.9) };
  assert.deepEqual(curvesMissing(film, both, []), ["h264", "av1"]);
  assert.deepEqual(curvesMissing(film, both, [curve]), ["av1"]);
  assert.deepEqual(curvesMissing(film, { ...both, speed: "small" }, [curve]), ["h264", "av1"]);
  assert.deepEqual(curvesMissing(film, { ...both, ladder: "table" }, []), []);
  assert.deepEqual(curvesMissing(film, { codecs: both.codecs }, []), []);
  assert.deepEqual(curvesMissing({ ...film, durationSeconds: 89 }, both, []), []);
  assert.deepEqual(
    curvesMissing({ ...film, video: { ...film.video, width: 480, height: 270 } }, both, []),
    [],
  );
  const { halves, wholes } = trialLadders(3840, 2160, "av1");
  const shownOf = ({ rungs }: typeof halves) => rungs.map(({ height, crf }) => `${height} ${crf}`);
  assert.deepEqual(shownOf(halves), [
    ...["1080 28", "1080 48", "720 28", "720 48"],
    ...["540 28", "540 48", "360 28", "360 48"],
  ]);
  assert.deepEqual(shownOf(wholes), ["360 28", "360 48"]);
  const ids = [...halves.rungs, ...wholes.rungs].map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length, "each has a file of its own");
});

test("a plan with the same curves is the same; without, its ladder is the table's; above 1080p it always is", () => {
  const source = { ...SOURCE, video: { ...SOURCE.video, width: 1920, height: 1080 } };
  const settings = { ...DEFAULT_PLAN_SETTINGS, encoding: { ...DEFAULT_ENCODING, ladder: "title" as const } };
  const curves = [curveFor(1_500_000, 0.93)];
  const plan = buildPlan(source, settings, "b", [], curves);
  assert.equal(
    generationOf(buildPlan(source, settings, "b", [], structuredClone(curves)), "e"),
    generationOf(plan, "e"),
  );
  assert.deepEqual(buildPlan(source, settings, "b").ladders[0]!.rungs, buildLadder(1920, 1080));
  const inVain = [{ ...curves[0]!, points: [] }];
  assert.deepEqual(buildPlan(source, settings, "b", [], inVain).ladders[0]!.rungs, buildLadder(1920, 1080));
  const table = { ...settings, encoding: { ...DEFAULT_ENCODING, ladder: "table" as const } };
  assert.deepEqual(buildPlan(source, table, "b", [], curves).ladders[0]!.rungs, buildLadder(1920, 1080));
  assert.notDeepEqual(plan.ladders[0]!.rungs, buildLadder(1920, 1080));
  const uhd = titleRungs(3840, 2160, { ...curves[0]!, codec: "hevc" }, "hevc-")!;
  assert.deepEqual(
    uhd.slice(0, 3).map(({ id }) => id),
    ["hevc-2160p", "hevc-1440p", "hevc-1080p"],
  );
});

test("Apple's fixed table, by size", () => {
  assert.deepEqual(
    [fixedTableBps(1920, 1080), fixedTableBps(720, 1280), fixedTableBps(64, 64), fixedTableBps(3840, 2160)],
    [4_500_000, 3_000_000, 145_000, null],
  );
});

test("until a film's own ladder is known only a preview is made of its draft, and the analysis", () => {
  const video = { ...SOURCE.video, width: 1280, height: 720, frameCount: 90 * 25 };
  const source = { ...SOURCE, durationSeconds: 90, video: { ...video, frameRate: rational(25, 1) } };
  const asset = {
    ...{ _id: "as_1", state: "encoding", revision: 1, published: null, sidecars: [] },
    ...{ source, pinned: { key: "k", etag: "e", sizeBytes: 1, sha256: null } },
    ...{
      encoding: { ...DEFAULT_ENCODING, ladder: "title" },
      plan: buildPlan(source, DEFAULT_PLAN_SETTINGS, "b"),
    },
    ...{ generation: "draft", draftGeneration: "draft" },
  } as unknown as AssetRecord;
  const kindsOf = (one: AssetRecord) => [...new Set(tasksOf(one).map(({ kind }) => kind))];
  assert.deepEqual(kindsOf(asset), ["preview", "analyse"]);
  const analysis = { sourceIdentity: "e 1", windows: [], curves: [curveFor(1_000_000, 0.9)] };
  const planned = { ...asset, analysis, generation: "final" };
  assert.ok(kindsOf(planned).includes("video") && !kindsOf(planned).includes("analyse"));
  const sketched = {
    ...asset,
    encoding: DEFAULT_ENCODING,
    source: { ...source, isSketch: true },
  } as AssetRecord;
  assert.deepEqual(kindsOf(sketched), ["preview", "analyse"], "what is only sketched is described first");
  assert.ok(kindsOf({ ...sketched, source }).includes("video"), "and needs no analysis then");
  const misread = { ...sketched, generation: "of an older worker" };
  assert.deepEqual(kindsOf(misread), ["preview", "analyse"], "also where somebody took it for all there is");
  const previews = (one: AssetRecord) => tasksOf(one).filter(({ kind }) => kind === "preview");
  assert.deepEqual(previews(planned), previews(asset), "its preview is the same");
  assert.deepEqual(
    kindsOf({ ...asset, draftGeneration: null }).includes("video"),
    true,
    "planned once: no draft",
  );
});
