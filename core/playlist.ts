import { type ContentProtection, keyAttributes } from "./clear-key.ts";
import { secondsText } from "./rational.ts";

/** One entry of a media playlist: where it is and how long it plays, in ticks of the track. */
export interface PlaylistSegment {
  uri: string;
  durationTicks: number;
  /** Only in I-frame playlists: length and offset of the frame with its `moof` (Apple 6.10). */
  byteRange?: { length: number; offset: number };
}

const MICROSECOND_DIGITS = 6;

/**
 * The EXTINF texts of a run of segments: each is the difference of two rounded instants, so the sum of any
 * run is within a microsecond of the truth however long the title (Apple HLS authoring 8.1).
 */
export function extinfTexts(segments: readonly PlaylistSegment[], timescale: number): string[] {
  let startTicks = 0;
  return segments.map((segment) => {
    const start = microseconds(startTicks, timescale);
    startTicks += segment.durationTicks;
    return secondsText(Number(microseconds(startTicks, timescale) - start), 1_000_000, MICROSECOND_DIGITS);
  });
}

function microseconds(ticks: number, timescale: number): bigint {
  return (BigInt(ticks) * 2_000_000n + BigInt(timescale)) / (2n * BigInt(timescale));
}

/** RFC 8216bis 4.4.3.1: no rounded EXTINF may exceed it. */
export function targetDurationSeconds(segments: readonly PlaylistSegment[], timescale: number): number {
  const longest = segments.reduce((most, segment) => Math.max(most, segment.durationTicks), 0);
  return Math.max(1, Math.round(longest / timescale));
}

export interface MediaPlaylistInput {
  /** null: the segments need none (WebVTT). */
  initUri: string | null;
  timescale: number;
  segments: readonly PlaylistSegment[];
  /** The one target duration that all renditions state (Apple 8.2); I-frame playlists may have their own. */
  targetDurationSeconds: number;
  iFramesOnly?: boolean;
  /** The segments are protected; an init segment never is. */
  protection?: ContentProtection | undefined;
}

/** A complete VOD media playlist, or an I-frame playlist of one. */
export function mediaPlaylist(input: MediaPlaylistInput): string {
  const durations = extinfTexts(input.segments, input.timescale);
  const lines = [
    "#EXTM3U",
    // 8216bis 7: EXT-X-MAP outside I-frame playlists needs 6, fractional durations 3; 7 is the safe value.
    "#EXT-X-VERSION:7",
    `#EXT-X-TARGETDURATION:${input.targetDurationSeconds}`,
    "#EXT-X-MEDIA-SEQUENCE:0",
    // Apple 8.6.
    "#EXT-X-PLAYLIST-TYPE:VOD",
    ...(input.iFramesOnly ? ["#EXT-X-I-FRAMES-ONLY"] : []),
    ...(input.initUri === null ? [] : [`#EXT-X-MAP:URI="${input.initUri}"`]),
    ...(input.protection === undefined ? [] : [`#EXT-X-KEY:${keyAttributes(input.protection)}`]),
  ];
  input.segments.forEach((segment, index) => {
    lines.push(`#EXTINF:${durations[index]},`);
    if (segment.byteRange)
      lines.push(`#EXT-X-BYTERANGE:${segment.byteRange.length}@${segment.byteRange.offset}`);
    lines.push(segment.uri);
  });
  lines.push("#EXT-X-ENDLIST", "");
  return lines.join("\n");
}
