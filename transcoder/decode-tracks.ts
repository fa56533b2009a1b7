import type { DecodedStream } from "../core/proof.ts";
import { decode, type ProofBench } from "./proof-bench.ts";

/** Only what we make ourselves is opened here, and never by a guess. */
const DEMUXERS = "mov,h264,hevc,obu,av1,webvtt";
/** More than a few seconds of anything. */
const LARGEST_FILE_BYTES = 2 ** 30;
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
      // All of the file: of a track behind five megabytes of others it would not find out what it is.
      ...["-probesize", String(LARGEST_FILE_BYTES)],
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
