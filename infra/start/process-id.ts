import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A process for good: a pid is given again, a pid with its start never. */
export interface ProcessId {
  pid: number;
  /** When it began, in the system's own words. */
  startedAt: string;
}

/** The process that has this pid now; null where there is none (or only its exit code is left of it). */
export function processId(pid: number): ProcessId | null {
  const startedAt = process.platform === "linux" ? startFromProc(pid) : startFromPs(pid);
  return startedAt === null ? null : { pid, startedAt };
}

/** Whether this very process still runs. */
export function processLives(id: ProcessId): boolean {
  return processId(id.pid)?.startedAt === id.startedAt;
}

/** Sends a signal to a whole process group; an empty group is no error. */
export function signalGroup(leaderPid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leaderPid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** proc(5): field 3 is the state, field 22 the start in clock ticks since boot; the name before may hold anything. */
function startFromProc(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return null;
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${fields[19]}`;
  } catch {
    return null;
  }
}

function startFromPs(pid: number): string | null {
  try {
    const words = execFileSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], { encoding: "utf8" }).trim();
    return words === "" || words.startsWith("Z") ? null : words.slice(words.indexOf(" ")).trim();
  } catch {
    return null;
  }
}
