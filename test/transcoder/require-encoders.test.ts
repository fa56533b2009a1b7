import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { requireScaler } from "../../transcoder/require-encoders.ts";
import { launcherForTest } from "../rig/launcher.ts";

test("a worker whose ffmpeg cannot make pictures smaller says so instead of failing every film", async () => {
  requireScaler(await launcherForTest());
  const folder = await mkdtemp(join(tmpdir(), "matinee-require-"));
  const without = join(folder, "ffmpeg");
  await writeFile(without, "#!/bin/sh\necho ' .S scale             V->V       Scale the input.'\n", {
    mode: 0o755,
  });
  try {
    const launcher = await launcherForTest({ ffmpegPath: without });
    assert.throws(() => requireScaler(launcher), /no zscale.*libzimg/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
