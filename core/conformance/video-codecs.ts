import { smallestAvcLevel } from "./avc-levels.ts";
import { each, must, type Rule, should, some } from "./rule.ts";
import {
  type Family,
  familyOf,
  frameRateOf,
  nameOf,
  ofFamily,
  type VideoTrack,
  videoTracks,
} from "./selections.ts";

/** Apple HLS authoring specification, section 1: which codecs, and what of each a device must be able to decode. */

function eachOf(family: Family, fault: (track: VideoTrack) => string | null): Rule["judge"] {
  return (view) => each(ofFamily(view, family), `no ${family} here`, fault);
}

function inFmp4({ playlist }: VideoTrack): string | null {
  const bad = playlist.segments.find(({ fragments }) => fragments.length === 0);
  return bad === undefined ? null : `${bad.path} is not fragmented MP4`;
}

function atMost(level: number): (track: VideoTrack) => string | null {
  return (track) => (track.init.level > level ? `${nameOf(track)} is level ${track.init.level / 10}` : null);
}

export const VIDEO_CODEC_RULES: Rule[] = [
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
];
