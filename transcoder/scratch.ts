import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { coveredBytes, inPieces } from "../core/byte-ranges.ts";
import { Failure, sourceFailure } from "../core/errors.ts";
import type { PinnedSource } from "../core/source.ts";
import type { Blobs } from "../stores/blobs.ts";
import { asDiskFailure } from "./disk-failure.ts";
import { type FetchRange, makePartialFile, type PartialFile, readSpan } from "./partial-file.ts";
import { readSourceIndex, type SourceIndex } from "./source-index.ts";

/** A master of which only what is asked for is on this machine. */
export interface PartialMaster extends Pick<PartialFile, "path" | "fill" | "isWhole"> {
  /** Where its samples lie; null for containers that tell it only by being read to their end. */
  index(signal: AbortSignal): Promise<SourceIndex | null>;
}

/**
 * One worker's bounded place on disk: masters read from storage, as much of each as is needed, shared by its slots, and
 * a fresh directory per attempt that is always removed. A directory whose worker is gone is removed at the next start.
 */
export interface Scratch {
  /**
   * Runs `use` with the local path of the whole master, whose digest is the one that its owner stated; it stays on disk
   * for the next task until room is needed.
   */
  withSource<T>(pinned: PinnedSource, signal: AbortSignal, use: (path: string) => Promise<T>): Promise<T>;
  /** Hex SHA-256 of the whole master, read once in order; what fits stays on disk. */
  digest(pinned: PinnedSource, signal: AbortSignal): Promise<string>;
  /** Runs `use` with a master that is read in parts, as `use` asks for them. */
  withParts<T>(pinned: PinnedSource, use: (master: PartialMaster) => Promise<T>): Promise<T>;
  /** Runs `use` with a new empty directory and removes it afterwards, whatever happened. */
  withDirectory<T>(use: (path: string) => Promise<T>): Promise<T>;
  freeBytes(): Promise<number>;
  /** Bytes read from storage since the start. */
  fetchedBytes(): number;
  close(): Promise<void>;
}

export interface ScratchSettings {
  directory: string;
  limitBytes: number;
  workerId: string;
}

interface CachedMaster {
  file: PartialFile;
  users: number;
  usedAt: number;
  /** Set once; a failed look is tried anew by the next who asks. */
  index: Promise<SourceIndex | null> | null;
  digestChecked: boolean;
}

/** Kept free beside a master, for what is being encoded from it. */
const HEADROOM_BYTES = 256 * 2 ** 20;
const HASHED_AT_ONCE_BYTES = 8 * 2 ** 20;
const OWNER_FILE = "owner.pid";
/** Codes of a master, or a part of one, that cannot be kept here. */
const NO_ROOM: ReadonlySet<string> = new Set(["scratch_full", "source_too_large"]);

