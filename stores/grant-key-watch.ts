import { readFile } from "node:fs/promises";
import { type GrantKey, parseGrantKeys } from "../core/grant.ts";
import type { Log } from "./log.ts";

/** Somebody who rotates keys waits for this at each step; the file is some hundred bytes. */
const LOOK_EVERY_MS = 2_000;

/** The grant keys as their file has them now. */
export interface GrantKeyWatch {
  /** The signing one first. */
  keys(): readonly GrantKey[];
  /** Looks now; never rejects. */
  look(): Promise<void>;
  close(): void;
}

/**
 * Reads the keys of `file` (`kid:hex[,kid:hex]`) now and every two seconds: by its text and not by the system's news of files, which
 * a mounted secret gives none of. Rejects where they cannot be read at the start; later a file that is gone or broken is told of once
 * and the last keys hold, and so they do where `onKeys`, which hears of each change, rejects: it is asked again.
 */
export async function watchGrantKeys(options: {
  file: string;
  log: Log;
  onKeys?: (keys: readonly GrantKey[]) => void | Promise<void>;
}): Promise<GrantKeyWatch> {
  const { file, log, onKeys } = options;
  let taken = await readFile(file, "utf8");
  let keys = parseGrantKeys(taken);
  let trouble: string | null = null;
  const lookOnce = async (): Promise<void> => {
    const text = await readFile(file, "utf8");
    if (text !== taken) {
      const read = parseGrantKeys(text);
      await onKeys?.(read);
      [taken, keys] = [text, read];
      log.info({ kids: keys.map(({ kid }) => kid) }, "grant keys taken from their file");
    }
    trouble = null;
  };
  let looking: Promise<void> = Promise.resolve();
  const look = () =>
    (looking = looking.then(lookOnce).catch((thrown: Error) => {
      if (thrown.message !== trouble) log.error({ err: thrown }, "grant keys not taken; the last ones hold");
      trouble = thrown.message;
    }));
  const timer = setInterval(look, LOOK_EVERY_MS);
  timer.unref();
  return { keys: () => keys, look, close: () => clearInterval(timer) };
}
