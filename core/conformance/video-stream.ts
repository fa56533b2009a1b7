import { smallestAvcLevel } from "./avc-levels.ts";
import type { PackageView } from "./package-view.ts";
import { each, faultless, type Judgement, must, notApplicable, type Rule, should } from "./rule.ts";
import {
  type Family,
  familyOf,
  frameRateOf,
  isHdr,
  nameOf,
  resolutionOf,
  type VideoTrack,
  videoTracks,
} from "./selections.ts";

/** Apple HLS authoring specification, section 1: the video elementary stream. */

const RATES = [24_000 / 1001, 24, 25, 30_000 / 1001, 30, 50, 60_000 / 1001, 60];
const PQ = 16;
const HLG = 18;
const MASTERING_DISPLAY = 137;
const CONTENT_LIGHT = 144;

function ofFamily(view: PackageView, family: Family): VideoTrack[] {
  return videoTracks(view).filter(({ init }) => familyOf(init.sampleEntry) === family);
}

function eachOf(family: Family, fault: (track: VideoTrack) => string | null): Rule["judge"] {
  return (view) => each(ofFamily(view, family), `no ${family} here`, fault);
}

function some(tracks: readonly VideoTrack[], none: string, holds: (track: VideoTrack) => boolean): Judgement {
  if (tracks.length === 0) return notApplicable(none);
  const found = tracks.find(holds);
  return found
    ? { verdict: "pass", evidence: nameOf(found) }
    : { verdict: "fail", evidence: `none of ${tracks.length}` };
}

function hdr10(view: PackageView, family?: Family): VideoTrack[] {
  const tracks = family === undefined ? videoTracks(view) : ofFamily(view, family);
  return tracks.filter(({ attributes }) => attributes.get("VIDEO-RANGE") === "PQ");
}

function inFmp4({ playlist }: VideoTrack): string | null {
  const bad = playlist.segments.find(({ fragments }) => fragments.length === 0);
  return bad === undefined ? null : `${bad.path} is not fragmented MP4`;
}

function atMost(level: number): (track: VideoTrack) => string | null {
  return (track) => (track.init.level > level ? `${nameOf(track)} is level ${track.init.level / 10}` : null);
}

function largestIdrGap({ playlist, init }: VideoTrack): number {
  let previous: number | null = null;
  let gap = 0;
  let end = 0;
  for (const fragment of playlist.segments.flatMap(({ fragments }) => fragments)) {
    end = fragment.baseDecodeTime + fragment.durationTicks;
    if (fragment.firstSyncTicks === null) continue;
    gap = Math.max(gap, fragment.syncGapTicks, fragment.firstSyncTicks - (previous ?? 0));
    previous = fragment.lastSyncTicks;
  }
  return Math.max(gap, end - (previous ?? 0)) / init.timescale;
}

