import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** By itself, killed by someone else, at its time limit, or called off by its caller. */
export type Ending = "exited" | "killed" | "limit" | "aborted";

export interface ProcessRequest {
  argv: readonly string[];
  /** `setpriv`, where the system has it: the kernel then ends the process when its parent dies. */
  parentDeathPath: string | null;
  wallSeconds: number;
  signal?: AbortSignal | undefined;
  onStdoutLine?: ((line: string) => void) | undefined;
}

export interface ProcessOutcome {
  ending: Ending;
  exitCode: number;
  stdout: string;
  stderrTail: string;
  cpuSeconds: number;
  wallSeconds: number;
  shellLine: string;
}

/** A playlist without an end kept ffmpeg alive past one SIGTERM (RELIABILITY §0.3), so the group is told again, then killed. */
const KILL_STEPS: readonly { afterMs: number; signal: NodeJS.Signals }[] = [
  { afterMs: 0, signal: "SIGTERM" },
  { afterMs: 2_000, signal: "SIGTERM" },
  { afterMs: 4_000, signal: "SIGKILL" },
];
const STDERR_TAIL_CHARACTERS = 8_000;
const STDOUT_LIMIT_CHARACTERS = 64 * 2 ** 20;
const TIMES_TAIL_CHARACTERS = 100;
const KILLED_EXIT_CODE = 128 + 9;

/**
 * Wraps a command so that its CPU time is known. bash's `time` counts the whole tree once it has been waited
 * for, which node cannot; its line goes to descriptor 3, the program's own stderr stays clean. It must stand
 * inside the sandbox: bubblewrap does not wait for what ran in it, and its own times say nothing.
 */
export function timed(bashPath: string, argv: readonly string[]): string[] {
  return [bashPath, "-c", `TIMEFORMAT='%U %S'; { time "$@" 2>&4 3>&-; } 4>&2 2>&3`, "run", ...argv];
}

/** Runs a command in its own process group with an empty environment and settles when all of the group is gone. */
export async function runProcess(request: ProcessRequest): Promise<ProcessOutcome> {
  const started = performance.now();
  const dying =
    request.parentDeathPath === null ? [] : [request.parentDeathPath, "--pdeathsig", "KILL", "--"];
  const [file, ...args] = [...dying, ...request.argv];
  const child = spawn(file!, args, {
    detached: true,
    env: {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin",
      LC_ALL: "C",
    },
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const texts = collect(child, request.onStdoutLine);
  const stop = stopper(child);
  let ending: Ending | null = null;
  const end = (why: Ending): void => {
    ending ??= why;
    stop.begin();
  };
  const wall = setTimeout(() => end("limit"), request.wallSeconds * 1000);
  const onAbort = (): void => end("aborted");
  if (request.signal?.aborted) onAbort();
  request.signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve(code ?? (signal === "SIGKILL" ? KILLED_EXIT_CODE : 1)));
    });
    return {
      ending: ending ?? (exitCode === KILLED_EXIT_CODE ? "killed" : "exited"),
      exitCode,
      stdout: texts.stdout(),
      stderrTail: texts.stderr(),
      cpuSeconds: cpuSecondsIn(texts.times()),
      wallSeconds: (performance.now() - started) / 1000,
      shellLine: request.argv.map(quote).join(" "),
    };
  } finally {
    clearTimeout(wall);
    stop.end();
    request.signal?.removeEventListener("abort", onAbort);
  }
}

function collect(child: ChildProcess, onLine: ((line: string) => void) | undefined) {
  let stdout = "";
  let stderr = "";
  let times = "";
  if (onLine !== undefined && child.stdout !== null)
    createInterface({ input: child.stdout }).on("line", onLine);
  else
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      if (stdout.length < STDOUT_LIMIT_CHARACTERS) stdout += text;
    });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-STDERR_TAIL_CHARACTERS);
  });
  child.stdio[3]?.on("data", (text: Buffer) => {
    times = (times + text.toString()).slice(-TIMES_TAIL_CHARACTERS);
  });
  return { stdout: () => stdout, stderr: () => stderr, times: () => times };
}

function stopper(child: ChildProcess) {
  const timers: NodeJS.Timeout[] = [];
  const tell = (signal: NodeJS.Signals): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      // The group is gone already.
    }
  };
  return {
    begin: () => {
      if (timers.length > 0) return;
      for (const step of KILL_STEPS) timers.push(setTimeout(() => tell(step.signal), step.afterMs));
    },
    end: () => {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

function cpuSecondsIn(times: string): number {
  const match = /^([\d.]+) ([\d.]+)\s*$/m.exec(times);
  return match === null ? 0 : Number(match[1]) + Number(match[2]);
}

function quote(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
