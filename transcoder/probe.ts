import { ACCEPTED_CONTAINERS } from "../core/accepted-media.ts";
import { Failure, sourceFailure } from "../core/errors.ts";
import { listSamples } from "../core/listed-samples.ts";
import {
  PACKET_ENTRIES,
  type PacketTable,
  PLACED_PACKET_ENTRIES,
  packetCollector,
} from "../core/packet-table.ts";
import { isHdrTransfer } from "../core/picture.ts";
import { describeSource, type ProbeReport, type ProbeStream } from "../core/probe-report.ts";
import { pictureStream, sizeRefused } from "../core/probed-picture.ts";
import type { SampleTrack } from "../core/sample-table.ts";
import type { Source } from "../core/source.ts";
import { cutOffReason } from "./cut-off.ts";
import { assemble, STDOUT } from "./ffmpeg-command.ts";
import type { Launcher, RunLimits, RunOutcome, RunRequest } from "./launcher.ts";
import { KILLED_EXIT_CODE } from "./process-group.ts";
import { SOURCE_PATH } from "./sandbox.ts";
import { SAFE_INPUT_OPTIONS } from "./video-recipe.ts";

/** One probe: what it may run, on which file, and where its runs are noted. */
export interface ProbeRun {
  launcher: Launcher;
  sourcePath: string;
  limits: RunLimits;
  signal: AbortSignal;
  note: (run: RunOutcome) => void;
  /** What may open it; as for a master unless said otherwise. */
  inputOptions?: readonly string[];
}

/** A probe reads the whole file once; slow disks read 20 MB/s, and a day's packet table takes a minute of CPU. */
export function limitsFor(sizeBytes: number): RunLimits {
  return {
    wallSeconds: 60 + Math.ceil(sizeBytes / 20e6),
    cpuSeconds: 60 + Math.ceil(sizeBytes / 100e6),
    outputBytes: 0,
    memoryBytes: 4 * 2 ** 30,
    // A few pictures of the largest size that is taken; bombs that get past the whitelists end here.
    residentBytes: 2 ** 30,
  };
}

/**
 * Looks at a master in the sandbox and describes it. Throws a `source` Failure where it cannot be used. Nothing
 * is decided from its name: only from what is in it (T23). With `tables` the packets are known without reading the
 * file to its end, and only its index and first samples need to be there.
 */
export async function probeSource(
  launcher: Launcher,
  sourcePath: string,
  file: { sizeBytes: number; sha256: string | null },
  signal: AbortSignal,
  note: (run: RunOutcome) => void,
  tables: readonly SampleTrack[] | null = null,
): Promise<Source> {
  const probe: ProbeRun = { launcher, sourcePath, limits: limitsFor(file.sizeBytes), signal, note };
  const reported = readReport(probe);
  const describe = async (): Promise<Source> => {
    const report = await reported;
    const picture = pictureStream(report);
    if (tables === null) await checkEnd(sourcePath, report);
    const packets =
      tables !== null && areTheStreams(tables, report)
        ? listSamples(tables, picture, file.sizeBytes)
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

/** Decodes the first frame of the picture: of the one that the file's own tables name at once, while ffprobe still looks. */
async function decodePicture(
  probe: ProbeRun,
  reported: Promise<ProbeReport>,
  tables: readonly SampleTrack[] | null,
): Promise<void> {
  const named = tables?.find(({ handler }) => handler === "vide")?.index;
  const early = named === undefined ? undefined : decodeFirstFrame(probe, named);
  const [report] = await Promise.allSettled([reported, early]);
  if (report.status === "rejected") throw report.reason;
  const { index } = pictureStream(report.value);
  await (index === named ? early : decodeFirstFrame(probe, index));
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

/** What an HDR picture's first frame says beside its samples: what it was graded on. Nothing where it says nothing. */
async function readFirstFrame(
  probe: ProbeRun,
  picture: ProbeStream,
): Promise<NonNullable<ProbeReport["frames"]>> {
  if (!isHdrTransfer(picture.color_transfer)) return [];
  const only = ["-select_streams", String(picture.index), "-read_intervals", "%+#1"];
  const shown = ["-show_frames", "-show_entries", "frame_side_data_list", "-of", "json"];
  const args = ["-v", "error", ...SAFE_INPUT_OPTIONS, ...only, ...shown, SOURCE_PATH];
  const run = await runProbe(probe, { program: "ffprobe", args });
  try {
    return (JSON.parse(run.stdout) as ProbeReport).frames ?? [];
  } catch {
    return [];
  }
}

/** A container may promise a picture that no decoder makes: better known now than after an hour of queueing. */
async function decodeFirstFrame(probe: ProbeRun, pictureIndex: number): Promise<void> {
  const args = assemble({
    globalOptions: ["-hide_banner", "-nostdin", "-v", "error"],
    // Only the first seconds: a broken picture is not searched to its end for a frame that decodes.
    inputs: [{ options: [...SAFE_INPUT_OPTIONS, "-threads", "1", "-t", "20"], file: SOURCE_PATH }],
    outputs: [{ options: ["-map", `0:${pictureIndex}`, "-frames:v", "1", "-f", "framecrc"], file: STDOUT }],
  });
  const run = await runProbe(probe, { program: "ffmpeg", args });
  // A line of framecrc that is no comment is a frame.
  if (/^[^#\n]/m.test(run.stdout)) return;
  throw sourceFailure("source_damaged", "The picture cannot be decoded.", asCause(run));
}

async function runProbe(
  probe: ProbeRun,
  request: Pick<RunRequest, "program" | "args" | "onStdoutLine">,
): Promise<RunOutcome> {
  const { launcher, sourcePath: source, limits, signal } = probe;
  const run = await launcher.run({ ...request, source, limits, signal });
  probe.note(run);
  signal.throwIfAborted();
  if (run.ending === "killed") throw new Failure("transient", "internal", "The probe was killed.");
  // A table of billions of entries in a file of a few kilobytes: the demuxer gives up by itself.
  if (run.limit === "memory" && run.exitCode !== KILLED_EXIT_CODE) {
    throw sourceFailure("source_damaged", "The file asks for more memory than any film.", asCause(run));
  }
  if (run.limit === "memory" || run.limit === "disk") {
    throw new Failure("resource", "internal", `The probe ran short of ${run.limit}.`, {
      cause: asCause(run),
    });
  }
  if (run.ending === "limit") {
    throw sourceFailure("timeline_invalid", "The file could not be read within the limits.", asCause(run));
  }
  return run;
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

function asCause(run: RunOutcome): Error {
  return new Error(`${run.shellLine}\n${run.stderrTail}`);
}
