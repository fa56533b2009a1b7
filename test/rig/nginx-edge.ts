import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { REVOCATIONS_KEY, type Revocations, revocationsText } from "../../core/revocation.ts";
import type { Blobs } from "../../stores/blobs.ts";
import { publishRevocations } from "../../stores/publish-revocations.ts";
import { freePort } from "./product.ts";

/** The nginx edge as it is deployed: infra/nginx/main.ts with nginx below it. */
export interface NginxEdge {
  url: string;
  child: ChildProcess;
  folder: string;
  /** What it wrote to stderr, line by line; the same goes to ours. */
  said: string[];
  /** Publishes the list and waits until nginx goes by it. */
  revoke(list: Revocations): Promise<void>;
  stop(): Promise<void>;
}

const MAIN = new URL("../../infra/nginx/main.ts", import.meta.url).pathname;

/** `environment` names the store and the keys, as for the Node edge. `blobs` publishes revocations. */
export async function startNginxEdge(environment: Record<string, string>, blobs: Blobs): Promise<NginxEdge> {
  const folder = await mkdtemp(join(tmpdir(), "matinee-nginx-"));
  const port = await freePort();
  const child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env.PATH,
      MATINEE_HTTP_PORT: String(port),
      MATINEE_NGINX_PATH: process.env.MATINEE_TEST_NGINX || "/usr/sbin/nginx",
      MATINEE_NGINX_USER: "root",
      MATINEE_NGINX_WORKERS: "1",
      MATINEE_NGINX_STATE_DIR: join(folder, "state"),
      MATINEE_EDGE_CACHE_DIR: join(folder, "cache"),
      MATINEE_EDGE_CACHE_BYTES: String(256 * 1024 * 1024),
      MATINEE_REVOCATIONS_EVERY_MS: "50",
      MATINEE_LOG_LEVEL: "error",
      ...environment,
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const said: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    said.push(line);
    process.stderr.write(`${line}\n`);
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, "exit");
      // Twice: answers under way are not waited for.
      child.kill("SIGTERM");
      child.kill("SIGTERM");
      await exit;
    }
    await rm(folder, { recursive: true, force: true });
  };
  await listening(port, child);
  return {
    url: `http://127.0.0.1:${port}`,
    child,
    folder,
    said,
    stop,
    async revoke(list) {
      await publishRevocations(blobs, list);
      while (!(await isInForce(join(folder, "state"), list))) await pause(20);
    },
  };
}

/** The watch writes the list down once the edge goes by it. */
async function isInForce(state: string, list: Revocations): Promise<boolean> {
  const file = join(state, REVOCATIONS_KEY);
  return existsSync(file) && (await readFile(file, "utf8")) === revocationsText(list);
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the nginx edge ended with ${child.exitCode}`);
    const answers = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true));
      socket.once("error", () => resolve(false)).once("connect", () => socket.destroy());
    });
    if (answers) return;
    await pause(50);
  }
}
