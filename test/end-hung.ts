import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { resolve } from "node:path";
import type { run } from "node:test";
import { descendants } from "./rig/processes.ts";

/** What a test file may take. */
export interface FileLimits {
  wholeMs: number;
  /** With nothing to be heard of it, once all tests that it has named are done. */
  afterLastTestMs: number;
}

/** What was heard of a file under way. Tests count from where they are named to where they are done. */
export interface FileHeard {
  beganAtMs: number;
  heardAtMs: number;
  testsNamed: number;
  testsDone: number;
}

/** A file that did not end by itself: why it was ended, and what it said last. */
export interface Hung {
  file: string;
  why: string;
  lastOutput: string;
}

interface Watched extends FileHeard {
  output: string;
  /** What its process writes to; whoever holds it too keeps the run waiting. */
  holds: Set<string>;
}

const LOOK_EVERY_MS = 1_000;
const OUTPUT_KEPT = 4_000;

/** Why a file is to be ended now; null as long as it may go on. */
export function whyHung(heard: FileHeard, limits: FileLimits, nowMs: number): string | null {
  const { beganAtMs, heardAtMs, testsNamed, testsDone } = heard;
  if (nowMs - beganAtMs > limits.wholeMs) return `not done after ${limits.wholeMs / 1_000} s`;
  const isThrough = testsNamed > 0 && testsDone >= testsNamed;
  if (isThrough && nowMs - heardAtMs > limits.afterLastTestMs)
    return `still there ${limits.afterLastTestMs / 1_000} s after its last test`;
  return null;
}

/**
 * Ends the files of a run that do not end by themselves, with all that they have started, and tells of each: the run goes on.
 * Node's own limit asks politely, so a file that is busy, or waits in its own clean-up, outlives it; and a process that
 * outlives its file holds the file's output, and so the run. Answers how to stop watching. The run is to be of this
 * process's folder. Needs `/proc`.
 */
export function endHung(
  stream: ReturnType<typeof run>,
  limits: FileLimits,
  tell: (hung: Hung) => void,
): () => void {
  const watched = new Map<string, Watched>();
  const look = (): void => {
    const running = childrenByFile([...watched.keys()]);
    for (const [file, heard] of watched) {
      const pid = running.get(file);
      if (pid !== undefined) for (const link of outputsOf(pid)) heard.holds.add(link);
      const why = whyHung(heard, limits, performance.now());
      if (why === null) continue;
      watched.delete(file);
      endAll([...(pid === undefined ? [] : treeOf(pid)), ...holdersOf(heard.holds)]);
      tell({ file, why, lastOutput: heard.output.trim() });
    }
  };
  // A file may be through before the next look: its process is seen as soon as it is there.
  listen(stream, watched, () => setImmediate(look));
  const looking = setInterval(look, LOOK_EVERY_MS);
  return () => clearInterval(looking);
}

/** Keeps count of what the files say of their tests. The file itself is announced like a test, first, and done last. */
function listen(stream: ReturnType<typeof run>, watched: Map<string, Watched>, onBegun: () => void): void {
  // Some events name the file as the run was told.
  const heardOf = (file: string | undefined, change: (heard: Watched) => void): void => {
    const heard = watched.get(resolve(file ?? ""));
    if (heard === undefined) return;
    heard.heardAtMs = performance.now();
    change(heard);
  };
  stream.on("test:dequeue", ({ file, name }) => {
    if (file === undefined || file !== resolve(name)) return heardOf(file, () => {});
    const now = performance.now();
    const counts = { testsNamed: 0, testsDone: 0 };
    watched.set(file, { beganAtMs: now, heardAtMs: now, ...counts, output: "", holds: new Set() });
    onBegun();
  });
  stream.on("test:enqueue", ({ file }) => heardOf(file, (heard) => heard.testsNamed++));
  stream.on("test:complete", ({ file, name }) => {
    if (file === resolve(name)) watched.delete(file);
    else heardOf(file, (heard) => heard.testsDone++);
  });
  const keep = ({ file, message }: { file?: string; message: string }): void =>
    heardOf(file, (heard) => {
      heard.output = (heard.output + message).slice(-OUTPUT_KEPT);
    });
  stream.on("test:stdout", keep);
  stream.on("test:stderr", keep);
}

/** Of the files, those that a child of this process runs now, with its pid. */
function childrenByFile(files: readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const { pid } of descendants(process.pid).filter(({ parent }) => parent === process.pid)) {
    const words = readQuietly(() => readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")) ?? [];
    const file = files.find((one) => words.some((word) => resolve(word) === one));
    if (file !== undefined) found.set(file, pid);
  }
  return found;
}

/** What stands behind a process's stdout and stderr, where that is a channel of its own. */
function outputsOf(pid: number): string[] {
  return [1, 2].flatMap((fd) => {
    const link = readQuietly(() => readlinkSync(`/proc/${pid}/fd/${fd}`));
    return link !== null && /^(socket|pipe):/.test(link) ? [link] : [];
  });
}

function holdersOf(links: ReadonlySet<string>): number[] {
  const ours = outputsOf(process.pid);
  const theirs = [...links].filter((link) => !ours.includes(link));
  const pids = readQuietly(() => readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) ?? [];
  return pids.map(Number).filter((pid) => outputsOf(pid).some((link) => theirs.includes(link)));
}

function treeOf(pid: number): number[] {
  return [pid, ...descendants(pid).map((one) => one.pid)];
}

function endAll(pids: readonly number[]): void {
  for (const pid of new Set(pids)) readQuietly(() => process.kill(pid, "SIGKILL"));
}

/** What has ended meanwhile, or is another user's, is nothing to us. */
function readQuietly<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
