import { VIDEO_CODECS } from "./accepted-media.ts";
import { type Failure, sourceFailure } from "./errors.ts";
import { frameTiming } from "./frame-rate.ts";
import { readHdrMetadata } from "./hdr-metadata.ts";
import { MOST_FRAMES, type PacketTable } from "./packet-table.ts";
import type { ProbeReport, ProbeStream } from "./probe-report.ts";
import { parseRational, type Rational, rational, toNumber } from "./rational.ts";
import type { ShownFrames } from "./shown-frames.ts";
import type { SourceVideo } from "./source.ts";

/** Streams beyond this are an attack or a mistake (T08). */
const MOST_STREAMS = 64;
/** Policy: 4K with room for its odd shapes (T06). */
const LARGEST = { width: 4096, height: 2304 };
const LARGEST_SIDE = 8192;
const SMALLEST_SIDE = 2;
/** A picture that stands longer is a broken clock, not a shot (T07). */
export const LONGEST_GAP_SECONDS = 10;
const LONGEST_SECONDS = 24 * 3600;
/** Fewer frames than this many a second, over a minute or more, would be multiplied into hours of stills (T07). */
const FEWEST_FRAMES_PER_SECOND = 0.2;
/** Beyond this a sample aspect is a bomb: a small picture that is a mile wide. */
const STRONGEST_ASPECT = 8;

/**
 * The stream that is the picture: cover art is none, and of several the one that the file marks as its default.
 * Throws where there is none or the file holds more streams than any film.
 */
export function pictureStream(report: ProbeReport): ProbeStream {
  const streams = report.streams ?? [];
  if (streams.length > MOST_STREAMS) {
    throw sourceFailure(
      "too_many_streams",
      `The file has ${streams.length} streams; at most ${MOST_STREAMS} are taken.`,
    );
  }
  const pictures = streams.filter(
    (one) =>
      one.codec_type === "video" &&
      one.disposition?.attached_pic !== 1 &&
      one.disposition?.timed_thumbnails !== 1,
  );
  const picture = pictures.find((one) => one.disposition?.default === 1) ?? pictures[0];
  if (picture === undefined) throw sourceFailure("no_video", "The file has no moving picture.");
  checkPicture(picture);
  return picture;
}

/** What a master's picture is: its size as seen, its exact rate, its frames. Throws where its clock cannot be right. */
export function describePicture(report: ProbeReport, stream: ProbeStream, packets: PacketTable): SourceVideo {
  refuseEncrypted(packets, stream, "The picture");
  const { frames } = packets;
  const times = frames.seconds;
  if (times.length === 0)
    throw sourceFailure("source_damaged", "The file says it has a picture, but holds no frame of it.");
  checkTimes(times, packets.timelessFrames);
  const declared = [parseRational(stream.r_frame_rate), parseRational(stream.avg_frame_rate)];
  // A programme stream gives some frames a time, often one of each group; the reader makes up the rest.
  const isGuessed = report.format?.format_name === "mpeg" && !packets.hasAllTimes;
  const timing = frameTiming(times, frames.lastDurationSeconds, declared, isGuessed);
  const sampleAspect = parseRational(stream.sample_aspect_ratio) ?? rational(1, 1);
  const rotationDegrees = rotationOf(stream);
  const hdr = readHdrMetadata(report.frames?.[0]?.side_data_list ?? [], stream.side_data_list);
  return {
    streamIndex: stream.index,
    codec: stream.codec_name!,
    profile: stream.profile ?? null,
    pixelFormat: stream.pix_fmt ?? "unknown",
    bitDepth: bitDepthOf(stream),
    codedWidth: stream.width!,
    codedHeight: stream.height!,
    ...shownSize(stream.width!, stream.height!, sampleAspect, rotationDegrees),
    sampleAspect,
    rotationDegrees,
    frameRate: timing.frameRate,
    frameCount: timing.frameCount,
    variableFrameRate: timing.variable || packets.reckoned === "moved" || !countsAsPackets(stream, packets),
    startSeconds: times[0]!,
    fileStartSeconds: Number(report.format?.start_time ?? 0) || 0,
    hasAllTimes: packets.hasAllTimes,
    ...(packets.reckoned === undefined ? {} : { isReckoned: true, stepsBack: stepsBack(report) }),
    keyframeSeconds: keyframesFrom(frames),
    fieldOrder: stream.field_order ?? "unknown",
    colorTransfer: stream.color_transfer ?? null,
    colorPrimaries: stream.color_primaries ?? null,
    colorSpace: stream.color_space ?? null,
    colorRange: stream.color_range ?? null,
    ...(hdr === undefined ? {} : { hdr }),
  };
}

