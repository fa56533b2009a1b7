import { AUDIO_CODECS } from "./accepted-media.ts";
import { sourceFailure } from "./errors.ts";
import type { ProbeSideData } from "./hdr-metadata.ts";
import type { PacketTable } from "./packet-table.ts";
import { describePicture, pictureStream, roundToMicros } from "./probed-picture.ts";
import { parseRational, toNumber } from "./rational.ts";
import type {
  AudioRole,
  Source,
  SourceAudio,
  SourceSubtitle,
  SourceVideo,
  StreamEntries,
  SubtitleRole,
} from "./source.ts";
import { describeChapters } from "./source-chapters.ts";
import { describeFacts } from "./source-facts.ts";

/** What ffprobe says of a file (`-show_streams -show_format -show_chapters -of json`): only the members that are read. */
export interface ProbeReport {
  streams?: ProbeStream[];
  format?: { format_name?: string; start_time?: string; duration?: string; bit_rate?: string };
  chapters?: { start_time?: string; tags?: Record<string, string> }[];
  /** The first frame of an HDR picture (`-show_frames`): streams say their static metadata there. */
  frames?: { side_data_list?: ProbeSideData[] }[];
}

export interface ProbeStream {
  index: number;
  /** The number that the container knows it by, in hexadecimal (`0x100`). */
  id?: string;
  codec_type?: string;
  codec_name?: string;
  codec_tag_string?: string;
  bit_rate?: string;
  profile?: string;
  pix_fmt?: string;
  width?: number;
  height?: number;
  sample_aspect_ratio?: string;
  r_frame_rate?: string;
  avg_frame_rate?: string;
  time_base?: string;
  duration?: string;
  nb_frames?: string;
  channels?: number;
  sample_rate?: string;
  field_order?: string;
  has_b_frames?: number;
  color_transfer?: string;
  color_primaries?: string;
  color_space?: string;
  color_range?: string;
  bits_per_raw_sample?: string;
  disposition?: Record<string, number>;
  tags?: Record<string, string>;
  side_data_list?: ProbeSideData[];
}

/**
 * The immutable description of a master, from ffprobe's report and its packet table. Throws a `source` Failure
 * with the code that its owner sees wherever the master cannot be used.
 */
export function describeSource(
  report: ProbeReport,
  packets: PacketTable,
  file: { sizeBytes: number; sha256: string | null },
): Source {
  const streams = report.streams ?? [];
  const stream = pictureStream(report);
  const fileStartSeconds = Number(report.format?.start_time ?? 0) || 0;
  const video = describePicture(stream, packets, fileStartSeconds, report.frames?.[0]?.side_data_list);
  const durationSeconds = (video.frameCount * video.frameRate.den) / video.frameRate.num;
  checkWhole(report, stream, packets, durationSeconds);
  return {
    container: report.format?.format_name ?? "unknown",
    sizeBytes: file.sizeBytes,
    sha256: file.sha256,
    durationSeconds,
    video: { ...video, ...entriesOf(report, stream, packets, video) },
    audio: streams.filter((one) => one.codec_type === "audio").flatMap((one) => describeAudio(one, packets)),
    subtitles: streams
      // A track that announces itself and holds nothing is no track.
      .filter((one) => one.codec_type === "subtitle" && packets.spans.has(one.index))
      .map(describeSubtitle),
    facts: {
      ...describeFacts(report, stream, packets),
      chapters: describeChapters(report, video.startSeconds, durationSeconds),
    },
  };
}

