import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where Linux' control groups of version 1 keep the CPU's; needs root. */
const CPU_GROUPS = "/sys/fs/cgroup/cpu";
/** Short, so that whoever has spent its share waits a hundredth of a second and not a tenth. */
const PERIOD_US = 10_000;

/** A group whose processes together get no more than a share of one core. */
export interface CpuShare {
  /** Takes a process in with all its threads; what it starts from then on is in it too. */
  take(pid: number): void;
  /** The command line that enters the group and then becomes `argv`. */
  entered(argv: readonly string[]): string[];
  /** When all its processes have ended. */
  remove(): void;
}

/** Makes the group: `share` of a core, 0.4 say. */
export function makeCpuShare(name: string, share: number): CpuShare {
  const folder = join(CPU_GROUPS, `matinee-bench-${process.pid}-${name}`);
  mkdirSync(folder);
  writeFileSync(join(folder, "cpu.cfs_period_us"), String(PERIOD_US));
  writeFileSync(join(folder, "cpu.cfs_quota_us"), String(Math.round(share * PERIOD_US)));
  const members = join(folder, "cgroup.procs");
  return {
    take: (pid) => writeFileSync(members, String(pid)),
    entered: (argv) => ["sh", "-c", 'echo $$ > "$0" && exec "$@"', members, ...argv],
    remove: () => rmdirSync(folder),
  };
}
