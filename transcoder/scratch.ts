import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ByteRange } from "../core/byte-ranges.ts";
import type { PinnedSource } from "../core/source.ts";
import type { Blobs } from "../stores/blobs.ts";
import { indexOf, KeptMasters } from "./kept-masters.ts";
import { checkWhole, digestInOrder } from "./master-digest.ts";
import type { PartialFile } from "./partial-file.ts";
import type { SourceIndex } from "./source-index.ts";
import { openWorkerFolder } from "./worker-folder.ts";

/** A master of which only what is asked for is on this machine. */
export interface PartialMaster
  extends Pick<PartialFile, "path" | "sizeBytes" | "fill" | "absent" | "put" | "isWhole"> {
  /** From storage, into memory. */
  fetch(range: ByteRange, signal: AbortSignal): Promise<readonly Uint8Array[]>;
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

/** Opens the scratch place of this worker and removes what dead workers left behind. */
export async function openScratch(settings: ScratchSettings, blobs: Blobs): Promise<Scratch> {
  const home = await openWorkerFolder(settings.directory, settings.workerId);
  const masters = new KeptMasters(home, settings.limitBytes, blobs);
  let attempts = 0;
  return {
    withSource: (pinned, signal, use) =>
      masters.withMaster(pinned, async (master) => {
        await master.fill([{ start: 0, end: pinned.sizeBytes }], signal);
        await checkWhole(pinned, master);
        return use(master.file.path);
      }),
    digest: (pinned, signal) => masters.withMaster(pinned, (master) => digestInOrder(master, signal)),
    withParts: (pinned, use) =>
      masters.withMaster(pinned, (master) => {
        const { path, sizeBytes, absent, isWhole } = master.file;
        const { fill, put, fetch } = master;
        const index = (wanting: AbortSignal) => indexOf(master, wanting);
        return use({ path, sizeBytes, absent, isWhole, fill, put, fetch, index });
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
    freeBytes: () => masters.freeBytes(),
    fetchedBytes: () => masters.fetchedBytes(),
    close: () => rm(home, { recursive: true, force: true }),
  };
}
