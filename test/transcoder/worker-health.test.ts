import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Launcher } from "../../transcoder/launcher.ts";
import { availableCodecs } from "../../transcoder/require-encoders.ts";
import type { Workshop } from "../../transcoder/task-context.ts";
import { dependencies } from "../../transcoder/worker-health.ts";
import { launcherForTest } from "../rig/launcher.ts";

const folder = await mkdtemp(join(tmpdir(), "matinee-health-"));
after(() => rm(folder, { recursive: true, force: true }));

/** An ffmpeg that does `first` where it is asked for its encoders, and lists those that every title needs. */
async function ffmpegThat(name: string, first: string): Promise<string> {
  const path = join(folder, name);
  const list = 'echo " V libx264 H.264"; echo " A aac AAC"; echo " V mjpeg MJPEG"';
  const script = `#!/bin/bash\n[ "$2" = -encoders ] || exit 0\n${first}\n${list}\n`;
  await writeFile(path, script, { mode: 0o755 });
  return path;
}

test("readiness asks a slow ffmpeg once however many ask meanwhile, and its answer is there for the last of them", async () => {
  const path = await ffmpegThat(
    "slow",
    `while [ ! -e ${join(folder, "go")} ]; do read -t 0.05 <> <(:); done`,
  );
  const real = await launcherForTest({ ffmpegPath: path, bwrapPath: null });
  let timesAsked = 0;
  const run: Launcher["run"] = (request) => {
    timesAsked++;
    return real.run(request);
  };
  const launcher = { ...real, run };
  const workshop = { launcher, recentAv1: null, hardware: { family: null, detail: "none" } };
  const { check } = dependencies(workshop as unknown as Workshop, null as never).find(
    ({ name }) => name === "ffmpeg",
  )!;
  const first = check();
  const later = check();
  await writeFile(join(folder, "go"), "");
  const said = await Promise.all([first, later]);
  for (const one of said) assert.match(one, /makes h264; in hardware: none/);
  assert.equal(timesAsked, 1);
  await check();
  assert.equal(timesAsked, 2, "nothing is remembered");
});

test("an ffmpeg that is ended before it has listed its encoders lacks none: it is asked again", async () => {
  const path = await ffmpegThat("killed", "kill -9 $$");
  const launcher = await launcherForTest({ ffmpegPath: path, bwrapPath: null });
  await assert.rejects(availableCodecs(launcher, null), { failureClass: "transient" });
});
