import { spawn } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import type { Report } from "./report.ts";

/** One way to put a program on this machine. */
export type Installer =
  | { by: "python"; requirement: string; binary: string }
  | { by: "go"; module: string; binary: string }
  | { by: "apt"; package: string; binary: string }
  | { by: "brew"; package: string; binary: string };

/** What a part is, and every way to come by it, in order. */
export interface Recipe {
  part: string;
  /** The setting that names one which already runs (a URL) or its program (a path). */
  setting: string;
  /** Programs that will do, best first. */
  binaries: readonly string[];
  installers: readonly Installer[];
  /** What a person can type where nothing of the above works. */
  advice: string;
}

/** What is known of this machine. */
export interface Machine {
  environment: Readonly<Record<string, string | undefined>>;
  /** Where a program is, null where it is not. */
  find(binary: string): string | null;
  isRoot: boolean;
}

/** What installing needs: where, to whom it tells, and when to give up. */
export interface Workbench {
  machine: Machine;
  report: Report;
  /** Ends running installations. */
  signal: AbortSignal;
}

export type Way =
  | { by: "setting"; value: string }
  | { by: "binary"; path: string }
  | { by: "install"; installer: Installer }
  | { by: "nothing"; advice: string };

const NEEDED_TOOL = { python: "python3", go: "go", apt: "apt-get", brew: "brew" } as const;

/** How this machine comes by a part: what was named, else what is there, else what can be installed. */
export function chooseWay(recipe: Recipe, machine: Machine): Way {
  const value = machine.environment[recipe.setting];
  if (value) return { by: "setting", value };
  for (const binary of recipe.binaries) {
    const path = machine.find(binary);
    if (path !== null) return { by: "binary", path };
  }
  const installer = recipe.installers.find(
    ({ by }) => machine.find(NEEDED_TOOL[by]) !== null && (by !== "apt" || machine.isRoot),
  );
  return installer ? { by: "install", installer } : { by: "nothing", advice: recipe.advice };
}

/** Our own programs live here, never in the system's folders: `$XDG_CACHE_HOME/matinee` or `~/.cache/matinee`. */
export function toolsDirectory(environment: Machine["environment"]): string {
  return join(environment.XDG_CACHE_HOME || join(homedir(), ".cache"), "matinee");
}

/** This machine as it is. */
export function thisMachine(environment: Machine["environment"]): Machine {
  const tools = toolsDirectory(environment);
  const folders = [
    ...(environment.PATH ?? "").split(delimiter),
    ...[join(tools, "bin"), join(tools, "venv/bin"), join(homedir(), "go/bin")],
    ...["/usr/local/go/bin", "/opt/homebrew/bin", "/usr/sbin"],
  ];
  return {
    environment,
    isRoot: process.getuid?.() === 0,
    find: (binary) => folders.map((folder) => join(folder, binary)).find(isProgram) ?? null,
  };
}

/**
 * The part's URL or program: found, or installed with every step shown. Throws one line that says what to type
 * where neither can be done.
 */
export async function obtain(
  recipe: Recipe,
  bench: Workbench,
): Promise<{ url: string } | { program: string }> {
  const { machine } = bench;
  const way = chooseWay(recipe, machine);
  if (way.by === "setting") return { url: way.value };
  if (way.by === "binary") return { program: way.path };
  if (way.by === "nothing") throw new Error(`${recipe.part}: ${way.advice}`);
  await install(way.installer, recipe.part, bench);
  const path = machine.find(way.installer.binary);
  if (path === null) throw new Error(`${recipe.part}: installed, but ${way.installer.binary} is not there`);
  return { program: path };
}

/** Package managers hold locks of their own: one installation at a time. */
let lastInstall: Promise<void> = Promise.resolve();
let packageListsAreFresh = false;

/** Installs one thing, shown step by step. Throws with what the installer said. */
export function install(installer: Installer, part: string, bench: Workbench): Promise<void> {
  const { machine, report, signal } = bench;
  const mine = lastInstall.then(async () => {
    if (installer.by === "apt" && machine.find(installer.binary) !== null) return;
    for (const { command, env } of commandsFor(installer, machine)) {
      report.step(part, `installing: ${command.join(" ")}`);
      await runCommand(part, command, { ...machine.environment, ...env }, signal);
    }
    if (installer.by === "apt") packageListsAreFresh = true;
  });
  lastInstall = mine.catch(() => {});
  return mine;
}

function commandsFor(
  installer: Installer,
  machine: Machine,
): { command: [string, ...string[]]; env?: Record<string, string> }[] {
  const tools = toolsDirectory(machine.environment);
  mkdirSync(tools, { recursive: true });
  const tool = machine.find(NEEDED_TOOL[installer.by]) as string;
  switch (installer.by) {
    case "python": {
      const venv = join(tools, "venv");
      const pip = join(venv, "bin/pip");
      return [
        ...(existsSync(pip) ? [] : [{ command: [tool, "-m", "venv", venv] as [string, ...string[]] }]),
        { command: [pip, "install", "--quiet", "--disable-pip-version-check", installer.requirement] },
      ];
    }
    case "go":
      return [{ command: [tool, "install", installer.module], env: { GOBIN: join(tools, "bin") } }];
    case "apt": {
      const env = { DEBIAN_FRONTEND: "noninteractive" };
      const update = { command: [tool, "update", "-qq"] as [string, ...string[]], env };
      return [
        ...(packageListsAreFresh ? [] : [update]),
        { command: [tool, "install", "-qq", "-y", "--no-install-recommends", installer.package], env },
      ];
    }
    case "brew":
      return [{ command: [tool, "install", "--quiet", installer.package] }];
  }
}

const OUTPUT_KEPT = 2_000;

function runCommand(
  part: string,
  [program, ...args]: [string, ...string[]],
  env: Record<string, string | undefined>,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, signal, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (bytes: Buffer) => {
        output = (output + bytes.toString()).slice(-OUTPUT_KEPT);
      });
    }
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) return resolve();
      reject(new Error(`${part}: \`${program} ${args.join(" ")}\` failed (${code})\n${output.trimEnd()}`));
    });
  });
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