export const VIDEO_STREAM_RULES: Rule[] = [
  must("1.1", "the codec is H.264, HEVC, Dolby Vision or AV1", (view) =>
    each(videoTracks(view), "no video", (track) =>
      familyOf(track.init.sampleEntry) === null ? `${nameOf(track)} is ${track.init.sampleEntry}` : null,
    ),
  ),
  must("1.2", "H.264 is in fragmented MP4", eachOf("avc", inFmp4)),
  must("1.5", "HEVC is in fragmented MP4", eachOf("hevc", inFmp4)),
  must("1.39", "AV1 is in fragmented MP4", eachOf("av1", inFmp4)),
  should("1.3a", "some H.264 variants are at most High@4.1", (view) =>
    some(ofFamily(view, "avc"), "no H.264", ({ init }) => init.level <= 41 && init.profile <= 100),
  ),
  // tvOS' 5.1 and macOS' 5.0 are amendments for their own devices; what all play is far below both.
  must(
    "1.3b",
    "H.264 is at most High@5.2",
    eachOf("avc", (track) => {
      const { profile } = track.init;
      return [66, 77, 88, 100].includes(profile)
        ? atMost(52)(track)
        : `${nameOf(track)} has profile ${profile}`;
    }),
  ),
  should(
    "1.4",
    "High profile over Main and Baseline",
    eachOf("avc", (track) =>
      track.init.profile < 100 ? `${nameOf(track)} has profile ${track.init.profile}` : null,
    ),
  ),
  should("1.6a", "some HEVC variants are at most Main10@4.0 Main tier", (view) =>
    some(
      ofFamily(view, "hevc"),
      "no HEVC",
      ({ init }) => init.level <= 40 && init.profile <= 2 && !init.highTier,
    ),
  ),
  must(
    "1.6b",
    "HEVC is at most Main10@5.1",
    eachOf("hevc", (track) =>
      track.init.profile > 2 ? `${nameOf(track)} has profile ${track.init.profile}` : atMost(51)(track),
    ),
  ),
  must("1.37", "AV1 is at most level 6.2", eachOf("av1", atMost(62))),
  must("1.7", "HDR HEVC is HDR10, HLG or Dolby Vision", (view) =>
    each(
      ofFamily(view, "hevc").filter(({ attributes }) => isHdr(attributes)),
      "no HDR HEVC",
      (track) => {
        const transfer = track.attributes.get("VIDEO-RANGE") === "PQ" ? PQ : HLG;
        return track.init.transfer === transfer
          ? null
          : `${nameOf(track)} has transfer ${track.init.transfer}`;
      },
    ),
  ),
  should("1.8", "HDR10 in HEVC carries its static metadata in hvcC", (view) =>
    each(hdr10(view, "hevc"), "no HDR10", (track) =>
      [MASTERING_DISPLAY, CONTENT_LIGHT].every((type) => track.init.messages.includes(type))
        ? null
        : `${nameOf(track)} lacks it`,
    ),
  ),
  should("1.35", "HDR10 states it in the container too (mdcv, clli)", (view) =>
    each(hdr10(view), "no HDR10", (track) =>
      ["mdcv", "clli"].every((box) => track.init.boxes.includes(box)) ? null : `${nameOf(track)} lacks them`,
    ),
  ),
  must("1.24", "HDR comes with SDR", (view) =>
    videoTracks(view).some(({ attributes }) => isHdr(attributes))
      ? some(videoTracks(view), "no video", ({ attributes }) => !isHdr(attributes))
      : notApplicable("no HDR"),
  ),
  should("1.10", "sample entries avc1 and hvc1, not avc3 and hev1", (view) =>
    each(videoTracks(view), "no video", (track) =>
      ["avc3", "hev1", "dvhe"].includes(track.init.sampleEntry)
        ? `${nameOf(track)} is ${track.init.sampleEntry}`
        : null,
    ),
  ),
  should(
    "1.11",
    "no higher level than the stream needs",
    eachOf("avc", (track) => {
      const needed = smallestAvcLevel(
        track.init,
        frameRateOf(track.playlist),
        track.playlist.measured.peakBps,
      );
      return track.init.level > needed
        ? `${nameOf(track)} is level ${track.init.level / 10}, ${needed / 10} would do`
        : null;
    }),
  ),
  should("1.12", "some H.264", (view) =>
    some(videoTracks(view), "no video", ({ init }) => familyOf(init.sampleEntry) === "avc"),
  ),
  should("1.13", "an IDR every 2 s", (view) =>
    each(videoTracks(view), "no video", (track) => {
      const limit = 2 + 1.001 / Math.max(1, frameRateOf(track.playlist));
      const gap = largestIdrGap(track);
      return gap > limit ? `${nameOf(track)} goes ${gap.toFixed(3)} s without one` : null;
    }),
  ),
  must("1.14", "deinterlaced: coded as whole frames", (view) =>
    each(videoTracks(view), "no video", (track) =>
      track.init.progressive === false ? `${nameOf(track)} may hold fields` : null,
    ),
  ),
  should("1.18", "frame rate is 23.976, 24, 25, 29.97, 30, 50, 59.94 or 60", (view) =>
    each(videoTracks(view), "no video", (track) => {
      const rate = frameRateOf(track.playlist);
      return RATES.some((known) => Math.abs(known - rate) < 0.002)
        ? null
        : `${nameOf(track)} has ${rate.toFixed(3)}`;
    }),
  ),
  must("1.19", "at most 60 frames a second", (view) =>
    each(videoTracks(view), "no video", (track) => {
      const rate = frameRateOf(track.playlist);
      return rate > 60.001 ? `${nameOf(track)} has ${rate.toFixed(3)}` : null;
    }),
  ),
  should("1.20", "HDR also at 30 frames a second or less", (view) =>
    some(
      videoTracks(view).filter(({ attributes }) => isHdr(attributes)),
      "no HDR",
      ({ playlist }) => frameRateOf(playlist) <= 30.001,
    ),
  ),
  should("1.21", "one colour space over the variants of a range (with 1.22)", (view) => {
    const spaces = new Set(
      videoTracks(view).map(
        ({ attributes, init }) => `${attributes.get("VIDEO-RANGE")} ${init.primaries} ${init.transfer}`,
      ),
    );
    const ranges = new Set(videoTracks(view).map(({ attributes }) => attributes.get("VIDEO-RANGE")));
    return faultless(spaces.size > ranges.size ? [[...spaces].join(", ")] : [], [...spaces].join(", "));
  }),
  should("1.23", "each codec spans all bandwidths", (view) => {
    const families = Map.groupBy(videoTracks(view), ({ init }) => familyOf(init.sampleEntry));
    if (families.size < 2) return notApplicable("one codec");
    const spans = [...families].map(([family, tracks]) => {
      const heights = tracks.map(({ init }) => init.height);
      return { family, span: `${Math.min(...heights)}..${Math.max(...heights)}` };
    });
    const told = spans.map(({ family, span }) => `${family} ${span}`).join(", ");
    return faultless(new Set(spans.map(({ span }) => span)).size > 1 ? [told] : [], told);
  }),
  should("1.33", "one aspect ratio", (view) => {
    const shapes = videoTracks(view).flatMap(({ attributes }) => resolutionOf(attributes) ?? []);
    const [first] = shapes;
    return each(shapes, "no video", ({ width, height }) =>
      // Even sizes: each side may be one sample off the exact shape.
      first && Math.abs(width * first.height - height * first.width) > 1.5 * (first.width + first.height)
        ? `${width}x${height} against ${first.width}x${first.height}`
        : null,
    );
  }),
];
