import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { type CachedFacts, HEAD_BYTES, isSound, readHead } from "./cached-file.ts";

/** How often the time of use is written down: only the order after a restart depends on it. */
const TOUCH_EVERY_MS = 60_000;

/** One object of the shelf and the file it lies in. */
export interface Shelved {
  facts: CachedFacts;
  path: string;
  /** False after a restart, until the bytes have been compared with their hash. */
  isChecked: boolean;
  touchedMs: number;
  uses: number;
}

/** By a hash of the key: no folder grows long, and no key can be a path of its own making. */
export function placeOf(folder: string, key: string): string {
  const name = createHash("sha256").update(key).digest("hex");
  return join(folder, name.slice(0, 2), name);
}

export function touch(entry: Shelved): void {
  const now = Date.now();
  if (now - entry.touchedMs < TOUCH_EVERY_MS) return;
  entry.touchedMs = now;
  void utimes(entry.path, now / 1_000, now / 1_000).catch(() => {});
}

/** A power cut may leave a file of the right length with nothing in it: the first use after a start looks at every byte. */
export async function openSound(entry: Shelved): Promise<FileHandle | null> {
  let file: FileHandle | undefined;
  try {
    file = await open(entry.path);
    if (entry.isChecked || (await isSound(file, entry.facts))) {
      entry.isChecked = true;
      return file;
    }
  } catch {
    // A file that cannot be read is a file that is not there.
  }
  await file?.close();
  return null;
}

/** The whole files in the folder, in the order of their last use; what is not whole is removed. */
export async function takeUp(folder: string): Promise<Map<string, Shelved>> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found: Shelved[] = [];
  for (const place of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!place.isFile()) continue;
    const path = join(place.parentPath, place.name);
    const entry = await takeUpFile(path);
    if (entry !== null && path === placeOf(folder, entry.facts.key)) found.push(entry);
    else await rm(path, { force: true });
  }
  found.sort((a, b) => a.touchedMs - b.touchedMs);
  return new Map(found.map((entry) => [entry.facts.key, entry]));
}

async function takeUpFile(path: string): Promise<Shelved | null> {
  const file = await open(path);
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    await file.read(head, 0, HEAD_BYTES, 0);
    const { size, mtimeMs } = await file.stat();
    const facts = readHead(head, size);
    return facts === null ? null : { facts, path, isChecked: false, touchedMs: mtimeMs, uses: 0 };
  } finally {
    await file.close();
  }
}
