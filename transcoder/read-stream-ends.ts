import { open } from "node:fs/promises";
import { inPieces } from "../core/byte-ranges.ts";
import { sourceFailure } from "../core/errors.ts";
import { reckonPackets, steadyRate } from "../core/film-ends.ts";
import { type PacketTable, PLACED_PACKET_ENTRIES, packetCollector } from "../core/packet-table.ts";
import type { ProbeReport, ProbeStream } from "../core/probe-report.ts";
import { parseRational } from "../core/rational.ts";
import type { LookedEntry } from "../core/stream-aims.ts";
import { asDiskFailure } from "./disk-failure.ts";
import { readSpan } from "./file-spans.ts";
import { asCause, type ProbeRun, runProbe } from "./probe-run.ts";
import { SOURCE_PATH } from "./sandbox.ts";
import type { StreamLooks } from "./stream-looks.ts";
import { SAFE_INPUT_OPTIONS } from "./video-recipe.ts";

/**
 * A transport stream described by its beginning and its end, which are copied into a file without holes, and by where it can be entered
 * between (transcoder/stream-looks.ts).
 */

const COPIED_AT_ONCE_BYTES = 2 ** 20;
/** ffprobe prints six decimals. */
const SAME_TIME_SECONDS = 0.000_1;

/** Writes the beginning and the end of the stream at `from` to `to`. */
export async function joinEnds(
  from: string,
  sizeBytes: number,
  { headEnd, tailAt }: StreamLooks,
  to: string,
): Promise<void> {
  const ends = [
    { start: 0, end: headEnd },
    { start: tailAt, end: sizeBytes },
  ];
  const out = await open(to, "wx");
  try {
    for (const piece of inPieces(ends, COPIED_AT_ONCE_BYTES))
      await out.writeFile(await readSpan(from, piece));
  } catch (thrown) {
    throw asDiskFailure(thrown);
  } finally {
    await out.close();
  }
}

/** What ffprobe says of a file of this size, from what it says of its joined ends. */
export function ofWholeFile(report: ProbeReport, sizeBytes: number): ProbeReport {
  const seconds = Number(report.format?.duration);
  const bitrate = Math.floor((sizeBytes * 8) / seconds);
  return { ...report, format: { ...report.format, bit_rate: String(bitrate) } };
}

/** Demuxes joined ends. Throws where they leave a doubt, or are not as the looks found them: then the whole is to be read. */
export async function readStreamEnds(
  probe: ProbeRun,
  report: ProbeReport,
  picture: ProbeStream,
  { packetId, headEnd, entries }: StreamLooks,
): Promise<PacketTable> {
  const [head, tail] = [packetCollector(picture), packetCollector(picture)];
  const last = entries.at(-1)!;
  const before = entries.findLast(({ at }) => at < headEnd)!;
  const betweenSeconds = (before.shownSeconds + last.shownSeconds) / 2;
  const args = [
    "-v",
    "error",
    ...SAFE_INPUT_OPTIONS,
    "-show_entries",
    PLACED_PACKET_ENTRIES,
    "-of",
    "csv=p=0",
  ];
  const run = await runProbe(probe, {
    program: "ffprobe",
    args: [...args, SOURCE_PATH],
    onStdoutLine: (line) => {
      const [, presentation, decoding] = line.split(",");
      const seconds = Number(presentation === "N/A" ? decoding : presentation);
      (seconds < betweenSeconds ? head : tail).addLine(line, true);
    },
  });
  const ends = [head.table(), tail.table()] as const;
  const isSame = Number(picture.id) === packetId && run.exitCode === 0 && isAsFound(ends, entries, headEnd);
  const packets = isSame ? reckon(report, picture, ends, entries) : null;
  if (packets !== null) return packets;
  throw sourceFailure(
    "source_damaged",
    "The ends of the stream do not tell what lies between.",
    asCause(run),
  );
}

/** Whether a demuxer sees packets in order, and keyframes where the looks found entries, shown and decoded when these are. */
function isAsFound(
  [head, tail]: readonly [PacketTable, PacketTable],
  entries: readonly LookedEntry[],
  headEnd: number,
): boolean {
  const isSame = (seconds: number, another: number): boolean =>
    Math.abs(seconds - another) < SAME_TIME_SECONDS;
  const isKeyframe = ({ frames }: PacketTable, { shownSeconds }: LookedEntry): boolean =>
    frames.keyframeSeconds.some((seconds) => isSame(seconds, shownSeconds));
  const isDecoded = (end: PacketTable, { decodeSeconds }: LookedEntry): boolean =>
    isSame(end.entries[0]?.decodeSeconds ?? Number.NaN, decodeSeconds);
  const last = entries.at(-1)!;
  return (
    isDecoded(head, entries[0]!) &&
    isDecoded(tail, last) &&
    entries.filter(({ at }) => at < headEnd).every((entry) => isKeyframe(head, entry)) &&
    isKeyframe(tail, last)
  );
}

/** null where the frames of both ends are not of one rhythm. */
function reckon(
  report: ProbeReport,
  picture: ProbeStream,
  ends: readonly [PacketTable, PacketTable],
  entries: readonly LookedEntry[],
): PacketTable | null {
  const declared = [parseRational(picture.r_frame_rate), parseRational(picture.avg_frame_rate)];
  const frameRate = steadyRate(ends[0].frames, declared);
  if (frameRate === null) return null;
  const cues = entries.map(({ shownSeconds }) => ({ seconds: shownSeconds }));
  const packets = reckonPackets(report, picture, ends, cues, frameRate);
  return packets && { ...packets, entries: [...entries] };
}
