import { sourceFailure } from "./errors.ts";
import { frameTiming } from "./frame-rate.ts";
import { parseRational, type Rational, rational, toNumber } from "./rational.ts";
import type { Source, SourceAudio, SourceSubtitle, SourceVideo } from "./source.ts";

/** What ffprobe says of a file (`-show_streams -show_format -of json`): only the members that are read. */
export interface ProbeReport {
  streams?: ProbeStream[];
  format?: { format_name?: string; start_time?: string; duration?: string };
}

export interface ProbeStream {
  index: number;
  codec_type?: string;
  codec_name?: string;
  profile?: string;
  pix_fmt?: string;
  width?: number;
  height?: number;
  sample_aspect_ratio?: string;
  r_frame_rate?: string;
  avg_frame_rate?: string;
  time_base?: string;
  duration?: string;
  channels?: number;
  sample_rate?: string;
  field_order?: string;
  color_transfer?: string;
  color_primaries?: string;
  color_space?: string;
  color_range?: string;
  bits_per_raw_sample?: string;
  disposition?: Record<string, number>;
  tags?: Record<string, string>;
  side_data_list?: { rotation?: number }[];
}

/** One packet of any stream, in seconds; those that an edit list hides are left out. */
export interface ProbePacket {
  streamIndex: number;
  seconds: number;
  durationSeconds: number;
  isKeyframe: boolean;
}

const VIDEO_CODECS = new Set(
  "h264 hevc av1 vp8 vp9 mpeg1video mpeg2video mpeg4 msmpeg4v3 mjpeg prores dnxhd ffv1 rawvideo v210 theora wmv3 vc1 h263 dvvideo".split(
    " ",
  ),
);
const AUDIO_CODECS = /^(aac|mp1|mp2|mp3|ac3|eac3|opus|vorbis|flac|alac|dts|truehd|wmav2|wmapro|pcm_\w+)$/;
/** Streams beyond this are an attack or a mistake (T08). */
const MOST_STREAMS = 64;
/** Policy: 4K with room for its odd shapes (T06). */
const MOST_PIXELS = 4096 * 2304;
const LARGEST_SIDE = 8192;
/** A picture that stands longer is a broken clock, not a shot (T07). */
const LONGEST_GAP_SECONDS = 10;
const LONGEST_SECONDS = 24 * 3600;

/**
 * The immutable description of a master, from ffprobe's report and its packet table. Throws a `source` Failure
 * with the code that its owner sees wherever the master cannot be used.
 */
export function describeSource(
  report: ProbeReport,
  packets: readonly ProbePacket[],
  file: { sizeBytes: number; sha256: string | null },
): Source {
  const streams = report.streams ?? [];
  if (streams.length > MOST_STREAMS) {
    throw sourceFailure(
      "too_many_streams",
      `The file has ${streams.length} streams; at most ${MOST_STREAMS} are taken.`,
    );
  }
  const stream = streams.find((one) => one.codec_type === "video" && one.disposition?.attached_pic !== 1);
  if (stream === undefined) throw sourceFailure("no_video", "The file has no moving picture.");
  const fileStartSeconds = Number(report.format?.start_time ?? 0) || 0;
  const video = describeVideo(stream, packets, fileStartSeconds);
  const durationSeconds = (video.frameCount * video.frameRate.den) / video.frameRate.num;
  checkWhole(report, stream, packets, durationSeconds);
  return {
    container: report.format?.format_name ?? "unknown",
    sizeBytes: file.sizeBytes,
    sha256: file.sha256,
    durationSeconds,
    video,
    audio: streams.filter((one) => one.codec_type === "audio").flatMap((one) => describeAudio(one, packets)),
    subtitles: streams.filter((one) => one.codec_type === "subtitle").map(describeSubtitle),
  };
}

function describeVideo(
  stream: ProbeStream,
  packets: readonly ProbePacket[],
  fileStartSeconds: number,
): SourceVideo {
  checkPicture(stream);
  const shown = packets
    .filter((packet) => packet.streamIndex === stream.index)
    .sort((a, b) => a.seconds - b.seconds);
  const times = shown.map((packet) => packet.seconds);
  const last = shown.at(-1);
  if (last === undefined)
    throw sourceFailure("source_damaged", "The file says it has a picture, but holds no frame of it.");
  checkTimes(times);
  const declared = [parseRational(stream.r_frame_rate), parseRational(stream.avg_frame_rate)];
  const timing = frameTiming(times, last.durationSeconds, declared);
  const sampleAspect = parseRational(stream.sample_aspect_ratio) ?? rational(1, 1);
  const rotationDegrees = rotationOf(stream);
  return {
    streamIndex: stream.index,
    codec: stream.codec_name!,
    profile: stream.profile ?? null,
    pixelFormat: stream.pix_fmt ?? "unknown",
    bitDepth: Number(stream.bits_per_raw_sample) || (/1[02]/.exec(stream.pix_fmt ?? "")?.[0] ? 10 : 8),
    codedWidth: stream.width!,
    codedHeight: stream.height!,
    ...shownSize(stream.width!, stream.height!, sampleAspect, rotationDegrees),
    sampleAspect,
    rotationDegrees,
    frameRate: timing.frameRate,
    frameCount: timing.frameCount,
    variableFrameRate: timing.variable,
    startSeconds: times[0]!,
    fileStartSeconds,
    keyframeSeconds: shown
      .filter((packet) => packet.isKeyframe)
      .map((packet) => round(packet.seconds - times[0]!)),
    fieldOrder: stream.field_order ?? "unknown",
    colorTransfer: stream.color_transfer ?? null,
    colorPrimaries: stream.color_primaries ?? null,
    colorSpace: stream.color_space ?? null,
    colorRange: stream.color_range ?? null,
  };
}

