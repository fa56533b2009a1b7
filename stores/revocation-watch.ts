import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { NO_REVOCATIONS, parseRevocations, REVOCATIONS_KEY, type Revocations } from "../core/revocation.ts";
import type { Blobs } from "./blobs.ts";
import type { Log } from "./log.ts";

/** What is called back works on every edge within a minute: this, the publisher's turn and a slow store have room in it. */
const LOOK_EVERY_MS = 10_000;
const FIRST_LOOK_MS = 3_000;
/** Older than this a list may miss something that was called back a minute ago. */
export const STALE_AFTER_SECONDS = 60;

export interface RevocationWatch {
  /** The list as it was last read. */
  list(): Revocations;
  /** Since the store was last asked with success; Infinity where it never answered. */
  ageSeconds(): number;
  /** Looks now; never rejects. */
  look(): Promise<void>;
  close(): void;
}

/**
 * Reads the list of revocations now and every ten seconds. While the store is away the last list holds, also over a
 * restart where there is a `folder` to keep it in. `onList` hears of every new list.
 */
export async function watchRevocations(options: {
  blobs: Blobs;
  log: Log;
  folder?: string | null;
  everyMs?: number;
  onList?: (list: Revocations) => void | Promise<void>;
}): Promise<RevocationWatch> {
  const { blobs, log, onList } = options;
  const file = options.folder ? join(options.folder, REVOCATIONS_KEY) : null;
  let list = file === null ? null : await savedList(file);
  let etag: string | null = null;
  let askedAt = Number.NEGATIVE_INFINITY;
  const take = async (text: string): Promise<void> => {
    const taken = parseRevocations(text);
    await onList?.(taken);
    list = taken;
    if (file !== null) await save(file, text).catch((thrown) => log.warn({ err: thrown }, "list not saved"));
  };
  const lookOnce = async (): Promise<void> => {
    const began = performance.now();
    const facts = await blobs.head("media", REVOCATIONS_KEY);
    // None yet: nothing was ever called back. One that vanished was not lifted by anybody: the last one holds.
    if (facts !== null && facts.etag !== etag) {
      const text = await blobs.read("media", REVOCATIONS_KEY, { ifMatch: facts.etag });
      if (text === null) return;
      await take(Buffer.from(text).toString("utf8"));
      etag = facts.etag;
    }
    askedAt = began;
  };
  let looking: Promise<void> = Promise.resolve();
  const look = () =>
    (looking = looking
      .then(lookOnce)
      .catch((thrown) => log.warn({ err: thrown }, "the list of revocations cannot be had")));
  if (list !== null) await onList?.(list);
  // A store that is silent must not keep an edge with a warm cache from starting.
  await Promise.race([look(), pause(FIRST_LOOK_MS, undefined, { ref: false })]);
  const timer = setInterval(look, options.everyMs ?? LOOK_EVERY_MS);
  timer.unref();
  return {
    list: () => list ?? NO_REVOCATIONS,
    ageSeconds: () => (performance.now() - askedAt) / 1_000,
    look,
    close: () => clearInterval(timer),
  };
}

async function savedList(file: string): Promise<Revocations | null> {
  try {
    return parseRevocations(await readFile(file, "utf8"));
  } catch {
    return null;
  }
}

async function save(file: string, text: string): Promise<void> {
  const unfinished = `${file}.new`;
  await writeFile(unfinished, text);
  await rename(unfinished, file);
}
