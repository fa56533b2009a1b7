import { mkdirSync } from "node:fs";
import { connect } from "node:net";
import { basename } from "node:path";
import { obtain, type Recipe } from "../install.ts";
import { LOOPBACK } from "../ports.ts";
import type { PartContext } from "./context.ts";

export const MONGO: Recipe = {
  part: "mongodb",
  setting: "MATINEE_MONGO_URL",
  binaries: ["mongod", "secantusd-rs"],
  // No distribution packages mongod: a small server of its wire protocol stands in on one machine (docs/decisions/mongodb-stand-in.md).
  installers: [{ by: "python", requirement: "secantusdb==0.6.0b17", binary: "secantusd-rs" }],
  advice:
    "there is no mongod and no python3 to install a stand-in. Install MongoDB 7 or 8, or python3 with venv, or set MATINEE_MONGO_URL.",
};

/** A MongoDB that answers, without a database name: `mongodb://127.0.0.1:port`, or the URL that was set. */
export async function startMongo(context: PartContext): Promise<string> {
  const found = await obtain(MONGO, context);
  if ("url" in found) return found.url;
  const port = context.ports.mongodb as number;
  const storage = `${context.dataDirectory}/mongo`;
  mkdirSync(storage, { recursive: true, mode: 0o700 });
  await context.supervisor.start({
    part: MONGO.part,
    command: found.program,
    args: basename(found.program) === "mongod" ? mongodArgs(storage, port) : standInArgs(storage, port),
    env: context.machine.environment,
    layer: 0,
    stopMs: 10_000,
    check: () => hello(port),
  });
  context.report.done(MONGO.part, `${basename(found.program)} on port ${port}`);
  return `mongodb://${LOOPBACK}:${port}`;
}

function mongodArgs(storage: string, port: number): string[] {
  return ["--dbpath", storage, "--port", String(port), "--bind_ip", LOOPBACK];
}

function standInArgs(storage: string, port: number): string[] {
  return [
    ...["--storage-path", storage, "--host", LOOPBACK, "--port", String(port), "--log-level", "WARNING"],
    // Without it a kill loses acknowledged writes, even those with `j: true`.
    "--sync-on-commit",
    // Its defaults (4 GiB, 2 GiB) are a server's; these hold one machine's library.
    ...["--cache-size", "256M", "--log-file-max", "16MB"],
  ];
}

const ANSWER_MS = 1_000;

/** Asks `hello` on the wire and waits for the answer; null where it came. */
function hello(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(port, LOOPBACK, () => socket.write(helloMessage()));
    const end = (missing: string | null) => {
      socket.destroy();
      resolve(missing);
    };
    socket.setTimeout(ANSWER_MS, () => end("it does not answer hello"));
    socket.once("data", () => end(null));
    socket.once("error", (error) => end(error.message));
    socket.once("close", () => end("it closed the connection"));
  });
}

/** OP_MSG (MongoDB wire protocol) with one body section: `{ hello: 1, $db: "admin" }` in BSON. */
function helloMessage(): Buffer {
  const body = Buffer.concat([
    Buffer.from("\x10hello\0\x01\0\0\0", "latin1"),
    Buffer.from("\x02$db\0\x06\0\0\0admin\0", "latin1"),
  ]);
  const document = Buffer.alloc(4 + body.length + 1);
  document.writeInt32LE(document.length, 0);
  body.copy(document, 4);
  const message = Buffer.alloc(16 + 4 + 1 + document.length);
  message.writeInt32LE(message.length, 0);
  message.writeInt32LE(1, 4);
  message.writeInt32LE(2013, 12);
  document.copy(message, 21);
  return message;
}
