import type { MeasuredBitrate } from "./bitrate.ts";
import { type ContentProtection, keyAttributes } from "./clear-key.ts";
import type { VideoRange } from "./ladder.ts";
import { type Rational, toNumber } from "./rational.ts";
import type { AudioRole, SubtitleRole } from "./source.ts";
import { largestFirst, startFirst } from "./variant-order.ts";

/** Pictures for seeking: of a variant's keyframes, or made for that alone. */
export interface IFrameVariant {
  iFrameUri: string;
  codec: string;
  /** Variants of one ladder stand together; which of them are which. */
  ladderId: string;
  range: VideoRange;
  width: number;
  height: number;
  iFrameMeasured: MeasuredBitrate;
}

export interface VideoVariant extends IFrameVariant {
  uri: string;
  measured: MeasuredBitrate;
}

export interface AudioRendition {
  uri: string;
  name: string;
  language: string;
  role: AudioRole;
  codec: string;
  channels: number;
  measured: MeasuredBitrate;
}

export interface SubtitleRendition {
  uri: string;
  name: string;
  language: string;
  role: SubtitleRole;
  measured: MeasuredBitrate;
}

/** Players that want no more than two channels stay within the first group. */
const STEREO_GROUP = "audio";
const SURROUND_GROUP = "audio-5.1";
/** Apple 2.12. */
const DESCRIBES_VIDEO = "public.accessibility.describes-video";
const SUBTITLE_GROUP = "text";
/** Apple 4.5: both, for what also tells of sounds. */
const TELLS_SOUNDS =
  "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound";

/**
 * The multivariant playlist, from measured bytes only. Ladder by ladder, H.264 first: a player that takes the first
 * variant it meets can play it. Within each a good one to start with first, then largest down.
 */
export function multivariantPlaylist(
  variants: readonly VideoVariant[],
  audio: readonly AudioRendition[],
  frameRate: Rational,
  dense: IFrameVariant,
  subtitles: readonly SubtitleRendition[] = [],
  protection?: ContentProtection,
): string {
  // Apple 9.11: INDEPENDENT-SEGMENTS once, here.
  const lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"];
  // 8216bis 4.4.6.5: the licence can be asked for before the first segment.
  if (protection !== undefined) lines.push(`#EXT-X-SESSION-KEY:${keyAttributes(protection)}`);
  lines.push("");
  const groups = audioGroups(audio);
  for (const group of groups) {
    lines.push(...group.members.map((rendition, index) => audioLine(rendition, group.id, index === 0)), "");
  }
  if (subtitles.length > 0) lines.push(...subtitles.map(subtitleLine), "");
  const ladders = [...Map.groupBy(variants, ({ ladderId }) => ladderId).values()];
  const scores = ladders.length > 1 ? scoresOf(variants) : null;
  for (const ladder of ladders) {
    // 8216bis 4.4.6.2.1: each group of sound beside each picture is a variant of its own.
    for (const group of groups.length > 0 ? groups : [null]) {
      for (const variant of startFirst(ladder, ratesOf))
        lines.push(streamLine(variant, group, subtitles, frameRate, scores?.get(variant)), variant.uri);
      lines.push("");
    }
  }
  for (const ladder of ladders) {
    for (const variant of largestFirst(ladder, ratesOf))
      lines.push(iFrameLine(variant, scores?.get(variant)));
  }
  // Softer than any of them, so below them all.
  lines.push(iFrameLine(dense, scores === null ? undefined : Math.min(...scores.values()) / 2));
  lines.push("");
  return lines.join("\n");
}

/** What a player gains with the same number of lines: HDR first, then what needs fewer bytes for the same picture. */
const RANGE_SCORE: Record<VideoRange, number> = { SDR: 0, HLG: 0.5, PQ: 0.5 };
const CODEC_SCORE: Record<string, number> = { avc1: 0, hvc1: 0.1, av01: 0.2 };

/**
 * 8216bis 4.4.6.2, SCORE: how good a variant looks beside the others. Needed where codecs differ, since bit rates say
 * nothing there: H.264 at 6 Mbit/s looks as HEVC at 3.9 does. Each step in size is one, and codec and range break ties;
 * a second encode of one size is below the first.
 */
function scoresOf(variants: readonly VideoVariant[]): Map<VideoVariant, number> {
  const sizes = [...new Set(variants.map(sizeOf))].sort((a, b) => a - b);
  const scores = new Map<VideoVariant, number>();
  for (const variant of variants) {
    const better = variants.filter(
      (other) =>
        other.ladderId === variant.ladderId &&
        sizeOf(other) === sizeOf(variant) &&
        other.measured.averageBps > variant.measured.averageBps,
    );
    const codec = CODEC_SCORE[variant.codec.split(".")[0] ?? ""] ?? 0;
    const score = sizes.indexOf(sizeOf(variant)) + 1 + RANGE_SCORE[variant.range] + codec;
    scores.set(variant, better.length > 0 ? score / 2 : score);
  }
  return scores;
}

function sizeOf({ width, height }: VideoVariant): number {
  return width * height;
}

interface AudioGroup {
  id: string;
  members: AudioRendition[];
}

