import { readdirSync, readFileSync } from "node:fs";

/** Linux counts CPU in ticks of 1/100 s (`getconf CLK_TCK`) on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

/** A process as its line in `/proc` tells of it. */
export interface ProcessStat {
  pid: number;
  parent: number;
  name: string;
  /** proc(5)'s letter: `Z` is one that has ended and was not waited for, `T` one that is stopped. */
  state: string;
  /** User and system time of its own, and of its children that have ended and were waited for. */
  ownCpuSeconds: number;
  childrenCpuSeconds: number;
}

/**
 * CPU seconds, user and system, that a process and all that lives below it have used so far, and those of them that have
 * ended. 0 where the system has no `/proc`.
 */
export function cpuSecondsOfTree(pid: number): number {
  const all = allProcesses();
  let total = 0;
  for (let level = all.filter((one) => one.pid === pid); level.length > 0; ) {
    total += level.reduce(
      (sum, { ownCpuSeconds, childrenCpuSeconds }) => sum + ownCpuSeconds + childrenCpuSeconds,
      0,
    );
    const parents = new Set(level.map((one) => one.pid));
    level = all.filter(({ parent }) => parents.has(parent));
  }
  return total;
}

/** All processes of this machine; none where the system has no `/proc`. */
export function allProcesses(): ProcessStat[] {
  try {
    return readdirSync("/proc").flatMap((entry) =>
      /^\d+$/.test(entry) ? (readProcess(Number(entry)) ?? []) : [],
    );
  } catch {
    return [];
  }
}

/** One process; null where it has ended, also while it was looked for. */
export function readProcess(pid: number): ProcessStat | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const nameEnd = stat.lastIndexOf(")");
    // The name stands in parentheses and may hold anything; what follows begins with field 3 (proc(5)).
    const fields = stat.slice(nameEnd + 2).split(" ");
    const seconds = (field: number): number => Number(fields[field - 3]) / TICKS_PER_SECOND;
    return {
      ...{ pid, parent: Number(fields[1]), state: fields[0] ?? "" },
      name: stat.slice(stat.indexOf("(") + 1, nameEnd),
      ownCpuSeconds: seconds(14) + seconds(15),
      childrenCpuSeconds: seconds(16) + seconds(17),
    };
  } catch {
    return null;
  }
}
