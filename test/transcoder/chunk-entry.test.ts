import assert from "node:assert/strict";
import { test } from "node:test";
import { buildPlan, DEFAULT_PLAN_SETTINGS } from "../../core/plan.ts";
import { rational } from "../../core/rational.ts";
import type { Source } from "../../core/source.ts";
import { chunkEntry } from "../../transcoder/chunk-entry.ts";
import { launcherForTest, probeFile } from "../rig/launcher.ts";
import { flashAndBeep } from "../rig/media.ts";

test("a keyframe is entered at every rate, its frame's halves whole microseconds or not", async () => {
  const found = await probeFile(await launcherForTest(), await flashAndBeep({ seconds: 2 }));
  for (const [num, den] of [
    [24_000, 1001],
    [24, 1],
    [25, 1],
    [30_000, 1001],
    [30, 1],
    [50, 1],
    [60, 1],
    [179, 6],
  ] as const) {
    const frameRate = rational(num, den);
    const frameCount = Math.ceil((60 * num) / den);
    const keyframeSeconds = Array.from(
      { length: 30 },
      (_, index) => (Math.round((2 * num) / den) * index * den) / num,
    );
    const source: Source = { ...found, video: { ...found.video, frameRate, frameCount, keyframeSeconds } };
    const plan = buildPlan(source, DEFAULT_PLAN_SETTINGS, "test");
    const frames = {
      firstFrame: plan.timeline.framesPerSegment * 2,
      frameCount: plan.timeline.framesPerSegment,
    };
    const { inputOptions, filters } = chunkEntry(source, plan, frames);
    assert.ok(inputOptions.includes("-noaccurate_seek"), `${num}/${den}: ${inputOptions.join(" ")}`);
    const trim = Number(/^trim=start=-([\d.]+)$/.exec(filters[0]!)?.[1]);
    assert.ok(Math.abs(trim - (0.4 * den) / num) < 2e-6, `${num}/${den}: ${filters[0]}`);
  }
});
