import { asFailure, Failure, sourceFailure } from "../core/errors.ts";
import { describeSource, type ProbePacket, type ProbeReport } from "../core/probe-report.ts";
import type { Source } from "../core/source.ts";
import type { Launcher, RunOutcome } from "./launcher.ts";
import { SOURCE_PATH } from "./sandbox.ts";
import { SAFE_INPUT_OPTIONS } from "./video-recipe.ts";

const STREAMS_ARGS = [
  "-v",
  "error",
  ...SAFE_INPUT_OPTIONS,
  "-show_streams",
  "-show_format",
  "-of",
  "json",
  SOURCE_PATH,
];
/** Demuxes without decoding: cheap, and the only trustworthy word on how much of the film is there. */
const PACKETS_ARGS = [
  ...["-v", "error", ...SAFE_INPUT_OPTIONS],
  ...[
    "-show_entries",
    "packet=stream_index,pts_time,dts_time,duration_time,flags",
    "-of",
    "compact=p=0:nk=0",
    SOURCE_PATH,
  ],
];

/** A minute for any file; a packet table of hours of film takes some seconds. */
const LIMITS = { wallSeconds: 300, cpuSeconds: 200, outputBytes: 0, memoryBytes: 4 * 2 ** 30 };

/**
 * Looks at a master in the sandbox and describes it. Throws a `source` Failure where it cannot be used. Nothing
 * is decided from its name: only from what is in it (T23).
 */
export async function probeSource(
  launcher: Launcher,
  sourcePath: string,
  file: { sizeBytes: number; sha256: string | null },
  signal: AbortSignal,
  note: (run: RunOutcome) => void,
): Promise<Source> {
  const ffprobe = async (args: readonly string[]): Promise<RunOutcome> => {
    const run = await launcher.run({ program: "ffprobe", args, source: sourcePath, limits: LIMITS, signal });
    note(run);
    signal.throwIfAborted();
    if (run.ending === "killed") throw new Failure("resource", "internal", "The probe was killed.");
    if (run.ending === "limit")
      throw sourceFailure("timeline_invalid", "The file could not be read within the limits.");
    return run;
  };
  const streams = await ffprobe(STREAMS_ARGS);
  if (streams.exitCode !== 0) throw unreadable(streams.stderrTail);
  const report = parseReport(streams.stdout);
  const packets = await ffprobe(PACKETS_ARGS);
  return describeSource(report, parsePackets(packets.stdout), file);
}

function parseReport(json: string): ProbeReport {
  try {
    return JSON.parse(json) as ProbeReport;
  } catch (cause) {
    throw asFailure(cause);
  }
}

/** Lines such as `stream_index=0|pts_time=0.083|dts_time=0.0|duration_time=0.041|flags=K_`. */
export function parsePackets(text: string): ProbePacket[] {
  const packets: ProbePacket[] = [];
  for (const line of text.split("\n")) {
    const fields = Object.fromEntries(line.split("|").map((field) => field.split("=") as [string, string]));
    const time = fields.pts_time === "N/A" ? fields.dts_time : fields.pts_time;
    // D marks what an edit list hides: decoded, never shown.
    if (time === undefined || time === "N/A" || fields.flags?.includes("D")) continue;
    packets.push({
      streamIndex: Number(fields.stream_index),
      seconds: Number(time),
      durationSeconds: Number(fields.duration_time) || 0,
      isKeyframe: fields.flags?.startsWith("K") ?? false,
    });
  }
  return packets;
}

/** The code for a file that ffprobe would not open: cut off inside a container we know, or no such container. */
function unreadable(stderr: string): Failure {
  const cause = new Error(stderr);
  if (/moov atom not found|End of file|Truncat/i.test(stderr)) {
    return sourceFailure(
      "source_damaged",
      "The file is cut off: the part that describes it is missing.",
      cause,
    );
  }
  return sourceFailure(
    "unsupported_container",
    "This is not a video file of a kind that is taken (MP4, MOV, MKV, WebM, TS, AVI, MXF).",
    cause,
  );
}