/** Apple 2.3, 9.6: stereo and multichannel sound are groups apart. */
function audioGroups(audio: readonly AudioRendition[]): AudioGroup[] {
  return [
    { id: STEREO_GROUP, members: audio.filter(({ channels }) => channels <= 2) },
    { id: SURROUND_GROUP, members: audio.filter(({ channels }) => channels > 2) },
  ].filter(({ members }) => members.length > 0);
}

/**
 * 8216bis 4.4.6.1: NAME unique within the group, one DEFAULT=YES. Apple 8.10: LANGUAGE on each. Talk over the film is
 * never chosen by a player itself; a description is where the person's settings ask for one (Apple 2.13).
 */
function audioLine(rendition: AudioRendition, groupId: string, isDefault: boolean): string {
  const attributes = [
    "TYPE=AUDIO",
    `GROUP-ID="${groupId}"`,
    `NAME="${quotable(rendition.name)}"`,
    `LANGUAGE="${rendition.language}"`,
    `DEFAULT=${isDefault ? "YES" : "NO"}`,
    `AUTOSELECT=${isDefault || rendition.role !== "commentary" ? "YES" : "NO"}`,
    ...(rendition.role === "description" ? [`CHARACTERISTICS="${DESCRIBES_VIDEO}"`] : []),
    `CHANNELS="${rendition.channels}"`,
    `URI="${rendition.uri}"`,
  ];
  return `#EXT-X-MEDIA:${attributes.join(",")}`;
}

/**
 * Apple 4.6, 4.7, 5.11. None is DEFAULT: whoever wants text says so, once, and muxers set that flag without being asked.
 * Forced text is chosen by the player for the language that is heard (8216bis 4.4.6.1); talk over the film never by itself.
 */
function subtitleLine({ uri, name, language, role }: SubtitleRendition): string {
  const attributes = [
    "TYPE=SUBTITLES",
    `GROUP-ID="${SUBTITLE_GROUP}"`,
    `NAME="${quotable(name)}"`,
    `LANGUAGE="${language}"`,
    "DEFAULT=NO",
    `AUTOSELECT=${role === "commentary" ? "NO" : "YES"}`,
    ...(role === "forced" ? ["FORCED=YES"] : []),
    ...(role === "sdh" ? [`CHARACTERISTICS="${TELLS_SOUNDS}"`] : []),
    `URI="${uri}"`,
  ];
  return `#EXT-X-MEDIA:${attributes.join(",")}`;
}

/** Apple 9.13: BANDWIDTH is the largest sum over the combinations that can be played. */
function streamLine(
  variant: VideoVariant,
  group: AudioGroup | null,
  subtitles: readonly SubtitleRendition[],
  frameRate: Rational,
  score: number | undefined,
): string {
  const audio = group?.members ?? [];
  const most = (renditions: readonly { measured: MeasuredBitrate }[], rate: keyof MeasuredBitrate): number =>
    renditions.reduce((largest, { measured }) => Math.max(largest, measured[rate]), 0);
  const codecs = [variant.codec, ...new Set(audio.map((one) => one.codec))];
  const attributes = [
    `BANDWIDTH=${variant.measured.peakBps + most(audio, "peakBps") + most(subtitles, "peakBps")}`,
    `AVERAGE-BANDWIDTH=${variant.measured.averageBps + most(audio, "averageBps") + most(subtitles, "averageBps")}`,
    `CODECS="${codecs.join(",")}"`,
    `RESOLUTION=${variant.width}x${variant.height}`,
    `FRAME-RATE=${toNumber(frameRate).toFixed(3)}`,
    // Apple 9.16.
    `VIDEO-RANGE=${variant.range}`,
    ...scoreOf(score),
    ...(group === null ? [] : [`AUDIO="${group.id}"`]),
    ...(subtitles.length > 0 ? [`SUBTITLES="${SUBTITLE_GROUP}"`] : []),
    "CLOSED-CAPTIONS=NONE",
  ];
  return `#EXT-X-STREAM-INF:${attributes.join(",")}`;
}

/** Apple 9.3, 9.4, 6.9: the same attributes, of the I-frames alone. */
function iFrameLine(variant: IFrameVariant, score: number | undefined): string {
  const attributes = [
    `BANDWIDTH=${variant.iFrameMeasured.peakBps}`,
    `AVERAGE-BANDWIDTH=${variant.iFrameMeasured.averageBps}`,
    `CODECS="${variant.codec}"`,
    `RESOLUTION=${variant.width}x${variant.height}`,
    `VIDEO-RANGE=${variant.range}`,
    ...scoreOf(score),
    `URI="${variant.iFrameUri}"`,
  ];
  return `#EXT-X-I-FRAME-STREAM-INF:${attributes.join(",")}`;
}

/** Apple 9.19: on all variants or on none. */
function scoreOf(score: number | undefined): string[] {
  return score === undefined ? [] : [`SCORE=${score.toFixed(2)}`];
}

function ratesOf({ measured }: VideoVariant): MeasuredBitrate {
  return measured;
}

/** 8216bis 4.2: a quoted string holds no line break and no double quote. */
function quotable(text: string): string {
  return text
    .replaceAll('"', "”")
    .replace(/[\r\n]+/g, " ")
    .trim();
}
