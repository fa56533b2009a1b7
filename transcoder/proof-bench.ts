import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Failure } from "../core/errors.ts";
import { type ProofLine, proved } from "../core/proof.ts";
import type { Launcher, RunOutcome, RunRequest } from "./launcher.ts";
import { OUT_PATH } from "./sandbox.ts";

/** Where a package is played: decoders in the sandbox, a folder for what they are given, and the way to the package. */
export interface ProofBench {
  launcher: Pick<Launcher, "run">;
  /** Empty at first and removed afterwards; `/out` inside the sandbox. */
  directory: string;
  /** An object of the package by its path below the package's root; null where it is not there. */
  read(path: string): Promise<Uint8Array | null>;
  signal: AbortSignal;
  note(run: Pick<RunOutcome, "argv" | "cpuSeconds">): void;
}

/** A few seconds of media: whoever needs longer is not decoding them. */
const LIMITS = { wallSeconds: 300, cpuSeconds: 120, outputBytes: 256 * 2 ** 20 };

/** An object that the playlists name. Throws where it is not there: it was a moment ago. */
export async function readObject(bench: ProofBench, path: string): Promise<Uint8Array> {
  const bytes = await bench.read(path);
  if (bytes === null) throw new Failure("transient", "internal", `${path} of the package did not read back.`);
  return bytes;
}

/** The same as text, unpacked where it lies packed. */
export async function readText(bench: ProofBench, path: string): Promise<string> {
  const bytes = await readObject(bench, path);
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return new TextDecoder().decode(isGzip ? gunzipSync(bytes) : bytes);
}

/** Looks at one part; one that cannot even be taken apart has failed, and the others are looked at all the same. */
export async function lookAt(part: string, look: () => Promise<ProofLine[]>): Promise<ProofLine[]> {
  try {
    return await look();
  } catch (thrown) {
    if (!(thrown instanceof Failure) || thrown.failureClass !== "ours") throw thrown;
    return [proved(part, "decodes", [thrown.message], "")];
  }
}

/** Opens what the playlists name; what cannot be taken apart has a line, and the others are opened all the same. */
export async function openEach<E, T>(
  entries: readonly E[],
  uriOf: (entry: E) => string,
  open: (entry: E) => Promise<T>,
): Promise<{ opened: T[]; lines: ProofLine[] }> {
  const opened: T[] = [];
  const lines: ProofLine[] = [];
  for (const entry of entries) {
    const openOne = async () => void opened.push(await open(entry));
    lines.push(...(await lookAt(uriOf(entry), () => openOne().then(() => []))));
  }
  return { opened, lines };
}

/** Puts parts after each other into a file for the decoders; its path inside the sandbox. */
export async function putFile(
  bench: ProofBench,
  name: string,
  parts: readonly Uint8Array[],
): Promise<string> {
  await writeFile(join(bench.directory, name), Buffer.concat(parts));
  return `${OUT_PATH}/${name}`;
}

/** What a decoder wrote; null where it could not open what it was given, of which it has complained. */
export function takeFile(bench: ProofBench, name: string): Promise<Buffer | null> {
  return ifThere(readFile(join(bench.directory, name)));
}

/** How much it wrote, where nobody wants to see it; 0 where it wrote nothing at all. */
export async function sizeOfFile(bench: ProofBench, name: string): Promise<number> {
  return (await ifThere(stat(join(bench.directory, name))))?.size ?? 0;
}

async function ifThere<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw thrown;
  }
}

/**
 * Runs a decoder; its complaints are the lines that it wrote at level `error`. One that does the work of several has the
 * time of so many `shares`.
 */
export async function decode(
  bench: ProofBench,
  request: Pick<RunRequest, "program" | "args" | "source">,
  shares = 1,
): Promise<{ stdout: string; complaints: string[] }> {
  const { launcher, directory: outputDirectory, signal } = bench;
  const { wallSeconds, cpuSeconds, outputBytes } = LIMITS;
  const limits = { wallSeconds: wallSeconds * shares, cpuSeconds: cpuSeconds * shares, outputBytes };
  const run = await launcher.run({ ...request, outputDirectory, limits, signal });
  bench.note(run);
  signal.throwIfAborted();
  const cause = new Error(`${run.shellLine}\n${run.stderrTail}`);
  if (run.ending !== "exited")
    throw new Failure("resource", "encode_failed", "The proof of playback was killed.", { cause });
  const complaints = run.stderrTail.split("\n").filter((line) => line.trim() !== "");
  if (run.exitCode !== 0 && complaints.length === 0) complaints.push(`ended with ${run.exitCode}`);
  return { stdout: run.stdout, complaints };
}
