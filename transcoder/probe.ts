import { ACCEPTED_CONTAINERS } from "../core/accepted-media.ts";
import { type Failure, sourceFailure } from "../core/errors.ts";
import { listSamples } from "../core/listed-samples.ts";
import {
  PACKET_ENTRIES,
  type PacketTable,
  PLACED_PACKET_ENTRIES,
  packetCollector,
} from "../core/packet-table.ts";
import { describeSource, type ProbeReport, type ProbeStream } from "../core/probe-report.ts";
import { pictureStream, sizeRefused } from "../core/probed-picture.ts";
import type { SampleTrack } from "../core/sample-table.ts";
import type { Source } from "../core/source.ts";
import { cutOffReason } from "./cut-off.ts";
import { decodePicture, readFirstFrame } from "./first-picture.ts";
import type { Launcher, RunOutcome } from "./launcher.ts";
import { asCause, limitsFor, type ProbeRun, runProbe } from "./probe-run.ts";
import { type KnownEnds, readEnds } from "./read-ends.ts";
import { ofWholeFile, readStreamEnds } from "./read-stream-ends.ts";
import { SOURCE_PATH } from "./sandbox.ts";
import type { StreamLooks } from "./stream-looks.ts";
import { SAFE_INPUT_OPTIONS } from "./video-recipe.ts";

/**
 * What is known of a file's packets without reading all of it: every sample by its tables, or where its ends lie, or of a transport stream what
 * was found between the ends that the file is joined of.
 */
export interface KnownPackets {
  tables?: readonly SampleTrack[] | null;
  ends?: KnownEnds | null;
  looks?: StreamLooks | null;
}

/**
 * Looks at a master in the sandbox and describes it. Throws a `source` Failure where it cannot be used. Nothing
 * is decided from its name: only from what is in it (T23). What is `known` of its packets need not be read to the file's end:
 * only its index and first samples need to be there, and where it is known by its ends these.
 */
export async function probeSource(
  launcher: Launcher,
  sourcePath: string,
  file: { sizeBytes: number; sha256: string | null },
  signal: AbortSignal,
  note: (run: RunOutcome) => void,
  { tables = null, ends = null, looks = null }: KnownPackets = {},
): Promise<Source> {
  const probe: ProbeRun = { launcher, sourcePath, limits: limitsFor(file.sizeBytes), signal, note };
  const reported = readReport(probe);
  const describe = async (): Promise<Source> => {
    const report = looks === null ? await reported : ofWholeFile(await reported, file.sizeBytes);
    const picture = pictureStream(report);
    if (tables === null && ends === null) await checkEnd(sourcePath, report);
    const packets =
      tables !== null && areTheStreams(tables, report)
        ? listSamples(tables, picture, file.sizeBytes)
        : ends !== null
          ? await readEnds(probe, report, picture, ends)
          : looks !== null
            ? await readStreamEnds(probe, report, picture, looks)
            : await readPackets(probe, picture, report.format?.format_name === "mpegts");
    const frames = await readFirstFrame(probe, picture);
    return describeSource({ ...report, frames }, packets, file);
  };
  // Side by side: whoever waits for the first picture waits for this. What is wrong with the description is said first.
  const [described, decoded] = await Promise.allSettled([describe(), decodePicture(probe, reported, tables)]);
  if (described.status === "rejected") throw described.reason;
  if (decoded.status === "rejected") throw decoded.reason;
  return described.value;
}

async function checkEnd(sourcePath: string, report: ProbeReport): Promise<void> {
  const reason = await cutOffReason(sourcePath, report.format?.format_name ?? "");
  if (reason !== null) throw sourceFailure("source_damaged", `The file is cut off or damaged: ${reason}.`);
}

/** Whether the file's own tables list the streams that ffprobe sees, in its order. */
function areTheStreams(tables: readonly SampleTrack[], { streams = [] }: ProbeReport): boolean {
  const kinds: Record<string, string> = { vide: "video", soun: "audio" };
  return (
    tables.length === streams.length &&
    tables.every(({ handler }, index) => {
      const kind = streams[index]?.codec_type;
      return kinds[handler] === undefined ? kind !== "video" && kind !== "audio" : kinds[handler] === kind;
    })
  );
}

/** Streams, format and chapters. ffprobe decodes a little of each stream for it, with accepted decoders only. */
export async function readReport(probe: ProbeRun): Promise<ProbeReport> {
  const { inputOptions = SAFE_INPUT_OPTIONS } = probe;
  const shown = ["-show_streams", "-show_format", "-show_chapters", "-of", "json"];
  const args = ["-v", "error", ...inputOptions, ...shown, SOURCE_PATH];
  const run = await runProbe(probe, { program: "ffprobe", args });
  if (run.exitCode !== 0) throw unreadable(run.stderrTail);
  try {
    return JSON.parse(run.stdout) as ProbeReport;
  } catch (cause) {
    throw sourceFailure("source_damaged", "The file could not be described.", cause);
  }
}

/** Demuxes without decoding: cheap, and the only trustworthy word on how much of the film is there. */
async function readPackets(probe: ProbeRun, picture: ProbeStream, isPlaced: boolean): Promise<PacketTable> {
  const collector = packetCollector(picture);
  const entries = isPlaced ? PLACED_PACKET_ENTRIES : PACKET_ENTRIES;
  const args = ["-v", "error", ...SAFE_INPUT_OPTIONS, "-show_entries", entries, "-of", "csv=p=0"];
  const run = await runProbe(probe, {
    program: "ffprobe",
    args: [...args, SOURCE_PATH],
    onStdoutLine: (line) => collector.addLine(line, isPlaced),
  });
  // ffprobe answers 0 for a file that ends too soon; the demuxers say so (mov, matroska).
  if (run.exitCode !== 0 || /partial file|File ended prematurely/.test(run.stderrTail)) {
    throw sourceFailure(
      "source_damaged",
      "The file cannot be read to its end: it is cut off or damaged.",
      asCause(run),
    );
  }
  return collector.table();
}

/** The code for a file that ffprobe would not open: cut off, of a codec we refuse, or no such container. */
function unreadable(stderr: string): Failure {
  const cause = new Error(stderr);
  if (/moov atom not found|End of file|Truncat|partial file|File ended prematurely/i.test(stderr)) {
    return sourceFailure(
      "source_damaged",
      "The file is cut off: the part that describes it is missing.",
      cause,
    );
  }
  if (/exceeds specified max pixel count/.test(stderr)) {
    return sizeRefused("larger than any that is opened", cause);
  }
  const codec = /Codec \((\w+)\) not on whitelist/.exec(stderr)?.[1];
  if (codec !== undefined) {
    return sourceFailure("unsupported_codec", `Media coded as ${codec} is not taken.`, cause);
  }
  return sourceFailure(
    "unsupported_container",
    `This is not a video file of a kind that is taken (${ACCEPTED_CONTAINERS}).`,
    cause,
  );
}
