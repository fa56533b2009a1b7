import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, isListening } from "../../test/rig/processes.ts";
import { freePort } from "../../test/rig/product.ts";

/** A Redis of the soak's own, to be killed, emptied and frozen. */
export interface OwnRedis {
  url: string;
  process(): ChildProcess;
  /** Ends it with `kill -9`. */
  kill(): Promise<void>;
  /** Starts it again where it was, with what it had written, or with nothing. */
  start(isWiped: boolean): Promise<void>;
  close(): Promise<void>;
}

/** Starts it with what the product asks of a Redis: an append-only file, and nothing evicted. */
export async function startOwnRedis(): Promise<OwnRedis> {
  const port = await freePort();
  let folder = await mkdtemp(join(tmpdir(), "matinee-soak-redis-"));
  let child: ChildProcess;
  const run = async (): Promise<void> => {
    const place = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder];
    child = spawn("redis-server", [...place, "--appendonly", "yes", "--maxmemory-policy", "noeviction"], {
      stdio: "ignore",
    });
    await eventually("redis answers", 20, async () => (await isListening(port)) || null);
  };
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  };
  await run();
  process.once("exit", () => child.kill("SIGKILL"));
  return {
    url: `redis://127.0.0.1:${port}`,
    process: () => child,
    kill,
    async start(isWiped) {
      if (isWiped) {
        await rm(folder, { recursive: true, force: true });
        folder = await mkdtemp(join(tmpdir(), "matinee-soak-redis-"));
      }
      await run();
    },
    async close() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
