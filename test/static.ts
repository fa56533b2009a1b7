import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");

/** Runs the type check and the linter, their words on stderr; answers how many of them failed. */
export async function runStaticChecks(): Promise<number> {
  const checks: [string, string[]][] = [
    ["tsc", ["-p", "."]],
    ["biome", ["check", "."]],
  ];
  let failed = 0;
  for (const [program, args] of checks) {
    const check = spawn(join(root, "node_modules/.bin", program), args, {
      cwd: root,
      stdio: ["ignore", 2, 2],
    });
    const [status] = await once(check, "exit");
    process.stderr.write(`  ${status === 0 ? "✓" : "✗"} ${program} ${args.join(" ")}\n`);
    if (status !== 0) failed += 1;
  }
  return failed;
}

if (process.argv[1] === import.meta.filename) {
  let failed = await runStaticChecks();
  const { status } = spawnSync(process.execPath, ["--test", "test/layout.test.ts"], {
    cwd: root,
    stdio: "inherit",
  });
  if (status !== 0) failed += 1;
  process.exitCode = failed === 0 ? 0 : 1;
}
