import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { descendants } from "../test/rig/processes.ts";
import { residentMebibytes } from "./cpu.ts";
import { startParts } from "./parts.ts";
import { figure, printTable } from "./table.ts";

/**
 * `npm start -- --empty` until it says that it is ready: with a new data folder and unbuilt pages, and again with
 * both as they were left; beside the outer parts alone. Then the memory of every process. `node bench/start-up.ts`
 */

const root = resolve(import.meta.dirname, "..");
const data = await mkdtemp(join(tmpdir(), "matinee-bench-data-"));

try {
  const alone = await partsAlone();
  await rm(join(root, "dist/pages"), { recursive: true, force: true });
  const cold = await start();
  const second = await start();
  const row = (name: string, wallSeconds: number) => [
    name,
    figure(wallSeconds, 1),
    figure(wallSeconds / alone),
  ];
  printTable(
    ["to ready", "wall s", "÷ parts alone"],
    [
      row("MongoDB, Redis, S3 alone", alone),
      row("npm start, new folder, pages to build", cold.wallSeconds),
      row("npm start, the second time", second.wallSeconds),
    ],
  );
  const total = second.memory.reduce((sum, { mebibytes }) => sum + mebibytes, 0);
  printTable(
    ["process, idle", "resident MiB", "÷ all"],
    [
      ...second.memory.map(({ name, mebibytes }) => [name, figure(mebibytes, 0), figure(mebibytes / total)]),
    ].concat([["all", figure(total, 0), "1"]]),
  );
} finally {
  await rm(data, { recursive: true, force: true });
}

async function partsAlone(): Promise<number> {
  const began = performance.now();
  const parts = await startParts(new AbortController().signal);
  const seconds = (performance.now() - began) / 1000;
  await parts.stop();
  return seconds;
}

async function start() {
  const began = performance.now();
  // As `npm start` does, without npm's own half second.
  const args = ["infra/start/bootstrap.mjs", "infra/start/main.ts", "--empty", "--json", "--data", data];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout! });
  await Promise.race([once(lines, "line"), ended(child)]);
  const wallSeconds = (performance.now() - began) / 1000;
  const memory = descendants(child.pid!).map(({ pid, name }) => ({
    name: nameOf(pid, name),
    mebibytes: residentMebibytes(pid),
  }));
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  await exit;
  return { wallSeconds, memory: memory.sort((a, b) => b.mebibytes - a.mebibytes) };
}

async function ended(child: ChildProcess): Promise<never> {
  const [code] = await once(child, "exit");
  throw new Error(`the start ended with ${code} before it was ready`);
}

/** What runs, in a word: the script where it is Node, else the program. */
function nameOf(pid: number, program: string): string {
  const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  const script = words.find((word) => word.startsWith(root) && word.endsWith(".ts"));
  return script === undefined ? program : script.slice(root.length + 1);
}
