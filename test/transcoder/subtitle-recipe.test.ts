import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { rational } from "../../core/rational.ts";
import { arrangeCues, segmentBordersMs } from "../../core/subtitle-cues.ts";
import { parseWebVtt } from "../../core/subtitle-parse.ts";
import { segmentTexts, wholeText } from "../../core/subtitle-write.ts";
import { buildTimeline } from "../../core/timeline.ts";
import { assemble } from "../../transcoder/ffmpeg-command.ts";
import { SUBTITLE_FILE, sidecarTextRecipe } from "../../transcoder/subtitle-recipe.ts";
import { HOSTILE, harmIn } from "../rig/hostile-subtitles.ts";
import { launcherForTest } from "../rig/launcher.ts";

test("T10: hostile SubRip and ASS come out of the sandbox as text and no more", async () => {
  const launcher = await launcherForTest();
  const folder = await mkdtemp(join(tmpdir(), "matinee-hostile-"));
  const borders = segmentBordersMs(buildTimeline(rational(24, 1), 24 * 13));
  const texts = HOSTILE.flatMap(({ name, format, text }) =>
    format === "vtt" ? [] : [{ name, format, text }],
  );
  assert.equal(texts.length, 8);
  try {
    for (const { name, format, text } of texts) {
      const source = join(folder, "text");
      await writeFile(source, text);
      const run = await launcher.run({
        program: "ffmpeg",
        args: assemble(sidecarTextRecipe(format)),
        source,
        outputDirectory: folder,
        limits: { wallSeconds: 60, cpuSeconds: 20, outputBytes: 2 ** 23 },
      });
      assert.equal(run.exitCode, 0, `${name}: ${run.stderrTail}`);
      const made = await readFile(join(folder, SUBTITLE_FILE.replace("/out/", "")), "utf8");
      const cues = arrangeCues(parseWebVtt(made), borders);
      assert.equal(cues.length, 1, `${name}: ${made}`);
      for (const out of [wholeText(cues), ...segmentTexts(cues, borders)])
        assert.deepEqual(harmIn(out), [], name);
      assert.ok(!/root:|:0:0:/.test(made), `${name}: no file of this machine is in it`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
