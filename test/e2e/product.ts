import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { BIG_BUCK_BUNNY_480, made } from "../rig/media.ts";

const root = resolve(import.meta.dirname, "../..");

/** Half a minute of real footage of 854×480, with half of its frames: they are paid for. */
export function film(): Promise<string> {
  const coding = ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "copy"];
  return made("mp4", ["-i", BIG_BUCK_BUNNY_480, "-r", "12", ...coding, "-frames:v", "360", "{out}"]);
}

/** The contract ("Local start"): the one line on stdout. */
interface ReadyLine {
  ready: true;
  api: string;
  delivery: string;
  player: string;
  studio: string;
  tokens: { viewer: string; editor: string; admin: string };
}

export interface StartedProduct extends ReadyLine {
  dataDirectory: string;
  stop(): Promise<void>;
}

/** The whole product as a newcomer starts it, without the sample film, in a data folder and a library of its own. */
export async function startWholeProduct(): Promise<StartedProduct> {
  const dataDirectory = await mkdtemp(join(tmpdir(), "matinee-e2e-"));
  const args = ["infra/start/main.ts", "--json", "--empty", "--data", dataDirectory];
  const env = { ...process.env, ...ownLibrary() };
  // It ends with the channel, however this process ends.
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe", "ipc"] });
  const said: string[] = [];
  createInterface({ input: child.stderr! }).on("line", (line) => said.push(line));
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const closed = once(child, "close");
      child.kill("SIGTERM");
      await closed;
    }
    await rm(dataDirectory, { recursive: true, force: true });
  };
  for await (const line of createInterface({ input: child.stdout! })) {
    return { ...(JSON.parse(line) as ReadyLine), dataDirectory, stop };
  }
  await stop();
  throw new Error(`the product did not start:\n${said.slice(-30).join("\n")}`);
}

/** A database of the run's own server that no other file has films in. */
function ownLibrary(): { MATINEE_MONGO_URL?: string } {
  const { MATINEE_MONGO_URL: given } = process.env;
  if (!given) return {};
  const url = new URL(given);
  url.pathname = `/e2e-${randomBytes(5).toString("hex")}`;
  return { MATINEE_MONGO_URL: url.href };
}

/** `npm run ingest -- …` against a started product: exit code and what it said. */
export async function ingest(
  product: StartedProduct,
  ...args: string[]
): Promise<{ code: number; said: string }> {
  const command = ["studio/cli/ingest.ts", ...args, "--data", product.dataDirectory];
  const child = spawn(process.execPath, command, { cwd: root, stdio: ["ignore", "inherit", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const [code] = (await once(child, "close")) as [number];
  return { code, said };
}