/** Opens the scratch place of this worker and removes what dead workers left behind. */
export async function openScratch(settings: ScratchSettings, blobs: Blobs): Promise<Scratch> {
  await mkdir(settings.directory, { recursive: true });
  await removeLeftovers(settings.directory);
  const home = join(settings.directory, settings.workerId);
  await mkdir(home, { recursive: true });
  await writeFile(join(home, OWNER_FILE), String(process.pid));
  const masters = new Map<string, Promise<CachedMaster>>();
  let attempts = 0;
  let fetched = 0;

  const free = async (): Promise<number> => {
    const disk = await statfs(home);
    return disk.bavail * disk.bsize;
  };
  const fetchRange =
    (pinned: PinnedSource): FetchRange =>
    async (range, signal) => {
      const bytes = await blobs.read("sources", pinned.key, {
        range: { start: range.start, end: range.end - 1 },
        ifMatch: pinned.etag,
        signal,
      });
      if (bytes?.length !== range.end - range.start)
        throw new Failure("transient", "source_short", "The source did not arrive whole.");
      fetched += bytes.length;
      return bytes;
    };
  const admit = async (pinned: PinnedSource): Promise<CachedMaster> => {
    const path = join(home, `master-${createHash("sha256").update(pinned.key).digest("hex").slice(0, 24)}`);
    const file = await makePartialFile(path, pinned.sizeBytes, fetchRange(pinned));
    return { file, users: 0, usedAt: performance.now(), index: null, digestChecked: false };
  };
  /** The master, kept from being removed while `use` runs. */
  const withMaster = async <T>(
    pinned: PinnedSource,
    use: (master: CachedMaster) => Promise<T>,
  ): Promise<T> => {
    const known = masters.get(pinned.key) ?? admit(pinned);
    masters.set(pinned.key, known);
    known.catch(() => masters.delete(pinned.key));
    const master = await known.catch((thrown: unknown) => Promise.reject(asDiskFailure(thrown)));
    master.users += 1;
    try {
      return await use(master);
    } finally {
      master.users -= 1;
      master.usedAt = performance.now();
    }
  };
  const fill: (pinned: PinnedSource, master: CachedMaster) => PartialFile["fill"] =
    (pinned, { file }) =>
    async (ranges, signal) => {
      const needed = Math.min(pinned.sizeBytes, coveredBytes(ranges) + file.heldBytes());
      await makeRoom(masters, pinned, needed, file.heldBytes(), settings.limitBytes, free);
      await file.fill(ranges, signal);
    };

  return {
    withSource: (pinned, signal, use) =>
      withMaster(pinned, async (master) => {
        await fill(pinned, master)([{ start: 0, end: pinned.sizeBytes }], signal);
        await checkDigest(pinned, master);
        return use(master.file.path);
      }),
    digest: (pinned, signal) =>
      withMaster(pinned, async (master) => {
        const hash = createHash("sha256");
        for (const piece of inPieces([{ start: 0, end: pinned.sizeBytes }], HASHED_AT_ONCE_BYTES)) {
          // Kept where there is room: whoever encodes here reads it next.
          const isHere = await fill(pinned, master)([piece], signal).then(
            () => true,
            (thrown: unknown) => {
              if (thrown instanceof Failure && NO_ROOM.has(thrown.code)) return false;
              throw thrown;
            },
          );
          hash.update(
            isHere ? await readSpan(master.file.path, piece) : await fetchRange(pinned)(piece, signal),
          );
        }
        return hash.digest("hex");
      }),
    withParts: (pinned, use) =>
      withMaster(pinned, (master) => {
        const { path, isWhole } = master.file;
        const fillPart = fill(pinned, master);
        const index = (signal: AbortSignal): Promise<SourceIndex | null> => {
          master.index ??= readSourceIndex({ path, sizeBytes: pinned.sizeBytes, fill: fillPart }, signal);
          master.index.catch(() => {
            master.index = null;
          });
          return master.index;
        };
        return use({ path, isWhole, fill: fillPart, index });
      }),
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
    fetchedBytes: () => fetched,
    close: () => rm(home, { recursive: true, force: true }),
  };
}

/** Removes masters nobody uses, longest unused first, until `needed` bytes of this one fit the limit and the disk. */
async function makeRoom(
  masters: Map<string, Promise<CachedMaster>>,
  pinned: PinnedSource,
  needed: number,
  heldAlready: number,
  limitBytes: number,
  free: () => Promise<number>,
): Promise<void> {
  if (needed > limitBytes) {
    throw new Failure(
      "resource",
      "source_too_large",
      `This worker keeps at most ${limitBytes} bytes of masters, and needs ${needed} of this one.`,
    );
  }
  const settled = await Promise.all(
    [...masters].map(async ([key, opening]) => ({ key, master: await opening.catch(() => null) })),
  );
  const others = settled.flatMap(({ key, master }) =>
    key === pinned.key || master === null ? [] : [{ key, master }],
  );
  let held = others.reduce((sum, { master }) => sum + master.file.heldBytes(), 0);
  const idle = others
    .filter(({ master }) => master.users === 0)
    .sort((a, b) => a.master.usedAt - b.master.usedAt);
  while (held + needed > limitBytes || (await free()) < needed - heldAlready + HEADROOM_BYTES) {
    const oldest = idle.shift();
    if (oldest === undefined) {
      throw new Failure(
        "resource",
        "scratch_full",
        "This worker has no room on disk for the source; free some or raise the limit.",
      );
    }
    masters.delete(oldest.key);
    held -= oldest.master.file.heldBytes();
    await rm(oldest.master.file.path, { force: true });
  }
}

/** Compares the whole file with the digest that its owner claimed, once. */
async function checkDigest(pinned: PinnedSource, master: CachedMaster): Promise<void> {
  if (pinned.sha256 === null || master.digestChecked) return;
  const hash = createHash("sha256");
  await pipeline(createReadStream(master.file.path), hash);
  requireDigest(pinned, hash.digest("hex"));
  master.digestChecked = true;
}

/** Throws `checksum_mismatch` where a master's digest is not the one that its owner stated. */
export function requireDigest({ sha256 }: PinnedSource, found: string): void {
  if (sha256 === null || sha256 === found) return;
  throw sourceFailure("checksum_mismatch", "The file does not have the SHA-256 that its uploader stated.");
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
