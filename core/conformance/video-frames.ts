import { each, faultless, must, notApplicable, type Rule, should } from "./rule.ts";
import { familyOf, frameRateOf, nameOf, resolutionOf, type VideoTrack, videoTracks } from "./selections.ts";

/** Apple HLS authoring specification, section 1: frames, how often and of which shape, and where one may begin with them. */

const RATES = [24_000 / 1001, 24, 25, 30_000 / 1001, 30, 50, 60_000 / 1001, 60];

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

export const VIDEO_FRAME_RULES: Rule[] = [
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
