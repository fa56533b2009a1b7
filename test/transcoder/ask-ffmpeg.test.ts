import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { startTranscoder } from "../../transcoder/app.ts";
import { askFfmpeg, listOf } from "../../transcoder/ask-ffmpeg.ts";
import { readConfig } from "../../transcoder/config.ts";
import type { Launcher, RunOutcome } from "../../transcoder/launcher.ts";
import { findRecentAv1 } from "../../transcoder/recent-av1.ts";
import { canScore } from "../../transcoder/require-encoders.ts";
import { launcherForTest } from "../rig/launcher.ts";
import { environmentOf } from "../rig/product.ts";

const folder = await mkdtemp(join(tmpdir(), "matinee-ask-"));
const NOBODY = { viewer: "", editor: "", admin: "" };
const NOWHERE = "http://127.0.0.1:9";
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
    const launcher = await launcherForTest({ scorerPath: await script(name, lines), bwrapPath: null });
    if (wanted instanceof RegExp) await assert.rejects(canScore(launcher), wanted, name);
    else assert.equal(await canScore(launcher), wanted, name);
  }
});

test("a build that did not come to answer in time is asked again and not held for one without AV1", async () => {
  const late = { ending: "limit", limit: "wall", exitCode: 1, shellLine: "ffmpeg" } as RunOutcome;
  const launcher: Pick<Launcher, "run" | "hasOwnScorer"> = { run: async () => late, hasOwnScorer: false };
  const again = { failureClass: "transient", code: "internal" };
  await assert.rejects(findRecentAv1(launcher), again);
  await assert.rejects(askFfmpeg(launcher, "ffmpeg", []), again);
  await assert.rejects(listOf(launcher, "ffmpeg", "-encoders"), again);
});

/**
 * The real ffmpeg, which leaves an empty file for each start, named by what it was asked: it may write none with something in it. What a
 * machine's devices are tried with is not noted.
 */
async function noting(name: string): Promise<{ path: string; asked: () => Promise<string[]> }> {
  const notes = join(folder, `${name}-asked`);
  await mkdir(notes);
  const note = `[[ "$*" == *h264_* ]] || : >"${notes}/$$ $*"`;
  const path = await script(
    name,
    `${note}\nexec ${process.env.MATINEE_FFMPEG_PATH ?? "/usr/bin/ffmpeg"} "$@"`,
  );
  const asked = async (): Promise<string[]> =>
    (await readdir(notes)).map((note) => /libsvtav1|-\w+$/.exec(note)?.[0] ?? note).sort();
  return { path, asked };
}

test("a worker's start asks each program what it needs once, and no program twice", async () => {
  const rows: [string, boolean, "sample" | "off", { own: string[]; scorers: string[] }][] = [
    ["alone", false, "sample", { own: ["-filters", "libsvtav1"], scorers: [] }],
    ["beside", true, "sample", { own: ["-filters", "libsvtav1"], scorers: ["-filters", "libsvtav1"] }],
    ["unscored", true, "off", { own: ["-filters", "libsvtav1"], scorers: ["libsvtav1"] }],
  ];
  for (const [name, hasScorer, vmaf, wanted] of rows) {
    const [own, scorers] = [await noting(name), await noting(`${name}-scorer`)];
    const environment = {
      ...{ MATINEE_FFMPEG_PATH: own.path, MATINEE_VMAF_FFMPEG_PATH: hasScorer ? scorers.path : "" },
      // Neither program lies where a sandbox would find it.
      ...{ MATINEE_VMAF: vmaf, MATINEE_BWRAP_PATH: "", MATINEE_ALLOW_UNSANDBOXED: "yes" },
      MATINEE_LOG_LEVEL: "silent",
    };
    const [id, scratch] = [`ask-${name}-${process.pid}`, join(folder, "scratch")];
    const told = environmentOf(id, scratch, NOBODY, NOWHERE, NOWHERE, { slots: 1, environment });
    const transcoder = await startTranscoder(readConfig(told));
    await transcoder.stop();
    assert.deepEqual({ own: await own.asked(), scorers: await scorers.asked() }, wanted, name);
  }
});

test("a build is known of an ffmpeg that hides its banner, too", async () => {
  const says = 'case "$*" in *-version) echo "ffmpeg version of its own";; esac';
  const launcher = await launcherForTest({ ffmpegPath: await script("hiding", says), bwrapPath: null });
  assert.equal(launcher.build, "ffmpeg version of its own");
});
