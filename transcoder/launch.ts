import type { LauncherSettings, Progress, RunLimits, RunOutcome, RunRequest } from "./launcher.ts";
import type { MemoryGroups } from "./memory-group.ts";
import { quoted, runProcess, watched } from "./process-group.ts";
import { reachedLimit } from "./run-limit.ts";
import { bareArgv, bubblewrapArgv, type Sandbox, type Wrapping } from "./sandbox.ts";

/** One run of a media tool: its limits, its sandbox, what it says. */

const DEFAULT_MEMORY_BYTES = 6 * 2 ** 30;

/** What one encode of a 4K picture in all its rungs holds, with room. */
export const DEFAULT_RESIDENT_BYTES = 3 * 2 ** 30;

/** Encoding yields to everything that answers people. */
const DEFAULT_NICENESS = 10;

export async function launch(
  settings: LauncherSettings,
  programPath: string,
  sandbox: Sandbox | null,
  groups: MemoryGroups | null,
  request: RunRequest,
): Promise<RunOutcome> {
  const { limits, onProgress } = request;
  const wrapping: Wrapping = {
    programPath,
    args: onProgress === undefined ? request.args : [...PROGRESS_OPTIONS, ...request.args],
    sourceFile: request.source,
    outputDirectory: request.outputDirectory,
    devices: request.devices ?? [],
  };
  const outer = outerArgv(settings, limits, request.niceness ?? DEFAULT_NICENESS);
  const argvIn = (place: Sandbox | null): string[] => [
    ...outer,
    ...(place === null ? bareArgv(settings.setprivPath, wrapping) : bubblewrapArgv(place, wrapping)),
  ];
  const argv = argvIn(sandbox);
  const limitOf = await reachedLimit(limits.cpuSeconds);
  const group = await groups?.open(residentLimit(settings, limits));
  const held = group?.entered(argv) ?? argv;
  let memory: { kills: number; peakBytes: number | null } | undefined;
  const outcome = await runProcess({
    argv: sandbox === null ? held : watched(held),
    parentDeathPath: settings.setprivPath,
    wallSeconds: limits.wallSeconds,
    prelude: sandbox?.systemCallFilter ?? null,
    signal: request.signal,
    onStdoutLine: onProgress === undefined ? request.onStdoutLine : progressReader(onProgress),
    onStderrLine: request.onStderrLine,
  }).finally(async () => {
    memory = await group?.close();
  });
  const limit = await limitOf(outcome, memory?.kills ?? null);
  return {
    ...outcome,
    ending: limit === null ? outcome.ending : "limit",
    limit,
    peakMemoryBytes: memory?.peakBytes ?? null,
    argv: [request.program, ...request.args],
    // A filter comes through a descriptor that nobody has who types.
    shellLine: quoted(argvIn(sandbox && { ...sandbox, systemCallFilter: null })),
  };
}

/** Key=value lines on stdout, twice a second, instead of the status line on stderr. */
const PROGRESS_OPTIONS = ["-nostats", "-progress", "pipe:1", "-stats_period", "0.5"];

function outerArgv(settings: LauncherSettings, limits: RunLimits, niceness: number): string[] {
  const nice = ["nice", "-n", String(niceness)];
  if (settings.prlimitPath === null) return nice;
  return [
    ...nice,
    settings.prlimitPath,
    // Soft and hard alike: at the soft one ffmpeg would end as if someone had pressed q, and call it success.
    `--cpu=${limits.cpuSeconds}`,
    `--fsize=${limits.outputBytes}`,
    `--as=${(limits.memoryBytes ?? DEFAULT_MEMORY_BYTES) * classFactor(limits)}`,
    "--core=0",
    "--nofile=256",
    "--",
  ];
}

function residentLimit(settings: LauncherSettings, limits: RunLimits): number {
  const forEncodes = limits.memoryClass === undefined ? undefined : settings.residentBytes;
  const wanted = (limits.residentBytes ?? forEncodes ?? DEFAULT_RESIDENT_BYTES) * classFactor(limits);
  return Math.min(wanted, settings.mostResidentBytes ?? Number.POSITIVE_INFINITY);
}

function classFactor({ memoryClass = 0 }: RunLimits): number {
  return 2 ** memoryClass;
}

/** ffmpeg's -progress output: one block of lines every half second. */
function progressReader(onProgress: (progress: Progress) => void): (line: string) => void {
  const progress: Progress = { frame: null, outTimeSeconds: null, speed: null };
  return (line) => {
    const [key, value = ""] = line.split("=");
    const number = Number.parseFloat(value);
    if (key === "progress") onProgress({ ...progress });
    if (Number.isNaN(number)) return;
    if (key === "frame") progress.frame = number;
    if (key === "out_time_us") progress.outTimeSeconds = number / 1e6;
    if (key === "speed") progress.speed = number;
  };
}
