import { type ByteRange, coveredBytes } from "../core/byte-ranges.ts";
import type { Cue, SourceEntries } from "../core/cue-index.ts";
import { sourceFailure } from "../core/errors.ts";
import { type FilmEnds, filmEnds, reckonPackets } from "../core/film-ends.ts";
import { statedRate } from "../core/frame-rate.ts";
import { PACKET_ENTRIES, type PacketTable, packetCollector } from "../core/packet-table.ts";
import type { ProbeReport, ProbeStream } from "../core/probe-report.ts";
import { clusterWindow } from "./cluster-window.ts";
import type { PartialFile } from "./partial-file.ts";
import { asCause, type ProbeRun, runProbe } from "./probe-run.ts";
import { SOURCE_PATH } from "./sandbox.ts";
import { SAFE_INPUT_OPTIONS } from "./video-recipe.ts";

/** A film that may be described by its ends, what its file says of what lies between, and what is read for it. */
export interface KnownEnds extends FilmEnds {
  cues: readonly Cue[];
  frameNanoseconds: number;
  ranges: ByteRange[];
}

/** Of the file: more is not worth what is not known then. */
const LARGEST_SHARE = 0.5;

/** null of a film that must be read whole. */
export async function knownEnds(
  file: Pick<PartialFile, "path" | "fill">,
  entries: SourceEntries,
  signal: AbortSignal,
): Promise<KnownEnds | null> {
  const { cues, picture, sizeBytes } = entries;
  const { frameNanoseconds } = picture;
  if (frameNanoseconds === null) return null;
  const ends = filmEnds(cues, frameNanoseconds, sizeBytes);
  if (ends === null) return null;
  const startSeconds = cues[0]!.seconds;
  const head = { startSeconds, endSeconds: startSeconds + ends.headSeconds };
  const ranges = [...(await clusterWindow(file, entries, head, signal)), ends.tail];
  return coveredBytes(ranges) > LARGEST_SHARE * sizeBytes
    ? null
    : { ...ends, cues, frameNanoseconds, ranges };
}

/** Demuxes both ends of a film, by one program. Throws where they leave a doubt: then the whole is to be read. */
export async function readEnds(
  probe: ProbeRun,
  report: ProbeReport,
  picture: ProbeStream,
  { headSeconds, tailFromSeconds, cues, frameNanoseconds }: KnownEnds,
): Promise<PacketTable> {
  const [head, tail] = [packetCollector(picture), packetCollector(picture)];
  // Sound beside the first keyframe of the end may come a little before it.
  const betweenSeconds = (headSeconds + (cues[0]?.seconds ?? 0) + tailFromSeconds) / 2;
  const intervals = `%+${headSeconds.toFixed(3)},${tailFromSeconds.toFixed(3)}%`;
  const read = ["-read_intervals", intervals, "-show_entries", PACKET_ENTRIES, "-of", "csv=p=0"];
  const run = await runProbe(probe, {
    program: "ffprobe",
    args: ["-v", "error", ...SAFE_INPUT_OPTIONS, ...read, SOURCE_PATH],
    onStdoutLine: (line) => {
      const [, presentation, decoding] = line.split(",");
      const seconds = Number(presentation === "N/A" ? decoding : presentation);
      (seconds < betweenSeconds ? head : tail).addLine(line);
    },
  });
  const isClean = run.exitCode === 0 && run.stderrTail === "";
  const packets = isClean
    ? reckonPackets(report, picture, [head.table(), tail.table()], cues, statedRate(frameNanoseconds))
    : null;
  if (packets !== null) return packets;
  throw sourceFailure("source_damaged", "The ends of the film do not tell what lies between.", asCause(run));
}
