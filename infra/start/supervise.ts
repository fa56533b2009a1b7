import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Child, type ChildSpec, describe, killGroup, launch, stop, untilReady } from "./child.ts";
import type { HeldPorts } from "./ports.ts";
import { processId } from "./process-id.ts";
import type { Report } from "./report.ts";
import type { StateFile } from "./state.ts";

export interface Supervisor {
  /** Starts the process and waits until its check holds. Throws with the end of its log where that fails. */
  start(spec: ChildSpec): Promise<void>;
  /** Stops everything, highest layer first; when it returns none of the processes is left. */
  stopAll(): Promise<void>;
}

const FIRST_BACK_OFF_MS = 500;
const LONGEST_BACK_OFF_MS = 30_000;
/** One that ran this long has not died of what killed it last time. */
const HEALTHY_MS = 60_000;

interface SupervisorDeps {
  logDirectory: string;
  state: StateFile;
  report: Report;
  /** Ports by part; one without a port of its own is in none of them. */
  ports: HeldPorts;
  /** Ends every wait; what runs is stopped by `stopAll`. */
  signal: AbortSignal;
}

interface Watch extends SupervisorDeps {
  /** By part, the latest one of each. */
  running: Map<string, Child>;
}

/** A supervisor whose children log into `logDirectory` and are remembered in `state`. */
export function createSupervisor(deps: SupervisorDeps): Supervisor {
  mkdirSync(deps.logDirectory, { recursive: true, mode: 0o700 });
  const running = new Map<string, Child>();
  const stopped = new AbortController();
  const watch = { ...deps, running, signal: AbortSignal.any([deps.signal, stopped.signal]) };
  return {
    async start(spec) {
      const child = await bringUp(watch, spec);
      void keepUp(watch, child);
    },
    async stopAll() {
      stopped.abort(new Error("stopping"));
      const layers = [...new Set([...running.values()].map(({ spec }) => spec.layer))].sort((a, b) => b - a);
      for (const layer of layers) {
        const together = [...running.values()].filter(({ spec }) => spec.layer === layer);
        await Promise.all(together.map((child) => takeDown(watch, child)));
      }
    },
  };
}

/** Starts one and waits until it is ready. */
async function bringUp(watch: Watch, spec: ChildSpec): Promise<Child> {
  const { ports, signal } = watch;
  const port = ports.numbers[spec.part];
  // A stranger there would answer the checks in its place.
  if (port !== undefined && !(await ports.handOver(spec.part))) {
    throw new Error(`${spec.part}: port ${port} is taken by another program`);
  }
  signal.throwIfAborted();
  const child = launch(spec, join(watch.logDirectory, `${spec.part}.log`));
  watch.running.set(spec.part, child);
  remember(watch.state, spec.part, child.process.pid);
  await untilReady(child, port, signal);
  return child;
}

/** Starts it again whenever it ends, until the supervisor does. */
async function keepUp(watch: Watch, first: Child): Promise<void> {
  const { report, signal, running } = watch;
  const { spec } = first;
  let backOffMs = FIRST_BACK_OFF_MS;
  for (let child = first; ; ) {
    const why = await child.exited;
    killGroup(child);
    if (signal.aborted) return;
    if (performance.now() - child.startedAtMs > HEALTHY_MS) backOffMs = FIRST_BACK_OFF_MS;
    report.note(spec.part, `ended (${why}); starting it again in ${backOffMs / 1000} s`);
    await pause(backOffMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    backOffMs = Math.min(backOffMs * 2, LONGEST_BACK_OFF_MS);
    try {
      child = await bringUp(watch, spec);
      report.done(spec.part, "is back");
    } catch (error) {
      if (signal.aborted) return;
      report.note(spec.part, describe(error));
      child = running.get(spec.part) as Child;
      killGroup(child);
    }
  }
}

async function takeDown({ running, state }: Watch, child: Child): Promise<void> {
  await stop(child);
  running.delete(child.spec.part);
  remember(state, child.spec.part, undefined);
}

function remember(state: StateFile, part: string, pid: number | undefined): void {
  const id = pid === undefined ? null : processId(pid);
  state.update((current) => {
    current.children = current.children.filter((child) => child.part !== part);
    if (id !== null) current.children.push({ part, ...id });
  });
}
