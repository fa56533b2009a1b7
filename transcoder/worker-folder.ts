import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const OWNER_FILE = "owner.pid";

/** A worker's own folder below `directory`. What workers that are gone have left there is removed. */
export async function openWorkerFolder(directory: string, workerId: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  await removeLeftovers(directory);
  const folder = join(directory, workerId);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, OWNER_FILE), String(process.pid));
  return folder;
}

async function removeLeftovers(directory: string): Promise<void> {
  for (const entry of await readdir(directory)) {
    const pid = Number(await readFile(join(directory, entry, OWNER_FILE), "utf8").catch(() => "0"));
    // A restarted container gives its new worker the old one's number.
    if (pid === process.pid || !isAlive(pid))
      await rm(join(directory, entry), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
