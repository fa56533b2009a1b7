import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type CachedFacts, HEAD_BYTES, isSound, readHead } from "./cached-file.ts";

/** How often the time of use is written down: only the order after a restart depends on it. */
const TOUCH_EVERY_MS = 60_000;
/** After a write that the disk refused, objects pass by for so long. */
const REST_MS = 30_000;
/** No single object may push out more than this share of the others. */
const LARGEST_SHARE = 1 / 8;

interface Shelved {
  facts: CachedFacts;
  path: string;
  /** False after a restart, until the bytes have been compared with their hash. */
  isChecked: boolean;
  touchedMs: number;
  uses: number;
}

export interface OpenedEntry {
  facts: CachedFacts;
  file: FileHandle;
  /** How often it has been asked for since the start. */
  uses: number;
}

/** Objects on disk, the least recently used ones given up for new ones. Survives a restart. */
export interface DiskShelf {
  has(key: string): boolean;
  /** The object opened for reading, which the caller closes; null where it is not here or not sound. */
  open(key: string): Promise<OpenedEntry | null>;
  /** Sets so much aside, giving up others for it; false where the object is too large to be kept. */
  reserve(sizeBytes: number): Promise<boolean>;
  /** A path for a file that is not finished, on the same file system. */
  unfinishedPath(): string;
  /** The finished file becomes the object; what was reserved is now in use. */
  keep(path: string, facts: CachedFacts): Promise<void>;
  giveBack(reservedBytes: number): void;
  /** The disk refused a write: for a while nothing is put on it. */
  rest(): void;
  isResting(): boolean;
  forget(isGone: (key: string) => boolean): Promise<void>;
  bytes(): number;
  objects(): number;
}

/** Takes up what lies in `folder`, which is this process's alone. */
export async function openDiskShelf(options: {
  folder: string;
  limitBytes: number;
  onEvicted?: () => void;
}): Promise<DiskShelf> {
  const { folder, limitBytes } = options;
  const unfinished = join(folder, "unfinished");
  // What a dead process was fetching is of no use.
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  const shelf = await takeUp(join(folder, "objects"));
  let total = [...shelf.values()].reduce((sum, { facts }) => sum + sizeOnDisk(facts.sizeBytes), 0);
  let nextName = 0;
  let restsUntil = 0;
  const drop = async (key: string, entry: Shelved): Promise<void> => {
    shelf.delete(key);
    total -= sizeOnDisk(entry.facts.sizeBytes);
    await rm(entry.path, { force: true });
  };
  const makeRoom = async (bytes: number): Promise<void> => {
    for (const [key, entry] of shelf) {
      if (total + bytes <= limitBytes) return;
      options.onEvicted?.();
      await drop(key, entry);
    }
  };
  await makeRoom(0);
  return {
    has: (key) => shelf.has(key),
    async open(key) {
      const entry = shelf.get(key);
      if (entry === undefined) return null;
      shelf.delete(key);
      shelf.set(key, entry);
      entry.uses += 1;
      touch(entry);
      const file = await openSound(entry);
      if (file === null) {
        if (shelf.get(key) === entry) await drop(key, entry);
        return null;
      }
      return { facts: entry.facts, file, uses: entry.uses };
    },
    async reserve(sizeBytes) {
      if (sizeBytes > limitBytes * LARGEST_SHARE || performance.now() < restsUntil) return false;
      const bytes = sizeOnDisk(sizeBytes);
      total += bytes;
      await makeRoom(0);
      return true;
    },
    unfinishedPath: () => join(unfinished, String(nextName++)),
    async keep(path, facts) {
      const place = placeOf(join(folder, "objects"), facts.key);
      await mkdir(dirname(place), { recursive: true, mode: 0o700 });
      await rename(path, place);
      const old = shelf.get(facts.key);
      if (old !== undefined) total -= sizeOnDisk(old.facts.sizeBytes);
      shelf.set(facts.key, { facts, path: place, isChecked: true, touchedMs: Date.now(), uses: 0 });
    },
    giveBack(reservedBytes) {
      total -= sizeOnDisk(reservedBytes);
    },
    rest() {
      restsUntil = performance.now() + REST_MS;
    },
    isResting: () => performance.now() < restsUntil,
    async forget(isGone) {
      for (const [key, entry] of shelf) if (isGone(key)) await drop(key, entry);
    },
    bytes: () => total,
    objects: () => shelf.size,
  };
}

function sizeOnDisk(sizeBytes: number): number {
  return HEAD_BYTES + sizeBytes;
}

/** By a hash of the key: no folder grows long, and no key can be a path of its own making. */
function placeOf(folder: string, key: string): string {
  const name = createHash("sha256").update(key).digest("hex");
  return join(folder, name.slice(0, 2), name);
}

function touch(entry: Shelved): void {
  const now = Date.now();
  if (now - entry.touchedMs < TOUCH_EVERY_MS) return;
  entry.touchedMs = now;
  void utimes(entry.path, now / 1_000, now / 1_000).catch(() => {});
}

/** A power cut may leave a file of the right length with nothing in it: the first use after a start looks at every byte. */
async function openSound(entry: Shelved): Promise<FileHandle | null> {
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
async function takeUp(folder: string): Promise<Map<string, Shelved>> {
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
