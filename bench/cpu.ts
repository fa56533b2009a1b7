import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { descendants } from "../test/rig/process-tree.ts";
import { readProcess } from "../transcoder/process-tree.ts";

const run = promisify(execFile);

/** CPU seconds, user and system, that a live process has used by itself, without its children. */
export function ownCpuSeconds(pid: number): number {
  const process = readProcess(pid);
  if (process === null) throw new Error(`process ${pid} has ended`);
  return process.ownCpuSeconds;
}

/** Resident memory of a live process in MiB. */
export function residentMebibytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
}

/** Processes below one (a bench itself, say) that have these words in their command lines. */
export async function pidsBelow(root: number, words: string): Promise<number[]> {
  const below = await descendants(root);
  return below.filter((pid) => commandLine(pid).includes(words));
}

/** Empty for one that has ended meanwhile. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

/** Runs a program to its end: the CPU of its whole tree and the time on the wall, in seconds. */
export async function timed(
  program: string,
  args: readonly string[],
): Promise<{ cpuSeconds: number; wallSeconds: number }> {
  const script = `TIMEFORMAT='%U %S %R'; time "$@" 2>/dev/null`;
  const { stderr } = await run("bash", ["-c", script, "timed", program, ...args]);
  const [user = 0, system = 0, wallSeconds = 0] = stderr.trim().split("\n").at(-1)!.split(" ").map(Number);
  return { cpuSeconds: user + system, wallSeconds };
}
