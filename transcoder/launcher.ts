import { askFfmpeg } from "./ask-ffmpeg.ts";
import { launch } from "./launch.ts";
import { findMemoryGroups, type MemoryGroups } from "./memory-group.ts";
import type { Ending } from "./process-group.ts";
import type { RunLimit } from "./run-limit.ts";
import type { Sandbox } from "./sandbox.ts";
import { testSandbox } from "./sandbox-self-test.ts";

/** Limits of one run. Reaching one ends it with `ending: "limit"`. */
export interface RunLimits {
  wallSeconds: number;
  cpuSeconds: number;
  /** Largest file it may write (RLIMIT_FSIZE). */
  outputBytes: number;
  /** Address space; decoders reserve far more than they use, so never below 4 GiB. */
  memoryBytes?: number;
  /** What all processes of the run may hold at once, where the machine can count it (`state.detail` says so). */
  residentBytes?: number;
  /** How often both are doubled: a run that was killed for want of memory is tried again in a larger class. */
  memoryClass?: number;
}

/** `scorer` is an ffmpeg with libvmaf, which need not be the one that encodes. */
export type Program = "ffmpeg" | "ffprobe" | "scorer";

/** One run: program and arguments as fixed arrays; `/in/source` and `/out/…` are the only paths they may name. */
export interface RunRequest {
  program: Program;
  args: readonly string[];
  source?: string;
  outputDirectory?: string;
  /** Device files that it may use; none but the usual unless an encoder in hardware is to. */
  devices?: readonly string[];
  limits: RunLimits;
  onProgress?: (progress: Progress) => void;
  /** Takes stdout line by line as it comes, for answers too large to hold; `stdout` is then empty. */
  onStdoutLine?: (line: string) => void;
  /** Sees each line of stderr first; those that it answers true for are left out of `stderrTail`. */
  onStderrLine?: (line: string) => boolean;
  signal?: AbortSignal;
  /** 0..19: how far it yields to everything else; 10 unless someone waits for it. */
  niceness?: number;
}

export interface Progress {
  frame: number | null;
  outTimeSeconds: number | null;
  /** Seconds of media per second of wall clock. */
  speed: number | null;
}

export interface RunOutcome {
  /** How it ended: by itself, killed from outside, at a limit, or because `signal` was aborted. */
  ending: Ending;
  /** Which limit, where it ended at one. */
  limit: RunLimit | null;
  exitCode: number;
  stdout: string;
  stderrTail: string;
  /** User and system time of the whole process tree; 0 where somebody else killed it. */
  cpuSeconds: number;
  wallSeconds: number;
  /** The most that the run held at once, page cache included; null where the machine cannot count it. */
  peakMemoryBytes: number | null;
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
  /** What its ffmpeg lists as its filters. */
  filters: string;
  /** Whether `scorer` is another program than `ffmpeg`: what is known of one is known of both where it is not. */
  hasOwnScorer: boolean;
}

export interface LauncherSettings {
  ffmpegPath: string;
  ffprobePath: string;
  /** An ffmpeg with libvmaf; null: `ffmpegPath` where it has it, else none. */
  scorerPath?: string | null;
  /** null where there is none: runs are then not contained, which readiness shows. */
  bwrapPath: string | null;
  prlimitPath: string | null;
  setprivPath: string | null;
  /** A control group set aside for runs; null to make them in the worker's own, where that can be done. */
  memoryGroupFolder?: string | null;
  /** `residentBytes` of encodes: of runs that state a memory class and no limit of their own. */
  residentBytes?: number;
  /** No run may hold more, whatever its class: what there is. */
  mostResidentBytes?: number;
}

/**
 * Opens the one place from which ffmpeg and ffprobe are started. Tests the sandbox from inside first; a sandbox
 * that leaks or does not start is not used, and `state` says so. Throws where ffmpeg itself does not run, or does not come to
 * say what it has.
 */
export async function openLauncher(settings: LauncherSettings): Promise<Launcher> {
  const { sandbox, detail } = await findSandbox(settings);
  const groups = await findMemoryGroups(settings.memoryGroupFolder ?? null);
  const programs: Record<Program, string> = {
    ffmpeg: settings.ffmpegPath,
    ffprobe: settings.ffprobePath,
    scorer: settings.scorerPath ?? settings.ffmpegPath,
  };
  const run = (request: RunRequest): Promise<RunOutcome> =>
    launch(settings, programs[request.program], sandbox, groups, request);
  // Its banner is not hidden: the version stands there, and need not be asked for by a start of its own.
  const said = await askFfmpeg({ run }, "ffmpeg", ["-filters"]);
  if (said.exitCode !== 0) throw new Error(`ffmpeg does not run: ${said.shellLine}\n${said.stderrTail}`);
  return {
    run,
    state: { sandboxed: sandbox !== null, detail: `${detail}; ${memoryDetail(groups, settings)}` },
    build: bannerIn(said) ?? (await askVersion({ run })),
    filters: said.stdout,
    hasOwnScorer: programs.scorer !== programs.ffmpeg,
  };
}

function bannerIn({ stderrTail }: RunOutcome): string | undefined {
  return /^ffmpeg version .*/m.exec(stderrTail)?.[0].trim();
}

/** Of one that is wrapped in something that hides its banner: a plan must not go without its build. */
async function askVersion(launcher: Pick<Launcher, "run">): Promise<string> {
  const { stdout } = await askFfmpeg(launcher, "ffmpeg", ["-hide_banner", "-version"]);
  return stdout.split("\n")[0]?.trim() ?? "unknown";
}

async function findSandbox(settings: LauncherSettings): Promise<{ sandbox: Sandbox | null; detail: string }> {
  const { bwrapPath, prlimitPath } = settings;
  if (bwrapPath === null) return { sandbox: null, detail: "bubblewrap is not installed" };
  // Only what lies in /usr is there inside.
  const inside = prlimitPath?.startsWith("/usr/") ? prlimitPath : null;
  return testSandbox({ bwrapPath, prlimitPath: inside });
}

function memoryDetail(groups: MemoryGroups | null, { prlimitPath }: LauncherSettings): string {
  if (groups !== null) return "memory counted and limited by control group";
  return prlimitPath === null ? "memory NOT limited" : "memory limited by address space only";
}
