import assert from "node:assert/strict";
import { test } from "node:test";
import { checkOutput } from "../../core/output-check.ts";
import { allRungs, buildPlan, DEFAULT_PLAN_SETTINGS, type Plan } from "../../core/plan.ts";
import type { ProducedTrack } from "../../core/produced-track.ts";
import type { Source } from "../../core/source.ts";
import { audioSegmentFrames, segmentCount, segmentFrames } from "../../core/timeline.ts";
import { launcherForTest, probeFile } from "../rig/launcher.ts";
import { flashAndBeep } from "../rig/media.ts";

const source: Source = await probeFile(await launcherForTest(), await flashAndBeep({ seconds: 13 }));
const plan: Plan = buildPlan(source, DEFAULT_PLAN_SETTINGS, "test");

function track(trackId: string, timescale: number, durations: readonly number[]): ProducedTrack {
  return {
    trackId,
    initKey: "",
    initBytes: 0,
    initSha256: "",
    codec: "",
    timescale,
    cells: durations.map((durationTicks, segment) => ({
      key: "",
      segment,
      bytes: 0,
      sha256: "",
      durationTicks,
      keyframes: [],
    })),
  };
}

/** What the plan asks for, as it should come out. */
function whole(): Map<string, ProducedTrack> {
  const { timeline } = plan;
  const pictures = Array.from(
    { length: segmentCount(timeline) },
    (_, segment) => segmentFrames(timeline, segment).frameCount * timeline.ticksPerFrame,
  );
  const sounds = audioSegmentFrames(timeline, 48_000, 1024).map(({ frameCount }) => frameCount * 1024);
  return new Map([
    ...allRungs(plan).map(({ id }) => [id, track(id, timeline.timescale, pictures)] as const),
    ...plan.audio.map(
      ({ id }) => [id, { ...track(id, 48_000, sounds), loudnessLufs: -16.1, aimedLufs: -16 }] as const,
    ),
  ]);
}

function failures(tracks: ReadonlyMap<string, ProducedTrack>, of: Source = source): string[] {
  return checkOutput(plan, of, tracks)
    .filter(({ verdict }) => verdict === "fail")
    .map(({ part, check }) => `${part} ${check}`);
}

test("what came out as planned has no fault", () => assert.deepEqual(failures(whole()), []));

const top = allRungs(plan)[0]!.id;
for (const [name, breaking, expected] of [
  ["a rung that was not made", (tracks) => tracks.delete(top), ["package tracks"]],
  ["a sound that was not made", (tracks) => tracks.delete("a0"), ["package tracks"]],
  [
    "a segment that is a frame short",
    (tracks) => (tracks.get(top)!.cells[0]!.durationTicks -= plan.timeline.ticksPerFrame),
    [`${top} frames`],
  ],
  [
    "a rung that lacks its last segment",
    (tracks) => tracks.get(top)!.cells.pop(),
    [`${top} duration`, `${top} frames`],
  ],
  ["sound that ends early", (tracks) => tracks.get("a0")!.cells.pop(), ["a0 duration"]],
  ["sound above the target", (tracks) => (tracks.get("a0")!.loudnessLufs = -14.5), ["a0 loudness"]],
  [
    "sound below what its gain was to make of it",
    (tracks) => (tracks.get("a0")!.loudnessLufs = -18),
    ["a0 loudness"],
  ],
] as const satisfies readonly (readonly [
  string,
  (tracks: Map<string, ProducedTrack>) => unknown,
  readonly string[],
])[]) {
  test(`${name} is found`, () => {
    const tracks = whole();
    breaking(tracks);
    assert.deepEqual(failures(tracks), expected);
  });
}

test("a sound of the master that has no track is found; one that must stay below the target is none", () => {
  const extra = { ...source.audio[0]!, streamIndex: 7, language: "fr" };
  assert.deepEqual(failures(whole(), { ...source, audio: [...source.audio, extra] }), ["package tracks"]);
  const tracks = whole();
  Object.assign(tracks.get("a0")!, { loudnessLufs: -24, aimedLufs: -24.2 });
  assert.deepEqual(failures(tracks), []);
  Object.assign(tracks.get("a0")!, { loudnessLufs: -20, aimedLufs: null });
  assert.deepEqual(failures(tracks), [], "a limiter took what it had to");
});
