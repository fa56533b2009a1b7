import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type ProcessId, processId, processLives } from "./process-id.ts";
import type { Report } from "./report.ts";

/** What a data folder remembers between starts. */
export interface State {
  /** Processes of the running start, or what a killed one left behind. */
  children: ({ part: string } & ProcessId)[];
  /** The ports that each part had, kept where they are free again. */
  ports: Record<string, number>;
  /** How far the sample film has come in this folder. */
  sample: { uploadId: string | null; published: boolean };
  /** The start that holds the lock is on its way out. */
  stopping: boolean;
}

/** Reads and writes one folder's state; every change is on disk when the call returns. */
export interface StateFile {
  read(): State;
  update(change: (state: State) => void): void;
}

/** Opens `path`; an absent file is an empty state. Throws where it is not ours to read. */
export function openState(path: string): StateFile {
  const empty: State = {
    children: [],
    ports: {},
    sample: { uploadId: null, published: false },
    stopping: false,
  };
  const state: State = existsSync(path) ? { ...empty, ...JSON.parse(readFileSync(path, "utf8")) } : empty;
  return {
    read: () => state,
    update(change) {
      change(state);
      writePrivately(path, state);
    },
  };
}

/** Replaces a file by JSON that only its owner reads, whole or not at all. */
export function writePrivately(path: string, value: unknown): void {
  const draft = `${path}.${process.pid}.new`;
  rmSync(draft, { force: true });
  writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, path);
}

/**
 * Takes the folder's lock, a file naming this process. Answers a release, or the live process that holds it.
 * A lock whose process is gone is taken over.
 */
export function takeLock(path: string): { release(): void } | { heldBy: number } {
  const mine = processId(process.pid);
  if (mine === null) throw new Error("this process cannot be found in the system's list of processes");
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, JSON.stringify(mine), { mode: 0o600 });
  try {
    for (;;) {
      try {
        // A link comes into being with its content, and only once.
        linkSync(draft, path);
        return { release: () => rmSync(path, { force: true }) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const holder = readLock(path);
      if (holder !== null && processLives(holder)) return { heldBy: holder.pid };
      rmSync(path, { force: true });
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

function readLock(path: string): ProcessId | null {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as ProcessId;
  } catch {
    return null;
  }
}

/** A start whose terminal was killed needs a moment to notice, and then its time to stop. */
const NOTICE_MS = 2_000;
const STOPPING_MS = 60_000;
const LOOK_EVERY_MS = 100;

/** The folder's lock, once another start that is on its way out has let go of it. Throws where one lives on. */
export async function waitForLock(
  dataDirectory: string,
  report: Report,
  signal: AbortSignal,
): Promise<{ release(): void }> {
  const began = performance.now();
  let told = false;
  for (;;) {
    const lock = takeLock(join(dataDirectory, "lock"));
    if ("release" in lock) return lock;
    const waitMs = openState(join(dataDirectory, "state.json")).read().stopping ? STOPPING_MS : NOTICE_MS;
    if (performance.now() - began > waitMs) {
      throw new Error(
        `${dataDirectory} is in use by another start (process ${lock.heldBy}). Stop that one, or choose another --data folder.`,
      );
    }
    if (!told) report.note("lock", `process ${lock.heldBy} still holds ${dataDirectory}; waiting for it`);
    told = true;
    await pause(LOOK_EVERY_MS, undefined, { signal });
  }
}
