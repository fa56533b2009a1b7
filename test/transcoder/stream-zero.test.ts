import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { buildPlan, DEFAULT_PLAN_SETTINGS } from "../../core/plan.ts";
import { AS_IT_IS, audioRecipe } from "../../transcoder/audio-recipe.ts";
import { assemble } from "../../transcoder/ffmpeg-command.ts";
import { launcherForTest, probeFile } from "../rig/launcher.ts";
import { made } from "../rig/media.ts";
import { bars } from "../rig/odd-media.ts";

const LIMITS = { wallSeconds: 120, cpuSeconds: 30, outputBytes: 16 * 2 ** 20 };
const RATE_HZ = 48_000;

test("sound that begins late in a stream whose clock may jump is as late in what is made of it", async () => {
  const launcher = await launcherForTest();
  const picture = await bars({ seconds: 3, size: "64x64", audio: false });
  for (const extension of ["ts", "mpg", "mkv"]) {
    const codec = extension === "mpg" ? ["-c:v", "mpeg2video", "-q:v", "4"] : ["-c:v", "copy"];
    const source = await made(extension, [
      ...["-i", picture, "-itsoffset", "1.5", "-f", "lavfi", "-i", "sine=f=440:r=48000:d=1.5"],
      ...["-map", "0:v", "-map", "1:a", ...codec, "-c:a", "mp2", "{out}"],
    ]);
    const described = await probeFile(launcher, source);
    const plan = buildPlan(described, DEFAULT_PLAN_SETTINGS, launcher.build);
    const out = await mkdtemp(join(tmpdir(), "matinee-stream-zero-"));
    const run = async (args: readonly string[], from: string): Promise<void> => {
      const outcome = await launcher.run({
        program: "ffmpeg",
        args,
        source: from,
        outputDirectory: out,
        limits: LIMITS,
      });
      assert.equal(outcome.exitCode, 0, outcome.stderrTail);
    };
    await run(assemble(audioRecipe(described, plan.timeline, plan.audio[0]!, AS_IT_IS)), source);
    const raw = ["-f", "s16le", "-ac", "1", "-ar", String(RATE_HZ), "/out/raw"];
    await run(["-nostdin", "-v", "error", "-i", "/in/source", ...raw], join(out, "audio.mp4"));
    const bytes = await readFile(join(out, "raw"));
    const samples = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
    const beginsAt = samples.findIndex((sample) => Math.abs(sample) > 1_000) / RATE_HZ;
    // A frame of the encoder on either side; the container's own clock may be off by its muxer's rounding.
    assert.ok(Math.abs(beginsAt - 1.5) < 0.045, `${extension}: sound begins at ${beginsAt} s`);
    await rm(out, { recursive: true });
  }
});
