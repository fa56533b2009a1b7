import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, rm, stat, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Failure, sourceFailure } from "../core/errors.ts";
import type { PinnedSource } from "../core/source.ts";
import type { Blobs } from "../stores/blobs.ts";

/**
 * One worker's bounded place on disk: masters read from storage once and shared by its slots, and a fresh
 * directory per attempt that is always removed. A directory whose worker is gone is removed at the next start.
 */
export interface Scratch {
  /** Runs `use` with the local path of the master; it stays on disk for the next task until room is needed. */
  withSource<T>(pinned: PinnedSource, signal: AbortSignal, use: (path: string) => Promise<T>): Promise<T>;
  /** Runs `use` with a new empty directory and removes it afterwards, whatever happened. */
  withDirectory<T>(use: (path: string) => Promise<T>): Promise<T>;
  freeBytes(): Promise<number>;
  close(): Promise<void>;
}

export interface ScratchSettings {
  directory: string;
  limitBytes: number;
  workerId: string;
}

interface CachedMaster {
  path: string;
  sizeBytes: number;
  users: number;
  usedAt: number;
  ready: Promise<void>;
}

/** Kept free beside a master, for what is being encoded from it. */
const HEADROOM_BYTES = 256 * 2 ** 20;
const OWNER_FILE = "owner.pid";

/** Opens the scratch place of this worker and removes what dead workers left behind. */
export async function openScratch(settings: ScratchSettings, blobs: Blobs): Promise<Scratch> {
  await mkdir(settings.directory, { recursive: true });
  await removeLeftovers(settings.directory);
  const home = join(settings.directory, settings.workerId);
  await mkdir(home, { recursive: true });
  await writeFile(join(home, OWNER_FILE), String(process.pid));
  const masters = new Map<string, CachedMaster>();
  let attempts = 0;

  const free = async (): Promise<number> => {
    const disk = await statfs(home);
    return disk.bavail * disk.bsize;
  };

  return {
    async withSource(pinned, signal, use) {
      const master =
        masters.get(pinned.key) ?? (await admit(masters, pinned, home, settings.limitBytes, free, blobs));
      master.users += 1;
      try {
        await waitFor(master.ready, signal);
        return await use(master.path);
      } catch (error) {
        if (masters.get(pinned.key) === master && (await failedToArrive(master))) masters.delete(pinned.key);
        throw error;
      } finally {
        master.users -= 1;
        master.usedAt = performance.now();
      }
    },
    async withDirectory(use) {
      const path = join(home, `attempt-${attempts++}`);
      await mkdir(path);
      try {
        return await use(path);
      } finally {
        await rm(path, { recursive: true, force: true });
      }
    },
    freeBytes: free,
    close: () => rm(home, { recursive: true, force: true }),
  };
}

async function admit(
  masters: Map<string, CachedMaster>,
  pinned: PinnedSource,
  home: string,
  limitBytes: number,
  free: () => Promise<number>,
  blobs: Blobs,
): Promise<CachedMaster> {
  const path = join(home, `master-${createHash("sha256").update(pinned.key).digest("hex").slice(0, 24)}`);
  const master: CachedMaster = {
    path,
    sizeBytes: pinned.sizeBytes,
    users: 0,
    usedAt: performance.now(),
    // Started at once so that a second slot asking in the meantime waits for this download.
    ready: makeRoom(masters, pinned, limitBytes, free).then(() => fetchMaster(pinned, path, blobs)),
  };
  master.ready.catch(() => undefined);
  masters.set(pinned.key, master);
  return master;
}

/** Removes masters nobody uses, longest unused first, until the new one fits the limit and the disk. */
async function makeRoom(
  masters: Map<string, CachedMaster>,
  pinned: PinnedSource,
  limitBytes: number,
  free: () => Promise<number>,
): Promise<void> {
  const others = [...masters.entries()].filter(([key]) => key !== pinned.key);
  let held = others.reduce((sum, [, master]) => sum + master.sizeBytes, 0);
  const idle = others.filter(([, master]) => master.users === 0).sort(([, a], [, b]) => a.usedAt - b.usedAt);
  while (held + pinned.sizeBytes > limitBytes || (await free()) < pinned.sizeBytes + HEADROOM_BYTES) {
    const oldest = idle.shift();
    if (oldest === undefined) {
      throw new Failure(
        "resource",
        "scratch_full",
        "This worker has no room on disk for the source; free some or raise the limit.",
      );
    }
    masters.delete(oldest[0]);
    held -= oldest[1].sizeBytes;
    await rm(oldest[1].path, { force: true });
  }
}

/** Reads the master from storage, bound to its pinned version, and checks the digest its owner claimed. */
async function fetchMaster(pinned: PinnedSource, path: string, blobs: Blobs): Promise<void> {
  try {
    await blobs.download("sources", pinned.key, path, { ifMatch: pinned.etag });
    const { size } = await stat(path);
    if (size !== pinned.sizeBytes)
      throw new Failure("transient", "source_short", "The source did not arrive whole.");
    if (pinned.sha256 !== null && (await sha256OfFile(path)) !== pinned.sha256) {
      throw sourceFailure(
        "checksum_mismatch",
        "The file does not have the SHA-256 that its uploader stated.",
      );
    }
  } catch (error) {
    await rm(path, { force: true });
    if (isDiskFull(error)) {
      throw new Failure("resource", "scratch_full", "The worker's disk is full.", { cause: error });
    }
    throw error;
  }
}

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/** Whether an error, or what caused it, is a full disk. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOSPC" || code === "EDQUOT" || isDiskFull(error.cause);
}

async function failedToArrive(master: CachedMaster): Promise<boolean> {
  return master.ready.then(
    () => false,
    () => true,
  );
}

function waitFor(work: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
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
