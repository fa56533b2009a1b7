import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { buildPlan, DEFAULT_PLAN_SETTINGS } from "../../core/plan.ts";
import { AUDIO_FILE, audioRecipe, loudnessRecipe } from "../../transcoder/audio-recipe.ts";
import { assemble, type FfmpegRecipe } from "../../transcoder/ffmpeg-command.ts";
import type { Launcher } from "../../transcoder/launcher.ts";
import { readLoudness } from "../../transcoder/loudness.ts";
import { launcherForTest, probeFile } from "../rig/launcher.ts";
import { made } from "../rig/media.ts";

let launcher: Launcher;
let folder: string;
before(async () => {
  launcher = await launcherForTest();
  folder = await mkdtemp(join(tmpdir(), "matinee-audio-recipe-"));
});
after(() => rm(folder, { recursive: true, force: true }));

/** Noise, then nothing at all, then noise again. */
const film = (): Promise<string> =>
  made("mkv", [
    ...["-f", "lavfi", "-i", "testsrc2=size=160x96:rate=10:duration=24"],
    ...["-f", "lavfi", "-i", "anoisesrc=d=24:c=pink:r=48000:a=0.2"],
    ...["-af", "volume=0:enable='between(t,2,20)'", "-c:v", "libx264", "-preset", "ultrafast"],
    ...["-c:a", "pcm_s16le", "-ac", "2", "{out}"],
  ]);

/** The same without what keeps the meter's arithmetic from slowing down in silence. */
const bare = (recipe: FfmpegRecipe): FfmpegRecipe => ({
  ...recipe,
  filterGraph: recipe.filterGraph!.replaceAll("adenorm=type=ac,", ""),
});

async function outcomeOf(path: string, recipe: FfmpegRecipe) {
  const outputDirectory = await mkdtemp(join(folder, "out-"));
  const limits = { wallSeconds: 120, cpuSeconds: 120, outputBytes: 2 ** 26 };
  const run = await launcher.run({
    ...{ program: "ffmpeg", args: assemble(recipe), source: path, outputDirectory, limits },
  });
  assert.equal(run.exitCode, 0, run.stderrTail);
  const file = await readFile(join(outputDirectory, AUDIO_FILE.replace("/out/", ""))).catch(() => null);
  return {
    loudness: readLoudness(run.stderrTail),
    digest: file && createHash("sha256").update(file).digest("hex"),
  };
}

test("what the meter is given in digital silence changes neither what it says nor a byte that is encoded", async () => {
  const path = await film();
  const source = await probeFile(launcher, path);
  const { timeline, audio } = buildPlan(source, DEFAULT_PLAN_SETTINGS, launcher.build);
  const [track] = audio;
  const change = { gainDb: 3, isLimited: true };
  for (const recipe of [
    loudnessRecipe(source, timeline, track!),
    audioRecipe(source, timeline, track!, change),
  ]) {
    assert.match(recipe.filterGraph!, /adenorm=type=ac,ebur128/, "a meter by itself takes ages over silence");
    const outcome = await outcomeOf(path, recipe);
    assert.notEqual(outcome.loudness, null);
    assert.deepEqual(outcome, await outcomeOf(path, bare(recipe)));
  }
});
