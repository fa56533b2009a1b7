import { readdir, readFile } from "node:fs/promises";
import { untilAskedAgain } from "./asking.ts";

/** All processes below one, from the system's own table (`/proc`). */
export async function descendants(root: number): Promise<number[]> {
  const parents = new Map<number, number>();
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, "utf8").catch(() => "");
    // The name before the last parenthesis may hold anything.
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    if (stat !== "") parents.set(Number(entry), parent);
  }
  const found: number[] = [];
  for (let level = [root]; level.length > 0; ) {
    level = [...parents].filter(([, parent]) => level.includes(parent)).map(([pid]) => pid);
    found.push(...level);
  }
  return found;
}

/** Resolves once none of them runs any more; a zombie is gone. Throws where one goes on for `withinSeconds`. */
export async function untilGone(pids: readonly number[], withinSeconds = 60): Promise<void> {
  const deadline = performance.now() + withinSeconds * 1000;
  for (const pid of pids) {
    for (let askedAtMs = performance.now(); await isRunning(pid); askedAtMs = performance.now()) {
      if (performance.now() > deadline) throw new Error(`process ${pid} goes on`);
      await untilAskedAgain(askedAtMs);
    }
  }
}

async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat !== "" && !/^\d+ \(.*\) Z/s.test(stat);
}

/** Processes that name `text` in their command line, and all below them. */
export async function namedIn(text: string): Promise<number[]> {
  const found: number[] = [];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const line = await readFile(`/proc/${entry}/cmdline`, "utf8").catch(() => "");
    if (line.includes(text)) found.push(Number(entry), ...(await descendants(Number(entry))));
  }
  return found;
}
