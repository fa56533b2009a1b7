import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readFragments } from "../../core/fragments.ts";
import { splitInit } from "../../core/init-segment.ts";
import { buildPlan, DEFAULT_PLAN_SETTINGS } from "../../core/plan.ts";
import { chunkFrames } from "../../core/timeline.ts";
import { listenToEncoders } from "../../transcoder/encoder-scores.ts";
import { assemble, type FfmpegRecipe } from "../../transcoder/ffmpeg-command.ts";
import {
  readScores,
  readSsim,
  scoreFile,
  screenRecipe,
  ssimFile,
  ssimRecipe,
} from "../../transcoder/score-recipe.ts";
import { rungFile, videoRecipe } from "../../transcoder/video-recipe.ts";
import { launcherForTest, probeFile } from "../rig/launcher.ts";
import { made } from "../rig/media.ts";
import { bars } from "../rig/odd-media.ts";

const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;

test("what is measured by decoding is what the encoder said, in a later chunk too; a frame off shows", async (t) => {
  const launcher = await launcherForTest();
  // Long enough for two chunks, with keyframes where the second may begin.
  const video = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50"];
  const path = await bars({ seconds: 24, audio: false, video });
  const source = await probeFile(launcher, path);
  const plan = buildPlan(source, DEFAULT_PLAN_SETTINGS, launcher.build);
  const [ladder] = plan.ladders;
  const frames = chunkFrames(plan.timeline, plan.chunks[1]!);
  const outputDirectory = await mkdtemp(join(tmpdir(), "matinee-score-"));
  t.after(() => rm(outputDirectory, { recursive: true }));
  const limits = { wallSeconds: 300, cpuSeconds: 120, outputBytes: 2 ** 26 };
  const heard = listenToEncoders();
  const run = async (recipe: FfmpegRecipe): Promise<void> => {
    const request = {
      program: "ffmpeg",
      args: assemble(recipe),
      source: path,
      outputDirectory,
      limits,
    } as const;
    const outcome = await launcher.run({ ...request, onStderrLine: heard.take });
    assert.equal(outcome.exitCode, 0, outcome.stderrTail);
    assert.equal(outcome.stderrTail.includes("frame="), false, "chatter is not kept");
  };
  const measure = async (recipe: FfmpegRecipe): Promise<number[][]> => {
    await run(recipe);
    return Promise.all(
      ladder!.rungs.map(async (_, index) =>
        readSsim(await readFile(join(outputDirectory, ssimFile(index).replace("/out/", "")), "utf8")),
      ),
    );
  };
  await run(videoRecipe(source, plan, ladder!, plan.chunks[1]!));
  const decoded = await measure(ssimRecipe(source, plan, ladder!, frames));
  for (const [index, rung] of ladder!.rungs.entries()) {
    const file = await readFile(join(outputDirectory, rungFile(rung).replace("/out/", "")));
    const sizes = readFragments(splitInit(file).rest).flatMap(({ samples }) =>
      samples.map((one) => one.sizeBytes),
    );
    const said = heard.of(sizes);
    assert.equal(said?.length, frames.frameCount);
    assert.equal(decoded[index]!.length, frames.frameCount);
    assert.ok(
      Math.abs(mean(said!) - mean(decoded[index]!)) < 0.005,
      `${mean(said!)} ${mean(decoded[index]!)}`,
    );
  }
  const early = { firstFrame: frames.firstFrame - 1, frameCount: frames.frameCount };
  const shifted = await measure(ssimRecipe(source, plan, ladder!, early));
  assert.ok(mean(shifted[0]!) < mean(decoded[0]!) - 0.01, "a frame off is seen");
});

const scorer = process.env.MATINEE_VMAF_FFMPEG_PATH;

test("what VMAF is given of a window scores as if it were given all", {
  skip: !scorer && "no ffmpeg with libvmaf here",
}, async (t) => {
  const launcher = await launcherForTest();
  // Everything moves, and differently from frame to frame: its own motion is a good part of each score.
  const path = await made("mp4", [
    ...["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30:duration=4", "-vf", "rotate=PI*t*t"],
    ...["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "{out}"],
  ]);
  const source = await probeFile(launcher, path);
  const plan = buildPlan(source, DEFAULT_PLAN_SETTINGS, launcher.build);
  const ladder = plan.ladders[0]!;
  const outputDirectory = await mkdtemp(join(tmpdir(), "matinee-score-"));
  t.after(() => rm(outputDirectory, { recursive: true }));
  const run = async (program: "ffmpeg" | "scorer", recipe: FfmpegRecipe): Promise<void> => {
    const limits = { wallSeconds: 300, cpuSeconds: 120, outputBytes: 2 ** 26 };
    const outcome = await launcher.run({
      program,
      args: assemble(recipe),
      source: path,
      outputDirectory,
      limits,
    });
    assert.equal(outcome.exitCode, 0, outcome.stderrTail);
  };
  await run("ffmpeg", videoRecipe(source, plan, ladder, plan.chunks[0]!));
  const scoresOf = async (recipe: FfmpegRecipe): Promise<number[][]> => {
    await run("scorer", recipe);
    const read = (index: number) =>
      readFile(join(outputDirectory, scoreFile("vmaf", index).replace("/out/", "")), "utf8");
    return Promise.all(ladder.rungs.map(async (_, index) => readScores("vmaf", await read(index))));
  };
  const all = { firstFrame: 0, frameCount: 30 };
  const recipe = screenRecipe(source, plan, ladder, all, "vmaf");
  const given = await scoresOf(recipe);
  const filterGraph = recipe
    .filterGraph!.replaceAll(/select='[^']*',setpts=N,/g, "")
    .replaceAll(/n_subsample=\d+/g, "n_subsample=1");
  const every = await scoresOf({ ...recipe, filterGraph });
  assert.equal(every[0]!.length, all.frameCount);
  for (const [rung, scores] of given.entries())
    assert.deepEqual(
      scores,
      [0, 7, 14, 21, 28].map((frame) => every[rung]![frame]),
    );
});