/** Where a transport stream's picture can be entered; nothing where that is not known, or of another container. */
function entriesOf(
  { format, streams = [] }: ProbeReport,
  { id }: ProbeStream,
  { entries }: PacketTable,
  { startSeconds }: SourceVideo,
): { entries?: StreamEntries } {
  const packetId = Number(id);
  if (format?.format_name !== "mpegts" || !Number.isInteger(packetId) || entries.length === 0) return {};
  // ffmpeg seeks by one picture's times, and of several it may be another's.
  if (streams.filter((one) => one.codec_type === "video").length !== 1) return {};
  return {
    entries: {
      packetId,
      stepsBack: streams.some(({ has_b_frames: reorderedBy = 0 }) => reorderedBy > 0),
      decodeSeconds: entries.map(({ decodeSeconds }) => roundToMicros(decodeSeconds - startSeconds)),
      at: entries.map(({ at }) => at),
    },
  };
}

/** More than a tenth of a second, or a thousandth, missing against what the file states is damage, never a shorter title. */
function checkWhole(
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

function describeAudio(stream: ProbeStream, packets: PacketTable): SourceAudio[] {
  const codec = stream.codec_name ?? "unknown";
  const span = packets.spans.get(stream.index);
  // A track that announces itself and holds nothing is no track.
  if (span === undefined) return [];
  if (!AUDIO_CODECS.has(codec))
    throw sourceFailure("unsupported_codec", `Sound coded as ${codec} is not taken.`);
  return [
    {
      streamIndex: stream.index,
      codec,
      channels: stream.channels || 2,
      sampleRateHz: Number(stream.sample_rate) || 48_000,
      language: languageOf(stream),
      label: labelOf(stream),
      role: roleOf(stream),
      startSeconds: roundToMicros(span.startSeconds),
      durationSeconds: roundToMicros(span.endSeconds - span.startSeconds),
    },
  ];
}

function describeSubtitle(stream: ProbeStream): SourceSubtitle {
  return {
    streamIndex: stream.index,
    codec: stream.codec_name ?? "unknown",
    language: languageOf(stream),
    label: labelOf(stream),
    role: subtitleRoleOf(stream),
  };
}

const SDH = /\bSDH\b|\bCC\b|hearing.impaired|closed caption|h(ö|oe)rgesch(ä|ae)digt|malentendant/i;
const FORCED = /\bforced\b|erzwungen|forcé/i;

/** What the container flags, else what the title says. A forced track is small: nothing else is shown in its place. */
function subtitleRoleOf(stream: ProbeStream): SubtitleRole {
  const flags = stream.disposition ?? {};
  const title = stream.tags?.title ?? "";
  if (flags.forced || FORCED.test(title)) return "forced";
  if (flags.hearing_impaired || flags.captions || SDH.test(title)) return "sdh";
  return flags.comment || COMMENTARY.test(title) ? "commentary" : "main";
}

const DESCRIPTION = /descri(be|pti)|deskription|h(ö|oe)rfilm|visually impaired|\bDVS\b/i;
const COMMENTARY = /comment|kommentar/i;

/** What the container flags, else what the title says. */
function roleOf(stream: ProbeStream): AudioRole {
  const flags = stream.disposition ?? {};
  const title = stream.tags?.title ?? "";
  if (flags.visual_impaired || flags.descriptions || DESCRIPTION.test(title)) return "description";
  return flags.comment || COMMENTARY.test(title) ? "commentary" : "main";
}

/** The track's name for people: one line of text without what playlists quote with, or null. */
function labelOf(stream: ProbeStream): string | null {
  const text = (stream.tags?.title ?? "")
    .replace(/[\p{C}"]+/gu, " ")
    .trim()
    .replace(/\s+/g, " ");
  return [...text].slice(0, 100).join("") || null;
}

/** BCP-47 from a container's letters (`eng` → `en`, `pt_BR` → `pt-BR`); `und` where it does not say or is no language. */
function languageOf(stream: ProbeStream): string {
  const tag = (stream.tags?.language ?? "und").replaceAll("_", "-");
  // RFC 5646 2.2.1: registered languages have two or three letters; longer words are a file's free text.
  if (!/^[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}$/i.test(tag)) return "und";
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? "und";
  } catch {
    return "und";
  }
}
