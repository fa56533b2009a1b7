import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Ending, runProcess } from "./process-group.ts";
import { bareArgv, bubblewrapArgv, SELF_TEST_SCRIPT, type Wrapping } from "./sandbox.ts";

/** Limits of one run. Reaching one ends it with `ending: "limit"`. */
export interface RunLimits {
  wallSeconds: number;
  cpuSeconds: number;
  /** Largest file it may write (RLIMIT_FSIZE). */
  outputBytes: number;
  /** Address space; decoders reserve far more than they use, so never below 4 GiB. */
  memoryBytes?: number;
}

/** One run: program and arguments as fixed arrays; `/in/source` and `/out/…` are the only paths they may name. */
export interface RunRequest {
  program: "ffmpeg" | "ffprobe";
  args: readonly string[];
  source?: string;
  outputDirectory?: string;
  limits: RunLimits;
  onProgress?: (progress: { frame: number | null; outTimeSeconds: number | null }) => void;
  signal?: AbortSignal;
}

export interface RunOutcome {
  /** How it ended: by itself, killed from outside, at a limit, or because `signal` was aborted. */
  ending: Ending;
  exitCode: number;
  stdout: string;
  stderrTail: string;
  /** User and system time of the whole process tree. */
  cpuSeconds: number;
  wallSeconds: number;
  /** The program and its arguments, without the wrapping. */
  argv: string[];
  /** What was really run, quoted for a shell. */
  shellLine: string;
}

export interface Launcher {
  run(request: RunRequest): Promise<RunOutcome>;
  /** Whether runs are contained, and in words what is missing where they are not. */
  state: { sandboxed: boolean; detail: string };
  /** The encoder's build, part of every plan. */
  build: string;
}

export interface LauncherSettings {
  ffmpegPath: string;
  ffprobePath: string;
  /** null where there is none: runs are then not contained, which readiness shows. */
  bwrapPath: string | null;
  prlimitPath: string | null;
  setprivPath: string | null;
}

const DEFAULT_MEMORY_BYTES = 6 * 2 ** 30;
/** Encoding yields to everything that answers people. */
const NICENESS = 10;

/**
 * Opens the one place from which ffmpeg and ffprobe are started. Tests the sandbox from inside first; a sandbox
 * that leaks or does not start is not used, and `state` says so. Throws where ffmpeg itself does not run.
 */
export async function openLauncher(settings: LauncherSettings): Promise<Launcher> {
  const state = await testSandbox(settings);
  const bwrapPath = state.sandboxed ? settings.bwrapPath : null;
  const run = (request: RunRequest): Promise<RunOutcome> => launch(settings, bwrapPath, request);
  const version = await run({
    program: "ffmpeg",
    args: ["-hide_banner", "-version"],
    limits: { wallSeconds: 20, cpuSeconds: 10, outputBytes: 0 },
  });
  if (version.exitCode !== 0)
    throw new Error(`ffmpeg does not run: ${version.shellLine}\n${version.stderrTail}`);
  return { run, state, build: version.stdout.split("\n")[0]?.trim() ?? "unknown" };
}

async function launch(
  settings: LauncherSettings,
  bwrapPath: string | null,
  request: RunRequest,
): Promise<RunOutcome> {
  const programPath = request.program === "ffmpeg" ? settings.ffmpegPath : settings.ffprobePath;
  const args = request.onProgress === undefined ? request.args : [...PROGRESS_OPTIONS, ...request.args];
  const wrapping: Wrapping = {
    programPath,
    args,
    sourceFile: request.source,
    outputDirectory: request.outputDirectory,
  };
  const inner = bwrapPath === null ? bareArgv(wrapping) : bubblewrapArgv(bwrapPath, wrapping);
  const outcome = await runProcess({
    argv: [...outerArgv(settings, request.limits), ...inner],
    parentDeathPath: settings.setprivPath,
    wallSeconds: request.limits.wallSeconds,
    signal: request.signal,
    onStdoutLine: request.onProgress === undefined ? undefined : progressReader(request.onProgress),
  });
  return { ...outcome, argv: [request.program, ...request.args] };
}

/** Key=value lines on stdout, twice a second, instead of the status line on stderr. */
const PROGRESS_OPTIONS = ["-nostats", "-progress", "pipe:1", "-stats_period", "0.5"];

function outerArgv(settings: LauncherSettings, limits: RunLimits): string[] {
  const nice = ["nice", "-n", String(NICENESS)];
  if (settings.prlimitPath === null) return nice;
  return [
    ...nice,
    settings.prlimitPath,
    `--cpu=${limits.cpuSeconds}`,
    `--fsize=${limits.outputBytes}`,
    `--as=${limits.memoryBytes ?? DEFAULT_MEMORY_BYTES}`,
    "--core=0",
    "--nofile=256",
    "--",
  ];
}

/** ffmpeg's -progress output: one block of lines every half second. */
function progressReader(onProgress: NonNullable<RunRequest["onProgress"]>): (line: string) => void {
  let frame: number | null = null;
  let outTimeSeconds: number | null = null;
  return (line) => {
    const [key, value] = line.split("=");
    if (key === "frame") frame = Number(value);
    if (key === "out_time_us" && value !== "N/A") outTimeSeconds = Number(value) / 1e6;
    if (key === "progress") onProgress({ frame, outTimeSeconds });
  };
}

async function testSandbox(settings: LauncherSettings): Promise<Launcher["state"]> {
  if (settings.bwrapPath === null) return { sandboxed: false, detail: "bubblewrap is not installed" };
  const outputDirectory = await mkdtemp(join(tmpdir(), "matinee-self-test-"));
  const listener = createServer((socket) => socket.destroy());
  try {
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const address = listener.address();
    const port = typeof address === "object" && address !== null ? String(address.port) : "0";
    const wrapping: Wrapping = {
      programPath: "/usr/bin/bash",
      args: ["-c", SELF_TEST_SCRIPT, "self-test", port],
      sourceFile: undefined,
      outputDirectory,
    };
    const limits = { cpuSeconds: 10, outputBytes: 2 ** 20, wallSeconds: 20 };
    const outcome = await runProcess({
      argv: [...outerArgv(settings, limits), ...bubblewrapArgv(settings.bwrapPath, wrapping)],
      parentDeathPath: settings.setprivPath,
      wallSeconds: limits.wallSeconds,
    });
    if (outcome.exitCode === 0 && outcome.stdout.trim() === "contained")
      return { sandboxed: true, detail: "contained" };
    return {
      sandboxed: false,
      detail: (outcome.stdout || outcome.stderrTail).trim().slice(-300) || "the sandbox does not start",
    };
  } finally {
    listener.close();
    await rm(outputDirectory, { recursive: true, force: true });
  }
}
