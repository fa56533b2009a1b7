import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { groupListens } from "./listener.ts";
import type { HeldPorts } from "./ports.ts";
import { processId, processLives, signalGroup } from "./process-id.ts";
import type { Report } from "./report.ts";
import type { StateFile } from "./state.ts";

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

export interface Supervisor {
  /** Starts the process and waits until its check holds. Throws with the end of its log where that fails. */
  start(spec: ChildSpec): Promise<void>;
  /** Stops everything, highest layer first; when it returns none of the processes is left. */
  stopAll(): Promise<void>;
}

const READY_DEADLINE_MS = 60_000;
const CHECK_EVERY_MS = 50;
const FIRST_BACK_OFF_MS = 500;
const LONGEST_BACK_OFF_MS = 30_000;
/** One that ran this long has not died of what killed it last time. */
const HEALTHY_MS = 60_000;
const LOG_LINES_SHOWN = 12;

interface Running {
  spec: ChildSpec;
  child: ChildProcess;
  exited: Promise<string>;
  startedAtMs: number;
}

/** A supervisor whose children log into `logDirectory` and are remembered in `state`. */
export function createSupervisor(deps: {
  logDirectory: string;
  state: StateFile;
  report: Report;
  /** Ports by part; one without a port of its own is in none of them. */
  ports: HeldPorts;
  /** Ends every wait; what runs is stopped by `stopAll`. */
  signal: AbortSignal;
}): Supervisor {
  const { logDirectory, state, report, ports } = deps;
  mkdirSync(logDirectory, { recursive: true, mode: 0o700 });
  const running = new Map<string, Running>();
  const stopped = new AbortController();
  const stopping = AbortSignal.any([deps.signal, stopped.signal]);

  const launch = (spec: ChildSpec): Running => {
    stopping.throwIfAborted();
    const log = openSync(join(logDirectory, `${spec.part}.log`), "a", 0o600);
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
    const one = { spec, child, exited, startedAtMs: performance.now() };
    running.set(spec.part, one);
    remember(spec.part, child.pid);
    return one;
  };

  const remember = (part: string, pid: number | undefined) => {
    const id = pid === undefined ? null : processId(pid);
    state.update((current) => {
      current.children = current.children.filter((child) => child.part !== part);
      if (id !== null) current.children.push({ part, ...id });
    });
  };

  /** Brings one up and keeps it up until the end. */
  const bringUp = async (spec: ChildSpec): Promise<Running> => {
    const port = ports.numbers[spec.part];
    // A stranger there would answer the checks in its place.
    if (port !== undefined && !(await ports.handOver(spec.part))) {
      throw new Error(`${spec.part}: port ${port} is taken by another program`);
    }
    const one = launch(spec);
    let gone: string | undefined;
    void one.exited.then((why) => {
      gone = why;
    });
    let missing: string | null = "no answer";
    while (missing !== null) {
      stopping.throwIfAborted();
      if (gone !== undefined) throw new Error(`${spec.part} ended (${gone})${logEnd(spec.part)}`);
      if (performance.now() - one.startedAtMs > READY_DEADLINE_MS) {
        throw new Error(`${spec.part} is not ready: ${missing}${logEnd(spec.part)}`);
      }
      missing = await spec.check().catch((error: unknown) => describe(error));
      if (missing === null && port !== undefined && !groupListens(one.child.pid as number, port)) {
        missing = `another program answers on port ${port}`;
      }
      if (missing !== null) await pause(CHECK_EVERY_MS);
    }
    return one;
  };

  const keepUp = async (first: Running) => {
    let backOffMs = FIRST_BACK_OFF_MS;
    for (let one = first; ; ) {
      const { spec } = one;
      const why = await one.exited;
      if (one.child.pid !== undefined) signalGroup(one.child.pid, "SIGKILL");
      if (stopping.aborted) return;
      if (performance.now() - one.startedAtMs > HEALTHY_MS) backOffMs = FIRST_BACK_OFF_MS;
      report.note(spec.part, `ended (${why}); starting it again in ${backOffMs / 1000} s`);
      await pause(backOffMs, undefined, { signal: stopping }).catch(() => {});
      if (stopping.aborted) return;
      backOffMs = Math.min(backOffMs * 2, LONGEST_BACK_OFF_MS);
      try {
        one = await bringUp(spec);
        report.done(spec.part, "is back");
      } catch (error) {
        if (stopping.aborted) return;
        report.note(spec.part, describe(error));
        one = running.get(spec.part) as Running;
        if (one.child.pid !== undefined) signalGroup(one.child.pid, "SIGKILL");
      }
    }
  };

  const logEnd = (part: string): string => {
    const path = join(logDirectory, `${part}.log`);
    const lines = readFileSync(path, "utf8").trimEnd().split("\n").slice(-LOG_LINES_SHOWN);
    return `\n    ${lines.join("\n    ")}\n    (${path})`;
  };

  const stopOne = async (one: Running) => {
    const pid = one.child.pid;
    if (pid !== undefined) {
      signalGroup(pid, "SIGTERM");
      await Promise.race([one.exited, pause(one.spec.stopMs, undefined, { ref: false })]);
      // Whatever the leader left behind in its group goes with it.
      signalGroup(pid, "SIGKILL");
      await one.exited;
    }
    running.delete(one.spec.part);
    remember(one.spec.part, undefined);
  };

  return {
    async start(spec) {
      const one = await bringUp(spec);
      void keepUp(one);
    },
    async stopAll() {
      stopped.abort(new Error("stopping"));
      const layers = [...new Set([...running.values()].map((one) => one.spec.layer))].sort((a, b) => b - a);
      for (const layer of layers) {
        await Promise.all([...running.values()].filter((one) => one.spec.layer === layer).map(stopOne));
      }
    },
  };
}

const LEFTOVER_STOP_MS = 10_000;

/** Stops what a killed start left running; a process that only has the same number is not touched. */
export async function stopLeftovers(state: StateFile, report: Report): Promise<void> {
  const left = state.read().children.filter(processLives);
  for (const child of left)
    report.note(child.part, `left over from a killed start (${child.pid}); stopping it`);
  for (const child of left) signalGroup(child.pid, "SIGTERM");
  const deadline = performance.now() + LEFTOVER_STOP_MS;
  while (left.some(processLives) && performance.now() < deadline) await pause(CHECK_EVERY_MS);
  for (const child of left) {
    if (processLives(child)) signalGroup(child.pid, "SIGKILL");
  }
  while (left.some(processLives)) await pause(CHECK_EVERY_MS);
  state.update((current) => {
    current.children = [];
  });
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
