import type { MeasuredBitrate } from "../bitrate.ts";
import type { TrackFacts } from "./object-facts.ts";
import type { PackageView, PlaylistView, VariantView } from "./package-view.ts";
import type { Attributes } from "./playlist-grammar.ts";

/** The parts of a package that rules speak of. */

/** Playlists of one kind, each once. */
export function playlistsOf(view: PackageView, ...kinds: PlaylistView["kind"][]): PlaylistView[] {
  return view.playlists.filter((one) => kinds.includes(one.kind));
}

export interface VideoTrack extends VariantView {
  init: TrackFacts;
}

/** Variants with a picture whose init segment could be read. */
export function videoTracks(view: PackageView): VideoTrack[] {
  return view.variants.flatMap((variant) => {
    const { init } = variant.playlist;
    return variant.playlist.kind === "video" && init !== null ? [{ ...variant, init }] : [];
  });
}

/** EXT-X-MEDIA lines of one TYPE. */
export function mediaOf(view: PackageView, type: string): Attributes[] {
  return view.main.media.filter((attributes) => attributes.get("TYPE") === type);
}

/** Renditions with a playlist, of one TYPE. */
export function renditionsOf(view: PackageView, type: string): VariantView[] {
  return view.renditions.filter(({ attributes }) => attributes.get("TYPE") === type);
}

/** The codecs of a CODECS attribute. */
export function codecsOf(attributes: Attributes): string[] {
  return (attributes.get("CODECS") ?? "").split(",").filter((codec) => codec !== "");
}

export type Family = "avc" | "hevc" | "dovi" | "av1";
const FAMILIES: Record<string, Family> = {
  avc1: "avc",
  avc3: "avc",
  hvc1: "hevc",
  hev1: "hevc",
  dvh1: "dovi",
  dvhe: "dovi",
  av01: "av1",
};

/** The codec family of a sample entry or RFC 6381 string; null for anything else. */
export function familyOf(codec: string): Family | null {
  return FAMILIES[codec.split(".")[0] ?? ""] ?? null;
}

/** Variants with a picture of one codec family. */
export function ofFamily(view: PackageView, family: Family): VideoTrack[] {
  return videoTracks(view).filter(({ init }) => familyOf(init.sampleEntry) === family);
}

export function numberOf(attributes: Attributes, name: string): number {
  return Number(attributes.get(name) ?? Number.NaN);
}

/** Apple 9.13: a variant with the most demanding rendition of its audio group and of its subtitles. */
export function combinedRates(view: PackageView, variant: VariantView): MeasuredBitrate {
  const most = (type: "AUDIO" | "SUBTITLES", rate: keyof MeasuredBitrate): number => {
    const group = variant.attributes.get(type);
    const members = renditionsOf(view, type).filter((one) => one.attributes.get("GROUP-ID") === group);
    return Math.max(
      0,
      ...(group === undefined ? [] : members.map(({ playlist }) => playlist.measured[rate])),
    );
  };
  const { averageBps, peakBps } = variant.playlist.measured;
  return {
    averageBps: averageBps + most("AUDIO", "averageBps") + most("SUBTITLES", "averageBps"),
    peakBps: peakBps + most("AUDIO", "peakBps") + most("SUBTITLES", "peakBps"),
  };
}

/** Frames a second as the shortest sample says; 0 where no fragment was read. */
export function frameRateOf({ init, segments }: PlaylistView): number {
  let ticks = Number.POSITIVE_INFINITY;
  for (const { fragments } of segments)
    for (const fragment of fragments) ticks = Math.min(ticks, fragment.sampleTicks);
  return init === null || !Number.isFinite(ticks) ? 0 : init.timescale / ticks;
}

/** `1280x720` as numbers; null where it is not there. */
export function resolutionOf(attributes: Attributes): { width: number; height: number } | null {
  const match = /^(\d+)x(\d+)$/.exec(attributes.get("RESOLUTION") ?? "");
  return match === null ? null : { width: Number(match[1]), height: Number(match[2]) };
}

export function isHdr(attributes: Attributes): boolean {
  return ["PQ", "HLG"].includes(attributes.get("VIDEO-RANGE") ?? "SDR");
}

/** A playlist's file name for evidence. */
export function nameOf({ playlist }: { playlist: PlaylistView }): string {
  return playlist.path;
}