/** Whether ffmpeg steps back when it seeks in a file whose container keeps no times of decoding (ffmpeg_opt.c, `dts_heuristic`). */
export function stepsBack({ streams = [] }: ProbeReport): boolean {
  return streams.some(({ has_b_frames: reorderedBy = 0 }) => reorderedBy > 0);
}

/**
 * Whether one packet is one shown frame. VP8 may hold frames that are never shown in packets of their own, and
 * a frame without a time cannot be counted into its place: such pictures are placed by their times instead.
 */
function countsAsPackets(stream: ProbeStream, packets: PacketTable): boolean {
  return stream.codec_name !== "vp8" && packets.timelessFrames === 0;
}

function keyframesFrom({ seconds: [first = 0], keyframeSeconds }: ShownFrames): number[] {
  return Array.from(keyframeSeconds, (seconds) => roundToMicros(seconds - first));
}

/** Bits of a sample: the decoder's word, else the end of the pixel format's name (`yuv420p10le`). */
function bitDepthOf(stream: ProbeStream): number {
  const named = /(9|10|12|14|16)(?:le|be)$/.exec(stream.pix_fmt ?? "")?.[1];
  return Number(stream.bits_per_raw_sample) || Number(named ?? 8);
}

/** Why a picture of that size is not taken, with the limit: whoever gives advice on it need not know one. */
export function sizeRefused(picture: string, cause?: unknown): Failure {
  const limit = `largest: ${LARGEST.width}×${LARGEST.height}, or as many samples with at most ${LARGEST_SIDE} in a row`;
  return sourceFailure("dimensions_refused", `A picture ${picture} is not taken (${limit}).`, cause);
}

/**
 * Throws where a stream's packets are encrypted: the codec and the size that it states are true, so that it would be planned
 * and encoded before anybody saw that nothing decodes.
 */
export function refuseEncrypted({ encrypted }: PacketTable, { index }: ProbeStream, what: string): void {
  if (!encrypted.has(index)) return;
  const message = `${what} is encrypted. Export the film without protection (DRM) and send that.`;
  throw sourceFailure("unsupported_codec", message);
}

function checkPicture(stream: ProbeStream): void {
  const { width = 0, height = 0, codec_name: codec = "unknown" } = stream;
  if (!VIDEO_CODECS.has(codec))
    throw sourceFailure("unsupported_codec", `Pictures coded as ${codec} are not taken.`);
  // ffprobe answers 0×0, and success, for a picture that it refused to decode.
  if (width === 0 || height === 0) throw sizeRefused("that cannot be decoded at its size");
  const size = `of ${width}×${height}`;
  if (Math.min(width, height) < SMALLEST_SIDE) {
    const limit = `smallest: ${SMALLEST_SIDE}×${SMALLEST_SIDE}`;
    throw sourceFailure("dimensions_refused", `A picture ${size} is not taken (${limit}).`);
  }
  if (Math.max(width, height) > LARGEST_SIDE || width * height > LARGEST.width * LARGEST.height)
    throw sizeRefused(size);
  const aspect = toNumber(parseRational(stream.sample_aspect_ratio) ?? rational(1, 1));
  if (Math.max(aspect, 1 / aspect) > STRONGEST_ASPECT || width * aspect > LARGEST_SIDE) {
    throw sourceFailure(
      "dimensions_refused",
      `A picture whose pixels are ${aspect.toPrecision(3)} times as wide as high is not taken.`,
    );
  }
}

function checkTimes(times: Float64Array, timelessFrames: number): void {
  const invalid = (detail: string): Error =>
    sourceFailure("timeline_invalid", `The picture's clock cannot be right: ${detail}.`);
  if (timelessFrames > times.length) throw invalid("most frames have no time");
  const span = times.at(-1)! - times[0]!;
  if (span > LONGEST_SECONDS || times.length > MOST_FRAMES) throw invalid("it runs longer than a day");
  let repeated = 0;
  for (let at = 1; at < times.length; at++) {
    const [before, gapSeconds] = [times[at - 1]!, times[at]! - times[at - 1]!];
    if (gapSeconds > LONGEST_GAP_SECONDS)
      throw invalid(`nothing for ${Math.round(gapSeconds)} s at ${before.toFixed(1)} s`);
    if (gapSeconds === 0) repeated += 1;
  }
  if (span > 60 && times.length < span * FEWEST_FRAMES_PER_SECOND)
    throw invalid(`${times.length} frames in ${Math.round(span)} s`);
  if (repeated * 2 > times.length) throw invalid("most frames share their time with another");
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

/** Seconds as the records keep them: to the microsecond. */
export function roundToMicros(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}
