import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { REVOCATION_KINDS, type Revocations } from "../../core/revocation.ts";

/**
 * The list as empty files, one a name in one folder a kind: njs of Debian 12 has no memory that requests share, and
 * whether a file is there costs it one system call. Adds before it takes away.
 */
export async function writeRevokedFiles(folder: string, list: Revocations): Promise<void> {
  for (const kind of REVOCATION_KINDS) {
    const place = join(folder, kind);
    await mkdir(place, { recursive: true, mode: 0o755 });
    const here = new Set(await readdir(place));
    for (const name of list[kind]) if (!here.has(name)) await writeFile(join(place, name), "");
    for (const name of here) if (!list[kind].has(name)) await rm(join(place, name), { force: true });
  }
}