function checkPicture(stream: ProbeStream): void {
  const { width = 0, height = 0, codec_name: codec = "unknown" } = stream;
  if (!VIDEO_CODECS.has(codec))
    throw sourceFailure("unsupported_codec", `Pictures coded as ${codec} are not taken.`);
  // ffprobe answers 0×0, and success, for a picture that it refused to decode.
  if (width < 2 || height < 2 || Math.max(width, height) > LARGEST_SIDE || width * height > MOST_PIXELS) {
    throw sourceFailure(
      "dimensions_refused",
      `A picture of ${width}×${height} is not taken (largest: 4096×2304).`,
    );
  }
}

function checkTimes(times: readonly number[]): void {
  const invalid = (detail: string): Error =>
    sourceFailure("timeline_invalid", `The picture's clock cannot be right: ${detail}.`);
  if (times.some((time) => !Number.isFinite(time))) throw invalid("a frame has no time");
  if (times.at(-1)! - times[0]! > LONGEST_SECONDS) throw invalid("it runs longer than a day");
  const gap = times.findIndex((time, index) => index > 0 && time - times[index - 1]! > LONGEST_GAP_SECONDS);
  if (gap > 0)
    throw invalid(
      `nothing for ${Math.round(times[gap]! - times[gap - 1]!)} s at ${times[gap - 1]!.toFixed(1)} s`,
    );
}

/** Square pixels, upright: what a person sees. */
function shownSize(
  codedWidth: number,
  codedHeight: number,
  aspect: Rational,
  rotation: number,
): { width: number; height: number } {
  const width = Math.max(2, Math.round(codedWidth * toNumber(aspect)));
  return rotation === 90 || rotation === 270
    ? { width: codedHeight, height: width }
    : { width, height: codedHeight };
}

function rotationOf(stream: ProbeStream): SourceVideo["rotationDegrees"] {
  const angle = stream.side_data_list?.find((side) => side.rotation !== undefined)?.rotation ?? 0;
  const quarter = ((Math.round(-angle / 90) % 4) + 4) % 4;
  return (quarter * 90) as SourceVideo["rotationDegrees"];
}

/** More than a tenth of a second, or a thousandth, missing against what the file states is damage, never a shorter title. */
function checkWhole(
  report: ProbeReport,
  stream: ProbeStream,
  packets: readonly ProbePacket[],
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
  const statedVideo = Number(stream.duration ?? Number.NaN);
  if (statedVideo > 0) short(statedVideo, durationSeconds);
  const statedFile = Number(report.format?.duration ?? Number.NaN);
  if (!(statedFile > 0)) return;
  let start = Number.POSITIVE_INFINITY;
  let end = 0;
  for (const packet of packets) {
    start = Math.min(start, packet.seconds);
    end = Math.max(end, packet.seconds + packet.durationSeconds);
  }
  short(statedFile, end - Math.min(start, Number(report.format?.start_time ?? 0) || 0));
}

function describeAudio(stream: ProbeStream, packets: readonly ProbePacket[]): SourceAudio[] {
  const codec = stream.codec_name ?? "unknown";
  const own = packets.filter((packet) => packet.streamIndex === stream.index);
  // A track that announces itself and holds nothing is no track.
  if (own.length === 0) return [];
  if (!AUDIO_CODECS.test(codec))
    throw sourceFailure("unsupported_codec", `Sound coded as ${codec} is not taken.`);
  const start = own.reduce((least, packet) => Math.min(least, packet.seconds), Number.POSITIVE_INFINITY);
  const end = own.reduce((most, packet) => Math.max(most, packet.seconds + packet.durationSeconds), 0);
  return [
    {
      streamIndex: stream.index,
      codec,
      channels: stream.channels ?? 2,
      sampleRateHz: Number(stream.sample_rate) || 48_000,
      language: languageOf(stream),
      label: stream.tags?.title?.slice(0, 100) ?? null,
      startSeconds: round(start),
      durationSeconds: round(end - start),
    },
  ];
}

function describeSubtitle(stream: ProbeStream): SourceSubtitle {
  return {
    streamIndex: stream.index,
    codec: stream.codec_name ?? "unknown",
    language: languageOf(stream),
    label: stream.tags?.title?.slice(0, 100) ?? null,
  };
}

/** BCP-47 from a container's three letters (`eng` → `en`); `und` where it does not say or is no language. */
function languageOf(stream: ProbeStream): string {
  try {
    return Intl.getCanonicalLocales(stream.tags?.language ?? "und")[0] ?? "und";
  } catch {
    return "und";
  }
}

function round(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}
