import type { MeasuredBitrate } from "./bitrate.ts";
import { type Rational, toNumber } from "./rational.ts";

export interface VideoVariant {
  uri: string;
  iFrameUri: string;
  codec: string;
  width: number;
  height: number;
  measured: MeasuredBitrate;
  iFrameMeasured: MeasuredBitrate;
}

export interface AudioRendition {
  uri: string;
  name: string;
  language: string;
  codec: string;
  channels: number;
  measured: MeasuredBitrate;
}

const AUDIO_GROUP = "audio";
/** Apple 1.32: the first variant listed is where players start; about 2 Mbit/s. */
const FIRST_VARIANT_BPS = 2_000_000;

/** The multivariant playlist, from measured bytes only. Variants: a good one to start with first, then largest down. */
export function multivariantPlaylist(
  variants: readonly VideoVariant[],
  audio: readonly AudioRendition[],
  frameRate: Rational,
): string {
  // Apple 9.11: INDEPENDENT-SEGMENTS once, here.
  const lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS", ""];
  audio.forEach((rendition, index) => {
    lines.push(audioLine(rendition, index));
  });
  if (audio.length > 0) lines.push("");
  for (const variant of startFirst(variants)) lines.push(streamLine(variant, audio, frameRate), variant.uri);
  lines.push("");
  for (const variant of largestFirst(variants)) lines.push(iFrameLine(variant));
  lines.push("");
  return lines.join("\n");
}

/** 8216bis 4.4.6.1: NAME unique within the group, one DEFAULT=YES. Apple 8.10: LANGUAGE on each. */
function audioLine(rendition: AudioRendition, index: number): string {
  const attributes = [
    "TYPE=AUDIO",
    `GROUP-ID="${AUDIO_GROUP}"`,
    `NAME="${quotable(rendition.name)}"`,
    `LANGUAGE="${rendition.language}"`,
    `DEFAULT=${index === 0 ? "YES" : "NO"}`,
    "AUTOSELECT=YES",
    `CHANNELS="${rendition.channels}"`,
    `URI="${rendition.uri}"`,
  ];
  return `#EXT-X-MEDIA:${attributes.join(",")}`;
}

/** Apple 9.13: BANDWIDTH is the largest sum over the combinations that can be played. */
function streamLine(variant: VideoVariant, audio: readonly AudioRendition[], frameRate: Rational): string {
  const loudest = audio.reduce((most, one) => Math.max(most, one.measured.peakBps), 0);
  const average = audio.reduce((most, one) => Math.max(most, one.measured.averageBps), 0);
  const codecs = [variant.codec, ...new Set(audio.map((one) => one.codec))];
  const attributes = [
    `BANDWIDTH=${variant.measured.peakBps + loudest}`,
    `AVERAGE-BANDWIDTH=${variant.measured.averageBps + average}`,
    `CODECS="${codecs.join(",")}"`,
    `RESOLUTION=${variant.width}x${variant.height}`,
    `FRAME-RATE=${toNumber(frameRate).toFixed(3)}`,
    "VIDEO-RANGE=SDR",
    ...(audio.length > 0 ? [`AUDIO="${AUDIO_GROUP}"`] : []),
    "CLOSED-CAPTIONS=NONE",
  ];
  return `#EXT-X-STREAM-INF:${attributes.join(",")}`;
}

/** Apple 9.3, 9.4, 6.9: the same attributes, of the I-frames alone. */
function iFrameLine(variant: VideoVariant): string {
  const attributes = [
    `BANDWIDTH=${variant.iFrameMeasured.peakBps}`,
    `AVERAGE-BANDWIDTH=${variant.iFrameMeasured.averageBps}`,
    `CODECS="${variant.codec}"`,
    `RESOLUTION=${variant.width}x${variant.height}`,
    "VIDEO-RANGE=SDR",
    `URI="${variant.iFrameUri}"`,
  ];
  return `#EXT-X-I-FRAME-STREAM-INF:${attributes.join(",")}`;
}

function largestFirst(variants: readonly VideoVariant[]): VideoVariant[] {
  return [...variants].sort((a, b) => b.measured.peakBps - a.measured.peakBps);
}

function startFirst(variants: readonly VideoVariant[]): VideoVariant[] {
  const sorted = largestFirst(variants);
  const distance = (variant: VideoVariant): number =>
    Math.abs(variant.measured.averageBps - FIRST_VARIANT_BPS);
  const first = sorted.reduce(
    (best, variant) => (distance(variant) < distance(best) ? variant : best),
    sorted[0]!,
  );
  return [first, ...sorted.filter((variant) => variant !== first)];
}

/** 8216bis 4.2: a quoted string holds no line break and no double quote. */
function quotable(text: string): string {
  return text
    .replaceAll('"', "”")
    .replace(/[\r\n]+/g, " ")
    .trim();
}
