import type { Cue } from "../core/cue-index.ts";
import { sourceFailure } from "../core/errors.ts";
import { type FilmEnds, filmEnds, reckonPackets } from "../core/film-ends.ts";
import { PACKET_ENTRIES, type PacketTable, packetCollector } from "../core/packet-table.ts";
import type { ProbeReport, ProbeStream } from "../core/probe-report.ts";
import { asCause, type ProbeRun, runProbe } from "./probe-run.ts";
import { SOURCE_PATH } from "./sandbox.ts";
import type { SourceEntries } from "./source-index.ts";
import { SAFE_INPUT_OPTIONS } from "./video-recipe.ts";

/** A film that may be described by its ends, and what its file says of what lies between. */
export interface KnownEnds extends FilmEnds {
  cues: readonly Cue[];
  frameNanoseconds: number;
}

/** null of a film that must be read whole. */
export function knownEnds({ cues, picture, sizeBytes }: SourceEntries): KnownEnds | null {
  const { frameNanoseconds } = picture;
  if (frameNanoseconds === null) return null;
  const ends = filmEnds(cues, frameNanoseconds, sizeBytes);
  return ends && { ...ends, cues, frameNanoseconds };
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
    ? reckonPackets(report, picture, [head.table(), tail.table()], cues, frameNanoseconds)
    : null;
  if (packets !== null) return packets;
  throw sourceFailure("source_damaged", "The ends of the film do not tell what lies between.", asCause(run));
}
