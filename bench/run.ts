import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { whenOrphaned } from "../infra/start/orphan.ts";
import { startParts } from "./parts.ts";

/**
 * `npm run bench -- NAME [arguments]`: brings up the real parts (MongoDB, Redis, S3, ffmpeg, sandbox) in a folder of
 * their own, runs `bench/NAME.ts` against them, and takes them down again.
 */

/** Files beside the benches that are none themselves; what the larger ones are made of is in folders. */
const PARTS_OF_THE_RIG = [
  "run.ts",
  "parts.ts",
  "table.ts",
  "cpu.ts",
  "cpu-share.ts",
  "encode-films.ts",
  "follow.ts",
  "bare-encode.ts",
  "bare-route.ts",
  "run-recipe.ts",
  "wrk.ts",
  "publish-title.ts",
  "make-viewers.ts",
  "media-tools.ts",
  "simulated-plan.ts",
  "speed-up-chart.ts",
];

/** These start everything by themselves, which is what they measure, or need nothing. */
const BRING_THEIR_OWN = ["start-up", "simulate", "watching"];

const root = resolve(import.meta.dirname, "..");
const benches = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".ts") && !PARTS_OF_THE_RIG.includes(file))
  .map((file) => file.slice(0, -".ts".length));

const [name, ...args] = process.argv.slice(2);
if (name === undefined || !benches.includes(name)) {
  process.stderr.write(`npm run bench -- NAME\n  NAME is one of: ${benches.join(", ")}\n`);
  process.exitCode = 2;
} else {
  process.exitCode = await runBench(name, args);
}

async function runBench(bench: string, benchArgs: string[]): Promise<number> {
  const ending = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => ending.abort());
  whenOrphaned(() => ending.abort());
  const parts = BRING_THEIR_OWN.includes(bench) ? null : await startParts(ending.signal);
  try {
    const child = spawn(process.execPath, [join(import.meta.dirname, `${bench}.ts`), ...benchArgs], {
      cwd: root,
      env: { ...process.env, ...parts?.environment },
      stdio: ["ignore", "inherit", "inherit"],
    });
    ending.signal.addEventListener("abort", () => child.kill("SIGTERM"), { once: true });
    const [code] = (await once(child, "exit")) as [number | null];
    return code ?? 1;
  } finally {
    await parts?.stop();
  }
}
