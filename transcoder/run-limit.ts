import { readFile } from "node:fs/promises";
import type { ProcessOutcome } from "./process-group.ts";

/** What a run ran short of. */
export type RunLimit = "wall" | "cpu" | "output" | "memory" | "disk";

/** 128 + SIGXCPU, SIGXFSZ and SIGKILL: how the kernel says it. */
const CPU_EXIT_CODE = 128 + 24;
const OUTPUT_EXIT_CODE = 128 + 25;

/**
 * Call before a run; the answer says afterwards which limit ended it, or null. A kill by the kernel for want of
 * memory or at the hard CPU limit looks like a kill by anyone else, and is told apart by what was used: the
 * one must not be tried again in place, the other should be.
 */
export async function reachedLimit(
  cpuLimitSeconds: number,
): Promise<(outcome: ProcessOutcome, killsInGroup: number | null) => Promise<RunLimit | null>> {
  const killsBefore = await memoryKills();
  return async (outcome, killsInGroup) => {
    if (outcome.ending === "limit") return "wall";
    if (outcome.ending === "aborted" || outcome.exitCode === 0) return null;
    if (killsInGroup !== null && killsInGroup > 0) return "memory";
    if (outcome.exitCode === CPU_EXIT_CODE) return "cpu";
    if (outcome.exitCode === OUTPUT_EXIT_CODE) return "output";
    if (outcome.ending === "killed") {
      // One second: the kernel counts each process for itself, we count the tree.
      if (outcome.cpuSeconds >= cpuLimitSeconds - 1) return "cpu";
      // The run's own group has counted exactly; without one, what the whole machine has seen must do.
      return killsInGroup === null && (await memoryKills()) > killsBefore ? "memory" : null;
    }
    if (/No space left on device|Disk quota exceeded/i.test(outcome.stderrTail)) return "disk";
    if (/File too large/i.test(outcome.stderrTail)) return "output";
    return /Cannot allocate memory|malloc of size \d+ failed/i.test(outcome.stderrTail) ? "memory" : null;
  };
}

/** Kills for want of memory on this machine so far, in any container; 0 where the system does not count them. */
async function memoryKills(): Promise<number> {
  const counters = await readFile("/proc/vmstat", "utf8").catch(() => "");
  return Number(/^oom_kill (\d+)$/m.exec(counters)?.[1] ?? 0);
}
