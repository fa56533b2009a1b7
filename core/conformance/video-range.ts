import type { PackageView } from "./package-view.ts";
import { each, faultless, must, notApplicable, type Rule, should, some } from "./rule.ts";
import {
  type Family,
  frameRateOf,
  isHdr,
  nameOf,
  ofFamily,
  type VideoTrack,
  videoTracks,
} from "./selections.ts";

/** Apple HLS authoring specification, section 1: the range of the picture's light, and its colours. */

const PQ = 16;
const HLG = 18;
const MASTERING_DISPLAY = 137;
const CONTENT_LIGHT = 144;

function hdr10(view: PackageView, family?: Family): VideoTrack[] {
  const tracks = family === undefined ? videoTracks(view) : ofFamily(view, family);
  return tracks.filter(({ attributes }) => attributes.get("VIDEO-RANGE") === "PQ");
}

export const VIDEO_RANGE_RULES: Rule[] = [
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
];
