import type { ProbeSideData } from "./hdr-metadata.ts";
import type { PacketTable } from "./packet-table.ts";
import { describePicture, pictureStream, roundToMicros, stepsBack } from "./probed-picture.ts";
import { describeAudio, describeSubtitle } from "./probed-tracks.ts";
import type { Source, SourceVideo, StreamEntries } from "./source.ts";
import { describeChapters } from "./source-chapters.ts";
import { describeFacts } from "./source-facts.ts";
import { checkWhole } from "./stated-length.ts";

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
  const video = describePicture(report, stream, packets);
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
      stepsBack: stepsBack({ streams }),
      decodeSeconds: entries.map(({ decodeSeconds }) => roundToMicros(decodeSeconds - startSeconds)),
      at: entries.map(({ at }) => at),
      ...(entries[0]!.leadAt === undefined ? {} : { leadAt: entries.map(({ at, leadAt = at }) => leadAt) }),
    },
  };
}
