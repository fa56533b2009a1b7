import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Writable } from "node:stream";
import { cpuSecondsOfTree } from "./process-tree.ts";

/** By itself, killed by someone else, at its time limit, or called off by its caller. */
export type Ending = "exited" | "killed" | "limit" | "aborted";

export interface ProcessRequest {
  argv: readonly string[];
  /** `setpriv`, where the system has it: the kernel then ends the process when its parent dies. */
  parentDeathPath: string | null;
  wallSeconds: number;
  /** Bytes that the command reads from its descriptor 4 before all else (`bwrap --seccomp`). */
  prelude?: Uint8Array | null;
  signal?: AbortSignal | undefined;
  onStdoutLine?: ((line: string) => void) | undefined;
  /** Sees each line of stderr first; those that it answers true for are not kept. */
  onStderrLine?: ((line: string) => boolean) | undefined;
}

export interface ProcessOutcome {
  ending: Ending;
  exitCode: number;
  stdout: string;
  stderrTail: string;
  cpuSeconds: number;
  wallSeconds: number;
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
/** 128 + SIGKILL, as a shell says it. */
export const KILLED_EXIT_CODE = 128 + 9;

/**
 * Wraps a command so that it dies with its launcher and its CPU time is known; it must stand inside the sandbox.
 *
 * Standard input is a lifeline that only the launcher holds: its end kills the command's process group. The kernel's
 * own way (a signal at the parent's death) is lost where the parent dies before it is asked for, which a loaded
 * machine makes likely. bash's `time` counts the whole tree once it has been waited for, which node cannot, and which
 * bubblewrap does not do for what runs in it; its line goes to descriptor 3. What bash itself says (that the lifeline was
 * killed, on a loaded machine) goes nowhere: the program's own stderr stays clean.
 *
 * Where the kernel groups processes by session (sched(7), autogroup), niceness counts only within the command's own session,
 * and all of that would weigh as much as whatever else the machine runs; so the session is made as nice as its processes are
 * (field 19 of proc(5)'s stat). The kernel takes one such wish in a tenth of a second from all without privilege: it is
 * said again while it is refused, a while long.
 */
export function timed(bashPath: string, argv: readonly string[]): string[] {
  // bash takes a socket as standard input for a remote login, and would run its owner's start-up file.
  return [bashPath, "--norc", "-c", LIFELINE_AND_TIME, "run", ...argv];
}

const LIFELINE_AND_TIME = `
exec 5<&0 0</dev/null 4>&2 2>/dev/null
weigh() {
  [ -w /proc/self/autogroup ] && read -r stat </proc/self/stat || return
  fields=(\${stat##*) })
  for _ in {1..100}; do
    echo "\${fields[16]}" >/proc/self/autogroup && return
    read -r -t 0.1 -u 5
    [ $? -gt 128 ] || return
  done
}
{ weigh; read -r -u 5; kill -KILL 0; } >/dev/null 2>&1 3>&- &
TIMEFORMAT='%U %S'
{ time "$@" 2>&4 3>&- 4>&- 5<&-; } 2>&3
code=$?
kill -KILL $! 2>/dev/null
exit $code
`;

/**
 * The same lifeline outside of a sandbox, for the moment in which it is being set up: bubblewrap's first process waits for
 * its maker before it asks to die with it, and for ever where that one has been killed.
 */
export function watched(argv: readonly string[]): string[] {
  return ["sh", "-c", LIFELINE, "watch", ...argv];
}

const LIFELINE = `
exec 5<&0
{ read -r line <&5; kill -KILL 0; } >/dev/null 2>&1 3>&- 4<&- &
"$@" 5<&-
code=$?
kill -KILL $! 2>/dev/null
exit $code
`;

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
    stdio: ["pipe", "pipe", "pipe", "pipe", ...(request.prelude ? ["pipe" as const] : [])],
  });
  giveTo(child, request.prelude);
  // Nothing is ever written: the lifeline breaks when the command has ended first.
  child.stdin?.on("error", () => undefined);
  const texts = collect(child, request);
  const stop = stopper(child);
  let ending: Ending | null = null;
  let spentSeconds = 0;
  const end = (why: Ending): void => {
    // What is ended by force says no more what it has used.
    if (ending === null && child.pid !== undefined) spentSeconds = cpuSecondsOfTree(child.pid);
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
      cpuSeconds: Math.max(cpuSecondsIn(texts.times()), spentSeconds),
      wallSeconds: (performance.now() - started) / 1000,
    };
  } finally {
    clearTimeout(wall);
    stop.end();
    request.signal?.removeEventListener("abort", onAbort);
  }
}

function giveTo(child: ChildProcess, prelude: Uint8Array | null | undefined): void {
  const door = child.stdio[4] as Writable | undefined;
  if (!prelude || !door) return;
  // A command that ends before it has read is reported by its exit code.
  door.on("error", () => undefined);
  door.end(prelude);
}

function collect(child: ChildProcess, { onStdoutLine, onStderrLine }: ProcessRequest) {
  let stdout = "";
  let stderr = "";
  let times = "";
  const keep = (text: string): void => {
    stderr = (stderr + text).slice(-STDERR_TAIL_CHARACTERS);
  };
  if (onStdoutLine !== undefined && child.stdout !== null)
    createInterface({ input: child.stdout }).on("line", onStdoutLine);
  else
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      if (stdout.length < STDOUT_LIMIT_CHARACTERS) stdout += text;
    });
  if (onStderrLine !== undefined && child.stderr !== null)
    createInterface({ input: child.stderr }).on("line", (line) => onStderrLine(line) || keep(`${line}\n`));
  else child.stderr?.setEncoding("utf8").on("data", keep);
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
      // Reaches a command whose sandbox is only being set up, where no signal does yet.
      child.stdin?.destroy();
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

/** A command line that can be typed again. */
export function quoted(argv: readonly string[]): string {
  return argv.map(quote).join(" ");
}

function quote(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
