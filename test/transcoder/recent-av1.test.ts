import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { buildPlan, DEFAULT_PLAN_SETTINGS, type PlanSettings, recentBuildFor } from "../../core/plan.ts";
import { trialLadders, trialWindows } from "../../core/title-analysis.ts";
import { encodingProgram, findRecentAv1 } from "../../transcoder/recent-av1.ts";
import { complaintsIn } from "../../transcoder/source-window.ts";
import { trialRecipe } from "../../transcoder/trial-recipe.ts";
import { videoRecipe } from "../../transcoder/video-recipe.ts";
import { launcherForTest } from "../rig/launcher.ts";
import { sourceOf } from "../rig/plain-source.ts";

/** Which of a machine's ffmpegs makes AV1, what a plan says of it, and who may do such a plan's chunks. */

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "matinee-recent-av1-"));
});
after(() => rm(folder, { recursive: true, force: true }));

/** An ffmpeg that says these versions and does nothing; null: one without the encoder. */
async function saying(name: string, encoder: string | null): Promise<string> {
  const path = join(folder, name);
  const said = `echo "ffmpeg version ${name} Copyright" >&2\n`;
  const made =
    encoder === null ? "exit 1" : `echo "Svt[info]: SVT [version]:\tSVT-AV1 Encoder Lib ${encoder}" >&2`;
  await writeFile(path, `#!/bin/sh\n${said}case "$*" in *libsvtav1*) ${made};; esac\n`, { mode: 0o755 });
  return path;
}

test("the newest encoder is taken, from version 4 on, and at a tie that of what encodes the rest", async () => {
  const rows: [string, string | null, string | null, object | null][] = [
    ["both old", "v1.4.1", "v3.1.2", null],
    ["none has one", null, null, null],
    [
      "the scorer's",
      "v1.4.1",
      "v4.2.0-151-g5ed9ffbcb",
      { program: "scorer", encoder: "4.2.0-151-g5ed9ffbcb" },
    ],
    ["the encoder's own", "v4.2.0", null, { program: "ffmpeg", encoder: "4.2.0" }],
    ["a tie", "v4.2.0", "v4.2.0", { program: "ffmpeg", encoder: "4.2.0" }],
    ["by numbers and not by letters", "v4.9.0", "v4.10.0-rc1", { program: "scorer", encoder: "4.10.0-rc1" }],
  ];
  for (const [index, [what, own, scorers, wanted]] of rows.entries()) {
    const launcher = await launcherForTest({
      ffmpegPath: await saying(`own${index}`, own),
      scorerPath: await saying(`scorer${index}`, scorers),
      bwrapPath: null,
    });
    const found = await findRecentAv1(launcher);
    const [, encoder] = /^ffmpeg \S+, SVT-AV1 (\S+)$/.exec(found?.build ?? "") ?? [];
    assert.deepEqual(found && { program: found.program, encoder }, wanted, what);
  }
});

test("the real ffmpegs of this machine name their builds, and talk of settings is no complaint about a file", async () => {
  const launcher = await launcherForTest();
  const found = await findRecentAv1(launcher);
  if (found !== null) assert.match(found.build, /^ffmpeg \S+, SVT-AV1 \d+\.\d+/);
  const run = await launcher.run({
    program: found?.program ?? "ffmpeg",
    args: ["-nostdin", "-hide_banner", "-v", "error", "-f", "lavfi", "-i", "color=s=64x64:d=0.2", ...SVT],
    limits: { wallSeconds: 60, cpuSeconds: 10, outputBytes: 0 },
  });
  assert.match(run.stderrTail, /^Svt\[info\]/m);
  assert.deepEqual(complaintsIn(run.stderrTail), []);
  assert.deepEqual(complaintsIn("Svt[error]: no"), ["Svt[error]: no"]);
});

const SVT = ["-c:v", "libsvtav1", "-preset", "10", "-f", "null", "-"];
const BUILD = "ffmpeg n9, SVT-AV1 4.2.0";
const SOURCE = sourceOf(1920, 1080, 24 * 120, 0);

function planned(
  recentAv1Build: string | null,
  more: Partial<PlanSettings["encoding"]> = {},
  source = SOURCE,
) {
  const encoding = { codecs: ["h264" as const, "av1" as const], ...more };
  return buildPlan(source, { ...DEFAULT_PLAN_SETTINGS, recentAv1Build, encoding }, "b");
}

test("a plan names the build of its AV1 in that ladder alone, with a preset of its own", () => {
  const plain = planned(null);
  const plan = planned(BUILD);
  const [h264, av1] = plan.ladders;
  assert.deepEqual(
    { ...plan, ladders: [h264, plain.ladders[1]] },
    plain,
    "what is not AV1 keeps its bytes' names",
  );
  assert.deepEqual(av1, { ...plain.ladders[1], encoder: { build: BUILD, preset: "9" } });
  const presets = (width: number, height: number) =>
    (["fast", "balanced", "small"] as const).map(
      (speed) => planned(BUILD, { speed }, sourceOf(width, height, 240, 0)).ladders[1]?.encoder?.preset,
    );
  assert.deepEqual(presets(1920, 1080), ["9", "7", "5"]);
  assert.deepEqual(presets(1080, 1920), ["9", "7", "5"]);
  assert.deepEqual(presets(3840, 2160), ["9", "9", "8"]);
});

test("chunks and trials of it are encoded by that build, and no worker without it takes one", () => {
  const plan = planned(BUILD);
  const av1 = plan.ladders[1]!;
  const { encoder } = av1;
  const ladders = trialLadders(1920, 1080, "av1", encoder);
  const chunk = videoRecipe(SOURCE, plan, av1, plan.chunks[0]!);
  const trial = trialRecipe(SOURCE, plan, ladders, trialWindows(plan.timeline, null)[0]!);
  for (const { outputs } of [chunk, trial])
    for (const { options } of outputs) assert.match(options.join(" "), /libsvtav1 -preset 9 /);
  const here = { recentAv1: { program: "scorer" as const, build: BUILD } };
  assert.equal(encodingProgram(here, av1), "scorer");
  assert.equal(encodingProgram(here, ladders.wholes), "scorer");
  assert.equal(encodingProgram(here, plan.ladders[0]!), "ffmpeg");
  assert.throws(() => encodingProgram({ recentAv1: null }, av1), /does not have/);
  const needed = (kind: string, part: string) => recentBuildFor({ kind, part }, plan);
  assert.deepEqual(
    [needed("video", "av1"), needed("video", "h264"), needed("score", "av1"), needed("audio", "a0")],
    [BUILD, null, null, null],
  );
});
