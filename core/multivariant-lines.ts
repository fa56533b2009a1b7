import type { MeasuredBitrate } from "./bitrate.ts";
import { type Rational, toNumber } from "./rational.ts";
import type { AudioRendition, IFrameVariant, SubtitleRendition, VideoVariant } from "./renditions.ts";

/** Players that want no more than two channels stay within the first group. */
const STEREO_GROUP = "audio";
const SURROUND_GROUP = "audio-5.1";
/** Apple 2.12. */
const DESCRIBES_VIDEO = "public.accessibility.describes-video";
const SUBTITLE_GROUP = "text";
/** Apple 4.5: both, for what also tells of sounds. */
const TELLS_SOUNDS =
  "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound";

interface AudioGroup {
  id: string;
  members: AudioRendition[];
}

/**
 * Apple 2.3, 9.6: stereo and multichannel sound are groups apart. 8216bis 4.4.6.1.1: each has the same members, so that of a sound that has no more
 * than two channels the same rendition stands in both, and whoever plays 5.1 can still choose it.
 */
export function audioGroups(audio: readonly AudioRendition[]): AudioGroup[] {
  const stereo = audio.filter(({ channels }) => channels <= 2);
  const surround = audio.filter(({ channels }) => channels > 2);
  const widest = stereo.map((one) => surround.find(({ name }) => name === one.name) ?? one);
  return [
    { id: STEREO_GROUP, members: stereo },
    { id: SURROUND_GROUP, members: surround.length > 0 ? widest : [] },
  ].filter(({ members }) => members.length > 0);
}

/**
 * 8216bis 4.4.6.1: NAME unique within the group, one DEFAULT=YES. Apple 8.10: LANGUAGE on each. Talk over the film is
 * never chosen by a player itself; a description is where the person's settings ask for one (Apple 2.13).
 */
export function audioLine(rendition: AudioRendition, groupId: string, isDefault: boolean): string {
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
export function subtitleLine({ uri, name, language, role }: SubtitleRendition): string {
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
export function streamLine(
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
export function iFrameLine(variant: IFrameVariant, score: number | undefined): string {
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

/** 8216bis 4.2: a quoted string holds no line break and no double quote. */
function quotable(text: string): string {
  return text
    .replaceAll('"', "”")
    .replace(/[\r\n]+/g, " ")
    .trim();
}
