import { constants } from "node:fs";
import { access, mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * A memory control group for each run: the kernel counts what all of its processes really hold together, kills at the
 * limit, and says afterwards whether it did. A limit of address space, which is what remains elsewhere, is far above what
 * a decoder uses, since decoders reserve what they never touch.
 */
export interface MemoryGroups {
  open(limitBytes: number): Promise<MemoryGroup>;
}

export interface MemoryGroup {
  /** The command line that enters the group and then becomes `argv`. */
  entered(argv: readonly string[]): string[];
  /** Call when all processes have gone: what the kernel saw. The group is removed. */
  close(): Promise<{ kills: number; peakBytes: number | null }>;
}

/** How each version of control groups names its files; a group of version 2 has `memory.max`. */
interface GroupFiles {
  limit: string;
  /** What may be swapped besides, and how much of it is meant. */
  swap: { file: string; bytes: (limitBytes: number) => number };
  peak: string;
  kills: string;
}
const VERSION_1: GroupFiles = {
  limit: "memory.limit_in_bytes",
  // Memory and swap together.
  swap: { file: "memory.memsw.limit_in_bytes", bytes: (limitBytes) => limitBytes },
  peak: "memory.max_usage_in_bytes",
  kills: "memory.oom_control",
};
const VERSION_2: GroupFiles = {
  limit: "memory.max",
  swap: { file: "memory.swap.max", bytes: () => 0 },
  peak: "memory.peak",
  kills: "memory.events",
};

/** A shell joins the group and then becomes the command, so that nothing of it runs outside. */
const JOIN_AND_RUN = 'echo $$ > "$0" || exit 125; exec "$@"';
/** A group is busy until the kernel has buried its last process. */
const REMOVE_TRIES = 50;

let groupsMade = 0;

/**
 * The place for groups, tried out: `folder` where an operator has set one aside (of either version, with the memory
 * controller on for its children), else this process's own group of version 1. null where none can be made.
 */
export async function findMemoryGroups(folder: string | null): Promise<MemoryGroups | null> {
  const parent = folder ?? (await ownGroup());
  if (parent === null) return null;
  const groups: MemoryGroups = { open: (limitBytes) => openGroup(parent, limitBytes) };
  try {
    await removeLeftovers(parent);
    await (await groups.open(2 ** 30)).close();
    return groups;
  } catch {
    return null;
  }
}

async function ownGroup(): Promise<string | null> {
  const table = await readFile("/proc/self/cgroup", "utf8").catch(() => "");
  const path = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(table)?.[1];
  if (path === undefined) return null;
  const own = join("/sys/fs/cgroup/memory", path);
  return access(own, constants.W_OK).then(
    () => own,
    () => null,
  );
}

/** Of workers that were killed: their groups are empty, since their encoders died with them. */
async function removeLeftovers(parent: string): Promise<void> {
  for (const entry of await readdir(parent)) {
    const pid = /^matinee-(\d+)-\d+$/.exec(entry)?.[1];
    if (pid !== undefined && !(await exists(`/proc/${pid}`)))
      await rmdir(join(parent, entry)).catch(() => undefined);
  }
}

async function openGroup(parent: string, limitBytes: number): Promise<MemoryGroup> {
  const path = join(parent, `matinee-${process.pid}-${groupsMade++}`);
  await mkdir(path);
  const inGroup = (file: string): string => join(path, file);
  try {
    const files = (await exists(inGroup(VERSION_2.limit))) ? VERSION_2 : VERSION_1;
    await writeFile(inGroup(files.limit), String(limitBytes));
    // Absent where the kernel does not count swap.
    if (await exists(inGroup(files.swap.file)))
      await writeFile(inGroup(files.swap.file), String(files.swap.bytes(limitBytes)));
    return {
      entered: (argv) => ["sh", "-c", JOIN_AND_RUN, inGroup("cgroup.procs"), ...argv],
      async close() {
        const kills = await readFile(inGroup(files.kills), "utf8");
        const peak = await readFile(inGroup(files.peak), "utf8").catch(() => "");
        await remove(path);
        return {
          kills: Number(/^oom_kill (\d+)$/m.exec(kills)?.[1] ?? 0),
          peakBytes: Number.parseInt(peak, 10) || null,
        };
      },
    };
  } catch (error) {
    await remove(path);
    throw error;
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function remove(path: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await rmdir(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EBUSY" || tries >= REMOVE_TRIES) return;
      await new Promise(setImmediate);
    }
  }
}
