import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { basename } from "node:path";
import { obtain, type Recipe } from "../install.ts";
import { LOOPBACK } from "../ports.ts";
import type { PartContext } from "./context.ts";

export const REDIS: Recipe = {
  part: "redis",
  setting: "MATINEE_REDIS_URL",
  binaries: ["redis-server", "valkey-server"],
  installers: [
    { by: "apt", package: "redis-server", binary: "redis-server" },
    { by: "brew", package: "redis", binary: "redis-server" },
  ],
  advice:
    "there is no redis-server or valkey-server. Type: sudo apt-get install redis-server (or: brew install redis), or set MATINEE_REDIS_URL.",
};

/** A Redis that answers, as a URL with its password, or the URL that was set. */
export async function startRedis(context: PartContext): Promise<string> {
  const found = await obtain(REDIS, context);
  if ("url" in found) return found.url;
  const port = context.ports.redis as number;
  const password = context.secrets.redisPassword;
  const directory = `${context.dataDirectory}/redis`;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const settings = `${directory}/redis.conf`;
  writeFileSync(settings, redisSettings(directory, port, password), { mode: 0o600 });
  await context.supervisor.start({
    part: REDIS.part,
    command: found.program,
    args: [settings],
    env: context.machine.environment,
    layer: 0,
    stopMs: 10_000,
    check: () => ping(port, password),
  });
  context.report.done(REDIS.part, `${basename(found.program)} on port ${port}`);
  return `redis://:${password}@${LOOPBACK}:${port}`;
}

/** In a file and not on the command line: there every user of the machine reads the password. */
function redisSettings(directory: string, port: number, password: string): string {
  return [
    `bind ${LOOPBACK}`,
    `port ${port}`,
    `dir "${directory}"`,
    `requirepass ${password}`,
    // The queue survives a kill; a full memory refuses rather than forgets.
    "appendonly yes",
    "maxmemory-policy noeviction",
    "",
  ].join("\n");
}

const ANSWER_MS = 1_000;

/** Logs in and asks PING; null once it says PONG (it does not while it loads its file). */
function ping(port: number, password: string): Promise<string | null> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(port, LOOPBACK, () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    const end = (missing: string | null) => {
      socket.destroy();
      resolve(missing);
    };
    socket.setTimeout(ANSWER_MS, () => end("it does not answer PING"));
    socket.on("data", (bytes) => {
      answer += bytes.toString();
      if (answer.includes("+PONG")) end(null);
      else if (answer.includes("-")) end(answer.trim());
    });
    socket.once("error", (error) => end(error.message));
    socket.once("close", () => end("it closed the connection"));
  });
}
