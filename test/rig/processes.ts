import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

/** How often a state is asked for: often enough to catch it, seldom enough to leave the cores to the work. */
const ASK_EVERY_MS = 20;

/** One process of this machine, from /proc. */
export interface ProcessFacts {
  pid: number;
  parent: number;
  name: string;
}

function allProcesses(): ProcessFacts[] {
  return readdirSync("/proc").flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return state === "Z" ? [] : [{ pid: Number(entry), parent: Number(parent), name }];
    } catch {
      // It ended while the list was read.
      return [];
    }
  });
}

/** Everything that a process has started, directly or not. */
export function descendants(pid: number): ProcessFacts[] {
  const all = allProcesses();
  const found: ProcessFacts[] = [];
  for (let level = [pid]; level.length > 0; ) {
    const children = all.filter((one) => level.includes(one.parent));
    found.push(...children);
    level = children.map((child) => child.pid);
  }
  return found;
}

/** Resolves once none of the processes is left; throws with those that are after `withinSeconds`. */
export async function allGone(processes: readonly ProcessFacts[], withinSeconds: number): Promise<void> {
  await eventually(`${processes.map((one) => `${one.name} ${one.pid}`)} gone`, withinSeconds, () => {
    const alive = new Set(allProcesses().map((one) => one.pid));
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
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() > deadline) throw new Error(`not within ${withinSeconds} s: ${what}`);
    await pause(ASK_EVERY_MS);
  }
}
