import type { PackageView, PlaylistView } from "./package-view.ts";
import { each, must, type Rule, should } from "./rule.ts";
import { playlistsOf } from "./selections.ts";

/** Apple HLS authoring specification, section 7: segments, from their own boxes. */

const NONE = "no media";
const LONGEST_OVER_TARGET_SECONDS = 0.5;

function media(view: PackageView): PlaylistView[] {
  return playlistsOf(view, "video", "audio");
}

/** First place where a fragment does not begin where the one before it ended. */
function firstGap({ path, segments }: PlaylistView): string | null {
  let expected: number | null = null;
  for (const segment of segments) {
    if (segment.discontinuity) expected = null;
    for (const { baseDecodeTime, durationTicks } of segment.fragments) {
      if (expected !== null && baseDecodeTime !== expected)
        return `${path}: ${segment.uri} starts at ${baseDecodeTime}, not ${expected}`;
      expected = baseDecodeTime + durationTicks;
    }
  }
  return null;
}

function longest({ segments, init }: PlaylistView): number {
  const seconds = segments.map(({ durationTicks, extinfSeconds }) =>
    init !== null && durationTicks > 0 ? durationTicks / init.timescale : extinfSeconds,
  );
  return Math.max(0, ...seconds);
}

export const SEGMENTATION_RULES: Rule[] = [
  must("7.1", "every segment is there", (view) =>
    each(view.playlists, NONE, ({ path, object, segments }) => {
      if (object === null) return `${path} is missing`;
      if (segments.length === 0) return `${path} is empty`;
      const lost = segments.find((segment) => segment.object === null || segment.bytes === 0);
      return lost ? `${lost.path} is missing` : null;
    }),
  ),
  must("7.3", "tfdt is the one before plus its durations", (view) => each(media(view), NONE, firstGap)),
  must("7.4", "each video segment starts with an IDR", (view) =>
    each(playlistsOf(view, "video"), "no video", ({ segments }) => {
      const bad = segments.find(({ fragments }) => fragments[0]?.startsWithSync === false);
      return bad ? `${bad.path} does not` : null;
    }),
  ),
  should("7.5", "a target duration of 6 s", (view) =>
    each(
      media(view).filter(({ segments }) => segments.length > 1),
      "one short segment",
      ({ path, playlist }) =>
        playlist.targetDurationSeconds === 6 ? null : `${path} has ${playlist.targetDurationSeconds} s`,
    ),
  ),
  must("7.7", "no segment exceeds the target by more than 0.5 s", (view) =>
    each(media(view), NONE, (playlist) => {
      const most = longest(playlist);
      return most > playlist.playlist.targetDurationSeconds + LONGEST_OVER_TARGET_SECONDS
        ? `${playlist.path} has one of ${most.toFixed(3)} s`
        : null;
    }),
  ),
];
