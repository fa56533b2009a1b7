import type { VideoRange } from "./ladder.ts";

/** What a player says of its device, as it came in a request. */
export interface Capabilities {
  codecs?: readonly string[] | undefined;
  hdr?: boolean | undefined;
  maxHeight?: number | undefined;
  channels?: number | undefined;
}

export type CodecFamily = "avc" | "hevc" | "av1";

/** What of a package a device is offered; null: no limit. Equal ones get the same playlists. */
export interface Device {
  families: readonly CodecFamily[] | null;
  hdr: boolean;
  /** Of the shorter side, as in `1080p`: a film on end has it across. */
  maxHeight: number | null;
  maxChannels: number | null;
  /** The sound track that its viewer wants, where it is not the film's own first one. */
  audioId: string | null;
}

/** By RFC 6381 sample entry, and by the names that people use. */
const FAMILIES = new Map<string, CodecFamily>([
  ["avc1", "avc"],
  ["avc3", "avc"],
  ["avc", "avc"],
  ["h264", "avc"],
  ["hvc1", "hevc"],
  ["hev1", "hevc"],
  ["hevc", "hevc"],
  ["h265", "hevc"],
  ["av01", "av1"],
  ["av1", "av1"],
]);

/** The family of `avc1.640028`, `hevc`, …; null where it is none that we make. */
export function familyOfCodec(codec: string): CodecFamily | null {
  return FAMILIES.get(codec.trim().toLowerCase().split(".")[0] ?? "") ?? null;
}

/**
 * What a device is offered. Of codecs only the family counts: how large a picture of it may be is what `maxHeight` is
 * for. A list without any of ours gets H.264, which everything plays.
 */
export function deviceOf(capabilities: Capabilities, audioId: string | null = null): Device {
  const named = capabilities.codecs?.flatMap((codec) => familyOfCodec(codec) ?? []);
  const families = named === undefined ? null : [...new Set<CodecFamily>(named)].sort();
  return {
    families: families?.length === 0 ? ["avc"] : families,
    hdr: capabilities.hdr ?? true,
    maxHeight: capabilities.maxHeight ?? null,
    maxChannels: capabilities.channels ?? null,
    audioId,
  };
}

/** One video of a package, whatever manifest tells of it. */
export interface OfferedVideo {
  codec: string;
  range: VideoRange;
  width: number;
  height: number;
}

/**
 * Which of these videos the device gets: its codecs (H.264 where none of them is there), its dynamic range, and what
 * is no taller than it may be. Never none: where all are taller, those of the smallest size.
 */
export function videosFor<V extends OfferedVideo>(videos: readonly V[], device: Device): V[] {
  const { families, hdr, maxHeight } = device;
  const ofRange = videos.filter(({ range }) => hdr || range === "SDR");
  const within = (allowed: readonly CodecFamily[] | null): V[] =>
    ofRange.filter(({ codec }) => {
      const family = familyOfCodec(codec);
      return allowed === null || (family !== null && allowed.includes(family));
    });
  const readable = [within(families), within(["avc"]), ofRange].find((list) => list.length > 0) ?? [
    ...videos,
  ];
  const small = readable.filter((one) => maxHeight === null || shortSide(one) <= maxHeight);
  if (small.length > 0) return small;
  const least = Math.min(...readable.map(shortSide));
  return readable.filter((one) => shortSide(one) === least);
}

function shortSide({ width, height }: OfferedVideo): number {
  return Math.min(width, height);
}
