import { stat } from "node:fs/promises";
import type { Source } from "../../core/source.ts";
import {
  type Launcher,
  type LauncherSettings,
  openLauncher,
  type RunOutcome,
} from "../../transcoder/launcher.ts";
import { probeSource } from "../../transcoder/probe.ts";
import { readSourceIndex } from "../../transcoder/source-index.ts";

/** The launcher as the transcoder opens it on this machine, but for what a test changes. */
export function launcherForTest(changes: Partial<LauncherSettings> = {}): Promise<Launcher> {
  return openLauncher({
    ffmpegPath: process.env.MATINEE_FFMPEG_PATH ?? "/usr/bin/ffmpeg",
    ffprobePath: process.env.MATINEE_FFPROBE_PATH ?? "/usr/bin/ffprobe",
    bwrapPath: (process.env.MATINEE_BWRAP_PATH ?? "/usr/bin/bwrap") || null,
    scorerPath: process.env.MATINEE_VMAF_FFMPEG_PATH || null,
    prlimitPath: "/usr/bin/prlimit",
    setprivPath: "/usr/bin/setpriv",
    ...changes,
  });
}

/** Probes a file as the transcoder does one without an index; `runs` takes every program that was started for it. */
export async function probeFile(launcher: Launcher, path: string, runs: RunOutcome[] = []): Promise<Source> {
  const { size } = await stat(path);
  const file = { sizeBytes: size, sha256: null };
  return probeSource(launcher, path, file, new AbortController().signal, (run) => runs.push(run));
}

/** The same of a file that lists its samples, by that list where it has one. */
export async function probeByIndex(
  launcher: Launcher,
  path: string,
  runs: RunOutcome[] = [],
): Promise<Source> {
  const { signal } = new AbortController();
  const { size } = await stat(path);
  const index = await readSourceIndex({ path, sizeBytes: size, fill: async () => undefined }, signal);
  const file = { sizeBytes: size, sha256: null };
  return probeSource(launcher, path, file, signal, (run) => runs.push(run), index?.tracks ?? null);
}
