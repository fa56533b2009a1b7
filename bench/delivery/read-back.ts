import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * Writes all files below a folder to disk and has the kernel forget them, so that whoever asks next reads them back. What was
 * written a moment ago lies in memory as it was written: a file written at once in long runs of pages, which are cheaper to
 * send than those of the same file written piece by piece, as a cache does, or read back, as most of a library is. That would
 * compare the writers.
 */
export async function forgetPages(folder: string): Promise<void> {
  // dd copies nothing (count=0) and makes and cuts nothing (nocreat, notrunc): it flushes the file, and then its pages are dropped (nocache).
  const drop = ["dd", "of={}", "oflag=nocache", "conv=nocreat,notrunc,fdatasync", "count=0", "status=none"];
  await run("find", [folder, "-type", "f", "-exec", ...drop, ";"]);
}
