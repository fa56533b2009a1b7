import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Report } from "./report.ts";

/** The pages by the name under which the API serves them, and their sources. */
const PAGES = { player: "player-demo", studio: "studio/web" };

/** Builds the pages whose sources changed into `<root>/dist/pages`, and answers that folder. */
export async function buildPages(root: string, report: Report, signal: AbortSignal): Promise<string> {
  const target = join(root, "dist/pages");
  mkdirSync(target, { recursive: true });
  for (const [name, source] of Object.entries(PAGES)) {
    if (!existsSync(join(root, source, "vite.config.ts"))) {
      report.note("pages", `${name}: there is nothing to build in ${source} yet`);
      continue;
    }
    const hash = hashOf(root, source);
    const stamp = join(target, `.${name}.hash`);
    const built = existsSync(join(target, name, "index.html"));
    if (built && existsSync(stamp) && readFileSync(stamp, "utf8") === hash) {
      report.done("pages", `${name}: built already`);
      continue;
    }
    report.step("pages", `${name}: building`);
    await viteBuild(root, source, signal);
    writeFileSync(stamp, hash);
    report.done("pages", `${name}: built`);
  }
  return target;
}

/** Of every file of the page's room, which it may import, and of the versions of all packages. */
function hashOf(root: string, source: string): string {
  const room = source.split("/")[0] ?? source;
  const hash = createHash("sha256").update(readFileSync(join(root, "package-lock.json")));
  const files = readdirSync(join(root, room), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(file));
  return hash.digest("hex");
}

function viteBuild(root: string, source: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const vite = join(root, "node_modules/vite/bin/vite.js");
    const child = spawn(process.execPath, [vite, "build", source, "--logLevel", "warn"], {
      cwd: root,
      signal,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (bytes: Buffer) => {
        output += bytes.toString();
      });
    }
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`vite build ${source} failed\n${output}`)),
    );
  });
}
