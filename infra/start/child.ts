import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { groupListens } from "./listener.ts";
import { signalGroup } from "./process-id.ts";

/** One process that must run as long as the start does. */
export interface ChildSpec {
  /** Its name in messages, in the state and of its log. */
  part: string;
  command: string;
  args: readonly string[];
  env: Record<string, string | undefined>;
  /** What must end before it: higher layers are stopped first. */
  layer: number;
  /** How long it may take after SIGTERM before it is killed. */
  stopMs: number;
  /** Null once it answers for real, else what is still missing. */
  check(): Promise<string | null>;
}

/** One that has been started, and may have ended since. */
export interface Child {
  spec: ChildSpec;
  process: ChildProcess;
  logPath: string;
  /** Says why once it has ended or could not begin. */
  exited: Promise<string>;
  startedAtMs: number;
}

/** Seconds are enough for each part; where others kept all cores busy, a minute was over before one was ready. */
const READY_DEADLINE_MS = 180_000;
const CHECK_EVERY_MS = 50;
const LOG_LINES_SHOWN = 12;

/** Starts the process, its output going to the end of `logPath`. */
export function launch(spec: ChildSpec, logPath: string): Child {
  const log = openSync(logPath, "a", 0o600);
  const child = spawn(spec.command, spec.args, {
    env: spec.env,
    stdio: ["ignore", log, log],
    // A group of its own: the terminal's Ctrl-C does not reach it, and it is stopped with all its children.
    detached: true,
  });
  closeSync(log);
  const exited = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  return { spec, process: child, logPath, exited, startedAtMs: performance.now() };
}

/** Waits until the check holds and it is the child that answers. Throws with the end of its log where that fails. */
export async function untilReady(child: Child, port: number | undefined, signal: AbortSignal): Promise<void> {
  const { part } = child.spec;
  let gone: string | undefined;
  void child.exited.then((why) => {
    gone = why;
  });
  let missing: string | null = "no answer";
  while (missing !== null) {
    signal.throwIfAborted();
    if (gone !== undefined) throw new Error(`${part} ended (${gone})${logEnd(child)}`);
    if (performance.now() - child.startedAtMs > READY_DEADLINE_MS) {
      throw new Error(`${part} is not ready: ${missing}${logEnd(child)}`);
    }
    missing = await whatIsMissing(child, port);
    if (missing !== null) await pause(CHECK_EVERY_MS);
  }
}

/** Ends it and all that it started: asked first, then killed. */
export async function stop(child: Child): Promise<void> {
  const { pid } = child.process;
  if (pid === undefined) return;
  signalGroup(pid, "SIGTERM");
  await Promise.race([child.exited, pause(child.spec.stopMs, undefined, { ref: false })]);
  // Whatever the leader left behind in its group goes with it.
  signalGroup(pid, "SIGKILL");
  await child.exited;
}

/** Kills what is left of it at once. */
export function killGroup(child: Child): void {
  const { pid } = child.process;
  if (pid !== undefined) signalGroup(pid, "SIGKILL");
}

export function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function whatIsMissing(child: Child, port: number | undefined): Promise<string | null> {
  const missing = await child.spec.check().catch((error: unknown) => describe(error));
  if (missing !== null || port === undefined) return missing;
  return groupListens(child.process.pid as number, port) ? null : `another program answers on port ${port}`;
}

function logEnd({ logPath }: Child): string {
  const lines = readFileSync(logPath, "utf8").trimEnd().split("\n").slice(-LOG_LINES_SHOWN);
  return `\n    ${lines.join("\n    ")}\n    (${logPath})`;
}
