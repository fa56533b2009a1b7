import { stat } from "node:fs/promises";
import type { SampleTrack } from "../../core/sample-table.ts";
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
export function probeFile(launcher: Launcher, path: string, runs: RunOutcome[] = []): Promise<Source> {
  return probe(launcher, path, runs, null);
}

/** The same of a file that lists its samples, by that list where it has one. */
export async function probeByIndex(
  launcher: Launcher,
  path: string,
  runs: RunOutcome[] = [],
): Promise<Source> {
  return probe(launcher, path, runs, await samplesOf(path));
}

async function probe(
  launcher: Launcher,
  path: string,
  runs: RunOutcome[],
  tables: readonly SampleTrack[] | null,
): Promise<Source> {
  const file = { sizeBytes: (await stat(path)).size, sha256: null };
  const note = (run: RunOutcome) => void runs.push(run);
  return probeSource(launcher, path, file, new AbortController().signal, note, { tables });
}

/** Every sample of every track of a file that is all there; null where it does not list them. */
export async function samplesOf(path: string): Promise<readonly SampleTrack[] | null> {
  const file = { path, sizeBytes: (await stat(path)).size, fill: async () => undefined };
  return (await readSourceIndex(file, new AbortController().signal))?.tracks ?? null;
}
