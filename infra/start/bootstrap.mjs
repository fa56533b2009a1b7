// Runs one of our TypeScript programs on a machine that may have nothing but some Node ≥ 18 and npm:
//   node bootstrap.mjs <script.ts> [arguments…]
// It installs the packages where they are missing or stale, finds a Node that runs TypeScript as it is, and
// stands between the terminal and the program: each signal once, and the program's own exit code.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Node 24 strips types by itself. */
const LEAST_NODE_MAJOR = 24;
/** npm repeats the signals that the terminal has already sent: the same one within this time counts once. */
const SAME_SIGNAL_MS = 1_000;
const PARENT_LOOK_MS = 500;

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const binaries = join(root, "node_modules/.bin");

const [script, ...args] = process.argv.slice(2);
if (script === undefined) fail("usage: node bootstrap.mjs <script.ts> [arguments…]");
if (!packagesAreCurrent()) installPackages();
run(findNode(), [resolve(root, script), ...args]);

function packagesAreCurrent() {
  const wanted = join(root, "package-lock.json");
  const installed = join(root, "node_modules/.package-lock.json");
  if (!existsSync(installed)) return false;
  if (statSync(installed).mtimeMs >= statSync(wanted).mtimeMs) return true;
  // A checkout touches the file without changing it: compare what is in it before minutes of work.
  const want = JSON.parse(readFileSync(wanted, "utf8")).packages;
  const have = JSON.parse(readFileSync(installed, "utf8")).packages;
  const missing = ([path, { version, optional }]) =>
    path !== "" && have[path]?.version !== version && !(optional && have[path] === undefined);
  return !Object.entries(want).some(missing);
}

function installPackages() {
  // Not `npm ci`: it refuses a lock file made where a registry lacks other platforms' optional packages, as
  // some mirrors do. This installs the versions of the lock file as well and leaves it untouched.
  const command = ["install", "--no-save", "--loglevel=error"];
  console.error(`matinee: installing the packages (npm ${command.join(" ")})`);
  // npm's words go to stderr: our stdout belongs to the program.
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const { status } = spawnSync(npm, command, { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) fail("the packages could not be installed; npm says why above");
}

function findNode() {
  if (Number.parseInt(process.versions.node, 10) >= LEAST_NODE_MAJOR) return process.execPath;
  const own = join(binaries, "node");
  if (existsSync(own)) return own;
  return fail(`Node ${LEAST_NODE_MAJOR} or newer is needed, this is ${process.version}. Type: npm install`);
}

function run(node, nodeArgs) {
  const child = spawn(node, nodeArgs, {
    // The channel carries nothing; its end tells the program that this process is gone, even after kill -9.
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    // A session of its own: Ctrl-C reaches this process only, and is passed on once.
    detached: true,
    env: { ...process.env, PATH: `${binaries}${delimiter}${process.env.PATH ?? ""}` },
  });
  forwardSignals(child);
  if (process.env.npm_lifecycle_event !== undefined) followParent(child);
  child.on("error", (error) => fail(error.message));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
}

function forwardSignals(child) {
  const lastAt = new Map();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      const now = performance.now();
      if (now - (lastAt.get(signal) ?? Number.NEGATIVE_INFINITY) < SAME_SIGNAL_MS) return;
      lastAt.set(signal, now);
      child.kill(signal);
    });
  }
}

/** Whoever kills npm with -9 means us too. */
function followParent(child) {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) child.kill("SIGTERM");
  }, PARENT_LOOK_MS).unref();
}

function fail(why) {
  console.error(`matinee: ${why}`);
  process.exit(1);
}
