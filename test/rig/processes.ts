import { connect } from "node:net";
import { allProcesses, type ProcessStat } from "../../transcoder/process-tree.ts";
import { untilAskedAgain } from "./asking.ts";

/** One process of this machine. */
export type ProcessFacts = Pick<ProcessStat, "pid" | "parent" | "name">;

function liveProcesses(): ProcessFacts[] {
  return allProcesses().filter(({ state }) => state !== "Z");
}

/** Everything that a process has started, directly or not. */
export function descendants(pid: number): ProcessFacts[] {
  const all = liveProcesses();
  const found: ProcessFacts[] = [];
  for (let level = [pid]; level.length > 0; ) {
    const children = all.filter((one) => level.includes(one.parent));
    found.push(...children);
    level = children.map((child) => child.pid);
  }
  return found;
}

/** Sends a process a signal; false where it has ended by itself meanwhile. */
export function signalled(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    return false;
  }
}

/** Resolves once none of the processes is left; throws with those that are after `withinSeconds`. */
export async function allGone(processes: readonly ProcessFacts[], withinSeconds: number): Promise<void> {
  await eventually(`${processes.map((one) => `${one.name} ${one.pid}`)} gone`, withinSeconds, () => {
    const alive = new Set(liveProcesses().map((one) => one.pid));
    return processes.every((one) => !alive.has(one.pid)) || null;
  });
}

/** Resolves to the first answer that is not null. Waits on the state itself, never for a fixed time. */
export async function eventually<T>(
  what: string,
  withinSeconds: number,
  ask: () => Promise<T | null> | T | null,
): Promise<T> {
  const deadline = performance.now() + withinSeconds * 1000;
  for (;;) {
    const askedAtMs = performance.now();
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() > deadline) throw new Error(`not within ${withinSeconds} s: ${what}`);
    await untilAskedAgain(askedAtMs);
  }
}

/** Whether somebody listens on this port of the machine. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
