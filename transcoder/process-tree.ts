import { readdirSync, readFileSync } from "node:fs";

/** Linux counts CPU in ticks of 1/100 s (`getconf CLK_TCK`) on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

interface ProcessTimes {
  pid: number;
  parent: number;
  cpuSeconds: number;
}

/**
 * CPU seconds, user and system, that a process and all that lives below it have used so far, and those of them that have
 * ended. 0 where the system has no `/proc`.
 */
export function cpuSecondsOfTree(pid: number): number {
  const all = liveProcesses();
  let total = 0;
  for (let level = all.filter((one) => one.pid === pid); level.length > 0; ) {
    total += level.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
    const parents = new Set(level.map((one) => one.pid));
    level = all.filter(({ parent }) => parents.has(parent));
  }
  return total;
}

function liveProcesses(): ProcessTimes[] {
  try {
    return readdirSync("/proc").flatMap((entry) => (/^\d+$/.test(entry) ? timesOf(Number(entry)) : []));
  } catch {
    return [];
  }
}

function timesOf(pid: number): ProcessTimes[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name stands in parentheses and may hold anything; what follows begins with field 3 (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // Fields 14 to 17: its own user and system time, and those of its children that were waited for.
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return [{ pid, parent: Number(fields[1]), cpuSeconds: ticks / TICKS_PER_SECOND }];
  } catch {
    // It ended while the list was read.
    return [];
  }
}
