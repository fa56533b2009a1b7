import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { askFfmpeg, listOf } from "../../transcoder/ask-ffmpeg.ts";
import type { Launcher, RunOutcome } from "../../transcoder/launcher.ts";
import { findRecentAv1 } from "../../transcoder/recent-av1.ts";
import { launcherForTest } from "../rig/launcher.ts";

const folder = await mkdtemp(join(tmpdir(), "matinee-ask-"));
after(() => rm(folder, { recursive: true, force: true }));

async function script(name: string, lines: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/bash\n${lines}\n`, { mode: 0o755 });
  return path;
}

test("a scorer that is ended before it has listed its filters is not one without VMAF", async () => {
  const rows: [string, string, boolean | RegExp][] = [
    ["with", 'echo " ..  libvmaf  VV->V"', true],
    ["without", 'echo " ..  ssim  VV->V"', false],
    ["unable", "exit 3", false],
    ["cut", 'echo " ..  ssim  VV->V"; kill -9 $$', /did not come to answer/],
  ];
  for (const [name, lines, wanted] of rows) {
    const opening = launcherForTest({ scorerPath: await script(name, lines), bwrapPath: null });
    if (wanted instanceof RegExp) await assert.rejects(opening, wanted, name);
    else assert.equal((await opening).canScore, wanted, name);
  }
});

test("a build that did not come to answer in time is asked again and not held for one without AV1", async () => {
  const late = { ending: "limit", limit: "wall", exitCode: 1, shellLine: "ffmpeg" } as RunOutcome;
  const launcher: Pick<Launcher, "run"> = { run: async () => late };
  const again = { failureClass: "transient", code: "internal" };
  await assert.rejects(findRecentAv1(launcher), again);
  await assert.rejects(askFfmpeg(launcher, "ffmpeg", []), again);
  await assert.rejects(listOf(launcher, "ffmpeg", "-encoders"), again);
});
