import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Failure } from "../core/errors.ts";
import { type DecodedStream, type ProofLine, proved } from "../core/proof.ts";
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
/** Only what we make ourselves is opened here, and never by a guess. */
const DEMUXERS = "mov,h264,hevc,obu,av1,webvtt";

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

/** Puts parts after each other into a file for the decoders; its path inside the sandbox. */
export async function putFile(
  bench: ProofBench,
  name: string,
  parts: readonly Uint8Array[],
): Promise<string> {
  await writeFile(join(bench.directory, name), Buffer.concat(parts));
  return `${OUT_PATH}/${name}`;
}

export function takeFile(bench: ProofBench, name: string): Promise<Buffer> {
  return readFile(join(bench.directory, name));
}

/** Of what a decoder wrote, where nobody wants to see it. */
export async function sizeOfFile(bench: ProofBench, name: string): Promise<number> {
  return (await stat(join(bench.directory, name))).size;
}

/** Runs a decoder; its complaints are the lines that it wrote at level `error`. */
export async function decode(
  bench: ProofBench,
  request: Pick<RunRequest, "program" | "args"> & { source?: string },
): Promise<{ stdout: string; complaints: string[] }> {
  const { launcher, directory: outputDirectory, signal } = bench;
  const run = await launcher.run({ ...request, outputDirectory, limits: LIMITS, signal });
  bench.note(run);
  signal.throwIfAborted();
  const cause = new Error(`${run.shellLine}\n${run.stderrTail}`);
  if (run.ending !== "exited")
    throw new Failure("resource", "encode_failed", "The proof of playback was killed.", { cause });
  const complaints = run.stderrTail.split("\n").filter((line) => line.trim() !== "");
  if (run.exitCode !== 0 && complaints.length === 0) complaints.push(`ended with ${run.exitCode}`);
  return { stdout: run.stdout, complaints };
}

const STREAM_ENTRIES = "stream=index,codec_name,profile,level,width,height,channels,nb_read_packets";

/** One frame or block of samples as it came out. */
export interface DecodedFrame {
  pts: number;
  width: number;
  height: number;
}

export interface Decoded {
  stream: DecodedStream | null;
  frames: DecodedFrame[];
  /** Packets of text. */
  packets: number;
  complaints: string[];
}

/** Everything in a file of one track, decoded frame by frame. `format` where the file does not say what it is. */
export async function decodeFile(bench: ProofBench, file: string, format?: string): Promise<Decoded> {
  const { tracks, complaints } = await decodeTracks(bench, file, format);
  return { ...(tracks[0] ?? { stream: null, frames: [], packets: 0 }), complaints };
}

/** The same of each track of a file, in their order; none where it cannot be opened. */
export async function decodeTracks(
  bench: ProofBench,
  file: string,
  format?: string,
): Promise<{ tracks: Omit<Decoded, "complaints">[]; complaints: string[] }> {
  const { stdout, complaints } = await decode(bench, {
    program: "ffprobe",
    args: [
      ...["-v", "error", "-protocol_whitelist", "file", "-format_whitelist", DEMUXERS],
      // One thread: all that a decoder says comes in order, and the neighbours keep their cores.
      ...["-threads", "1"],
      // Nobody sees these pictures: smoothing their edges is a fifth of the work, and finds no fault.
      ...["-skip_loop_filter", "all"],
      ...(format === undefined ? [] : ["-f", format]),
      ...["-show_frames", "-count_packets"],
      ...["-show_entries", `${STREAM_ENTRIES}:frame=stream_index,pts,width,height`],
      ...["-of", "json=compact=1", file],
    ],
  });
  const { streams = [], frames = [] } = parsed(stdout);
  const tracks = streams.map((stream) => ({
    stream: described(stream),
    frames: frames
      .filter(({ stream_index: index }) => index === stream.index)
      .map(({ pts = Number.NaN, width = 0, height = 0 }) => ({ pts, width, height })),
    packets: Number(stream.nb_read_packets ?? 0),
  }));
  return { tracks, complaints };
}

interface Told {
  streams?: Record<string, string | number>[];
  frames?: { stream_index?: number; pts?: number; width?: number; height?: number }[];
}

function parsed(json: string): Told {
  try {
    return JSON.parse(json) as Told;
  } catch {
    // A file that cannot be opened is told on stderr alone.
    return {};
  }
}

function described(stream: Record<string, string | number>): DecodedStream {
  const number = (name: string): number => Number(stream[name] ?? 0);
  return {
    codec: String(stream.codec_name ?? ""),
    profile: String(stream.profile ?? ""),
    level: number("level"),
    width: number("width"),
    height: number("height"),
    channels: number("channels"),
  };
}
