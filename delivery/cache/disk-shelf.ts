import { type FileHandle, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type CachedFacts, HEAD_BYTES } from "./cached-file.ts";
import { openSound, placeOf, type Shelved, takeUp, touch } from "./shelved-file.ts";

/** After a write that the disk refused, objects pass by for so long. */
const REST_MS = 30_000;
/** No single object may push out more than this share of the others. */
const LARGEST_SHARE = 1 / 8;

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

export interface DiskShelfOptions {
  folder: string;
  limitBytes: number;
  onEvicted?: () => void;
}

/** What lies on it, and how much room that takes together with what is set aside. */
interface Stock {
  /** In the order of use, the latest last. */
  entries: Map<string, Shelved>;
  bytes: number;
}

/** Takes up what lies in `folder`, which is this process's alone. */
export async function openDiskShelf(options: DiskShelfOptions): Promise<DiskShelf> {
  const unfinished = join(options.folder, "unfinished");
  // What a dead process was fetching is of no use.
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  const objects = join(options.folder, "objects");
  const stock = stockOf(await takeUp(objects));
  let nextName = 0;
  let restsUntil = 0;
  const isResting = (): boolean => performance.now() < restsUntil;
  await makeRoom(stock, options);
  return {
    has: (key) => stock.entries.has(key),
    open: (key) => openEntry(stock, key),
    async reserve(sizeBytes) {
      if (sizeBytes > options.limitBytes * LARGEST_SHARE || isResting()) return false;
      stock.bytes += sizeOnDisk(sizeBytes);
      await makeRoom(stock, options);
      return true;
    },
    unfinishedPath: () => join(unfinished, String(nextName++)),
    keep: (path, facts) => keep(stock, placeOf(objects, facts.key), path, facts),
    giveBack(reservedBytes) {
      stock.bytes -= sizeOnDisk(reservedBytes);
    },
    rest() {
      restsUntil = performance.now() + REST_MS;
    },
    isResting,
    async forget(isGone) {
      for (const [key, entry] of stock.entries) if (isGone(key)) await drop(stock, key, entry);
    },
    bytes: () => stock.bytes,
    objects: () => stock.entries.size,
  };
}

function stockOf(entries: Map<string, Shelved>): Stock {
  const bytes = [...entries.values()].reduce((sum, { facts }) => sum + sizeOnDisk(facts.sizeBytes), 0);
  return { entries, bytes };
}

async function openEntry(stock: Stock, key: string): Promise<OpenedEntry | null> {
  const { entries } = stock;
  const entry = entries.get(key);
  if (entry === undefined) return null;
  entries.delete(key);
  entries.set(key, entry);
  entry.uses += 1;
  touch(entry);
  const file = await openSound(entry);
  if (file === null) {
    // Another may have come in its place meanwhile.
    if (entries.get(key) === entry) await drop(stock, key, entry);
    return null;
  }
  return { facts: entry.facts, file, uses: entry.uses };
}

async function keep(stock: Stock, place: string, path: string, facts: CachedFacts): Promise<void> {
  await mkdir(dirname(place), { recursive: true, mode: 0o700 });
  await rename(path, place);
  const old = stock.entries.get(facts.key);
  if (old !== undefined) stock.bytes -= sizeOnDisk(old.facts.sizeBytes);
  stock.entries.set(facts.key, { facts, path: place, isChecked: true, touchedMs: Date.now(), uses: 0 });
}

async function makeRoom(stock: Stock, { limitBytes, onEvicted }: DiskShelfOptions): Promise<void> {
  for (const [key, entry] of stock.entries) {
    if (stock.bytes <= limitBytes) return;
    onEvicted?.();
    await drop(stock, key, entry);
  }
}

async function drop(stock: Stock, key: string, entry: Shelved): Promise<void> {
  stock.entries.delete(key);
  stock.bytes -= sizeOnDisk(entry.facts.sizeBytes);
  await rm(entry.path, { force: true });
}

function sizeOnDisk(sizeBytes: number): number {
  return HEAD_BYTES + sizeBytes;
}
