import { readFileSync } from "node:fs";
import { totalmem } from "node:os";

/** Where each version of control groups says what a container may hold. */
const GROUP_LIMITS = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/** What this process and its children may hold: the machine's memory, or its container's where that is less. */
export function machineMemoryBytes(): number {
  const limits = GROUP_LIMITS.flatMap((path) => {
    try {
      // `max` is no number, and no limit.
      const bytes = Number(readFileSync(path, "utf8"));
      return bytes > 0 ? [bytes] : [];
    } catch {
      return [];
    }
  });
  return Math.min(totalmem(), ...limits);
}
