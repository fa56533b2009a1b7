import assert from "node:assert/strict";
import { test } from "node:test";
import { pictureFor, planPicture, rangeOf, shownTiming } from "../../core/picture.ts";
import { rational } from "../../core/rational.ts";
import type { SourceVideo } from "../../core/source.ts";
import { sourceOf } from "../rig/plain-source.ts";

const HD: SourceVideo = {
  ...sourceOf(1920, 1080, 100, 0).video,
  profile: null,
  frameRate: rational(25, 1),
};

test("fields become frames where a screen can show their rate, and nowhere else", () => {
  const rows: [string, [number, number], string, string][] = [
    ["progressive", [25, 1], "none", "25/1"],
    ["unknown", [25, 1], "none", "25/1"],
    ["tt", [25, 1], "fields", "50/1"],
    ["bb", [30_000, 1001], "fields", "60000/1001"],
    ["tb", [30, 1], "fields", "60/1"],
    ["bt", [24, 1], "frames", "24/1"],
    ["tt", [50, 1], "frames", "50/1"],
  ];
  for (const [fieldOrder, rate, deinterlace, shown] of rows) {
    const video = { ...HD, fieldOrder, frameRate: rational(...rate) };
    const plan = planPicture(video);
    const timing = shownTiming(video, plan.deinterlace);
    assert.equal(plan.deinterlace, deinterlace);
    assert.equal(`${timing.frameRate.num}/${timing.frameRate.den}`, shown);
    assert.equal(timing.frameCount, deinterlace === "fields" ? 200 : 100);
    if (deinterlace !== "none") assert.equal(plan.topFieldFirst, fieldOrder === "tt" || fieldOrder === "bt");
  }
});

test("colour: what is said is kept or converted, what is not said is what players assume", () => {
  const rows: [Partial<SourceVideo>, string, string, string][] = [
    [{}, "bt709 bt709 bt709 limited", "bt709 bt709 bt709", "none"],
    [
      { codedWidth: 720, codedHeight: 576 },
      "bt470bg bt709 smpte170m limited",
      "bt470bg bt709 smpte170m",
      "none",
    ],
    [
      { codedWidth: 720, codedHeight: 480 },
      "smpte170m bt709 smpte170m limited",
      "smpte170m bt709 smpte170m",
      "none",
    ],
    [{ pixelFormat: "yuvj420p" }, "bt709 bt709 bt709 full", "bt709 bt709 bt709", "none"],
    [{ pixelFormat: "gbrp", colorSpace: "gbr" }, "bt709 bt709 bt709 full", "bt709 bt709 bt709", "none"],
    [{ colorSpace: "bt2020nc" }, "bt2020 bt709 bt2020nc limited", "bt709 bt709 bt709", "none"],
    [{ colorPrimaries: "smpte432" }, "smpte432 bt709 bt709 limited", "bt709 bt709 bt709", "none"],
    [{ colorTransfer: "smpte2084" }, "bt2020 smpte2084 bt2020nc limited", "bt709 bt709 bt709", "pq"],
    [{ colorTransfer: "arib-std-b67" }, "bt2020 arib-std-b67 bt2020nc limited", "bt709 bt709 bt709", "hlg"],
    [{ colorSpace: "a word, of a filter" }, "bt709 bt709 bt709 limited", "bt709 bt709 bt709", "none"],
  ];
  for (const [facts, input, output, toneMap] of rows) {
    const plan = planPicture({ ...HD, ...facts });
    const { primaries, transfer, matrix, range } = plan.input;
    assert.equal([primaries, transfer, matrix, range].join(" "), input);
    assert.equal([plan.output.primaries, plan.output.transfer, plan.output.matrix].join(" "), output);
    assert.equal(plan.toneMap, toneMap);
  }
});

test("an HDR ladder keeps the master's curve in BT.2020 and ten bits; a standard one is the plan's", () => {
  const rows: [Partial<SourceVideo>, string, string][] = [
    [{}, "SDR", "bt709 bt709 bt709 8 none"],
    [{ colorTransfer: "smpte2084" }, "PQ", "bt2020 smpte2084 bt2020nc 10 none"],
    [{ colorTransfer: "arib-std-b67" }, "HLG", "bt2020 arib-std-b67 bt2020nc 10 none"],
    // A narrower gamut is brought into the one that HDR10 is defined with.
    [{ colorTransfer: "smpte2084", colorPrimaries: "smpte432" }, "PQ", "bt2020 smpte2084 bt2020nc 10 none"],
  ];
  for (const [facts, range, output] of rows) {
    const plan = planPicture({ ...HD, ...facts });
    assert.equal(rangeOf(plan), range);
    assert.equal(pictureFor(plan, "SDR"), plan);
    const kept = pictureFor(plan, rangeOf(plan));
    const { primaries, transfer, matrix, bitDepth } = kept.output;
    assert.equal([primaries, transfer, matrix, bitDepth, kept.toneMap].join(" "), output);
  }
});
