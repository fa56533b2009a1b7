import type { ProbeSideData } from "./hdr-metadata.ts";
import type { PacketTable } from "./packet-table.ts";
import type { ProbeReport, ProbeStream } from "./probe-report.ts";
import { roundToMicros } from "./probed-picture.ts";
import { parseRational, toNumber } from "./rational.ts";
import type { HdrFacts, SourceFacts, SourceStream } from "./source.ts";
import type { TimeRange } from "./time-ranges.ts";

/** A picture that stands longer has a hole in it, whatever its rhythm. */
const LEAST_GAP_SECONDS = 2;
/** What a file is described by, beside what its package is made from. */
export function describeFacts(report: ProbeReport, picture: ProbeStream, packets: PacketTable): SourceFacts {
  const spans = [...packets.spans.values()];
  const first = Math.min(...spans.map(({ startSeconds }) => startSeconds));
  const last = Math.max(...spans.map(({ endSeconds }) => endSeconds));
  return {
    statedSeconds: positive(report.format?.duration),
    heldSeconds: spans.length === 0 ? 0 : roundToMicros(last - first),
    bitrateBps: positive(report.format?.bit_rate),
    streams: (report.streams ?? []).map((stream) => describeStream(stream, picture)),
    hdr: describeHdr(picture, report.frames?.[0]?.side_data_list),
    gaps: gapsOf(packets),
  };
}

function positive(text: string | undefined): number | null {
  const value = Number(text ?? Number.NaN);
  return value > 0 ? value : null;
}

function describeStream(stream: ProbeStream, picture: ProbeStream): SourceStream {
  const kind = stream.codec_type ?? "data";
  const isCover = stream.disposition?.attached_pic === 1 || stream.disposition?.timed_thumbnails === 1;
  // A timecode and an attached font belong to ordinary files; they say nothing of what is shown.
  const isUsual = kind === "audio" || kind === "subtitle" || kind === "attachment" || isCover;
  const isTimecode = stream.codec_tag_string === "tmcd";
  return {
    index: stream.index,
    kind,
    codec: stream.codec_name ?? stream.codec_tag_string ?? "unknown",
    bitrateBps: positive(stream.bit_rate),
    isIgnored: !isUsual && !isTimecode && stream.index !== picture.index,
  };
}

/** HDR kind, and what the container or the first frame says of the mastering (SMPTE ST 2086, CTA-861.3). */
function describeHdr(
  { color_transfer: transfer, side_data_list: ofStream = [] }: ProbeStream,
  ofFirstFrame: readonly ProbeSideData[] = [],
): HdrFacts | null {
  const sides = [...ofStream, ...ofFirstFrame];
  const isDolby = sides.some(({ dv_profile: profile }) => profile !== undefined);
  const display = sides.find(({ max_luminance: luminance }) => luminance !== undefined);
  const light = sides.find(({ max_content: content }) => content !== undefined);
  const kind = isDolby
    ? "dolby_vision"
    : transfer === "arib-std-b67"
      ? "hlg"
      : transfer === "smpte2084"
        ? display || light
          ? "hdr10"
          : "pq"
        : null;
  if (kind === null) return null;
  return {
    kind,
    maxLuminanceNits: candelas(display?.max_luminance),
    minLuminanceNits: candelas(display?.min_luminance),
    maxContentLightNits: countOf(light?.max_content),
    maxAverageLightNits: countOf(light?.max_average),
  };
}

function countOf(value: string | number | undefined): number | null {
  return typeof value === "number" ? value : null;
}

function candelas(text: string | number | undefined): number | null {
  const fraction = typeof text === "string" ? parseRational(text) : null;
  return fraction === null ? null : toNumber(fraction);
}

function gapsOf({ frames }: PacketTable): TimeRange[] {
  const times = frames.seconds;
  const [first = 0] = times;
  const gaps: TimeRange[] = [];
  for (let at = 1; at < times.length; at++) {
    const [from, to] = [times[at - 1]!, times[at]!];
    if (to - from > LEAST_GAP_SECONDS)
      gaps.push({ startSeconds: roundToMicros(from - first), endSeconds: roundToMicros(to - first) });
  }
  return gaps;
}
