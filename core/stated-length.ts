import { sourceFailure } from "./errors.ts";
import type { PacketTable } from "./packet-table.ts";
import type { ProbeReport, ProbeStream } from "./probe-report.ts";
import { parseRational, toNumber } from "./rational.ts";

/** More than a tenth of a second, or a thousandth, missing against what the file states is damage, never a shorter title. */
export function checkWhole(
  report: ProbeReport,
  stream: ProbeStream,
  packets: PacketTable,
  durationSeconds: number,
): void {
  const tolerance = (stated: number): number => Math.max(0.1, stated * 0.001);
  const short = (stated: number, found: number): void => {
    if (found >= stated - tolerance(stated)) return;
    throw sourceFailure(
      "source_damaged",
      `The file states ${stated.toFixed(2)} s but holds only ${found.toFixed(2)} s: it is cut off or damaged.`,
    );
  };
  const statedVideo = statedSeconds(report, stream);
  const span = packets.spans.get(stream.index);
  // Pictures before the first keyframe are part of what the file states, though they cannot be shown.
  const held = span === undefined ? 0 : span.endSeconds - span.startSeconds;
  if (statedVideo > 0) short(statedVideo, Math.max(durationSeconds, held));
  const statedFile = Number(report.format?.duration ?? Number.NaN);
  if (!(statedFile > 0)) return;
  const start = Number(report.format?.start_time ?? 0) || 0;
  const spans = [...packets.spans.values()];
  // MP4 and Matroska state a length that counts from zero, also where nothing is shown until later.
  const countsFromZero = /\b(mov|matroska)\b/.test(report.format?.format_name ?? "");
  const first = Math.min(countsFromZero ? 0 : start, ...spans.map((span) => span.startSeconds));
  short(statedFile, Math.max(0, ...spans.map((span) => span.endSeconds)) - first);
}

/**
 * How long the file says its picture is; NaN where it does not say. Where the index of an AVI is gone ffprobe answers
 * with the length of what is there, but still with the number of frames that its header states.
 */
function statedSeconds(report: ProbeReport, stream: ProbeStream): number {
  const seconds = Number(stream.duration ?? Number.NaN);
  const frameSeconds = parseRational(stream.time_base);
  if (report.format?.format_name !== "avi" || frameSeconds === null) return seconds;
  return Math.max(seconds, (Number(stream.nb_frames) || 0) * toNumber(frameSeconds)) || seconds;
}
