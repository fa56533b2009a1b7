import type { PackageView, PlaylistView } from "./package-view.ts";
import { each, faultless, must, notApplicable, type Rule, should } from "./rule.ts";
import { frameRateOf, mediaOf, playlistsOf } from "./selections.ts";

/** Apple HLS authoring specification, section 8, and what RFC 8216bis adds: media playlists. */

const NONE = "no media playlists";

function media(view: PackageView): PlaylistView[] {
  return playlistsOf(view, "video", "audio");
}

/** Largest distance between the stated and the true sum over any run of segments: the spread of the running error. */
function extinfDrift({ segments, init }: PlaylistView): number {
  let error = 0;
  let least = 0;
  let most = 0;
  for (const { extinfSeconds, durationTicks } of segments) {
    if (init === null || durationTicks === 0) return 0;
    error += extinfSeconds - durationTicks / init.timescale;
    least = Math.min(least, error);
    most = Math.max(most, error);
  }
  return most - least;
}

/** Largest and smallest of some numbers, apart by how much. */
function spread(numbers: readonly number[]): number {
  return numbers.length === 0 ? 0 : Math.max(...numbers) - Math.min(...numbers);
}

/** When each segment's first picture or sample is presented, in seconds of its own track. */
function starts({ segments, init }: PlaylistView): number[] {
  return segments.map(({ fragments: [first] }) =>
    first ? (first.baseDecodeTime + first.compositionTicks) / (init?.timescale ?? 1) : 0,
  );
}

/** Half an AAC frame either side of the picture's border is as near as sound can be cut. */
const BOUNDARY_SECONDS = 0.05;

function discontinuities({ segments }: PlaylistView): string {
  return segments.flatMap(({ discontinuity }, index) => (discontinuity ? [index] : [])).join(" ");
}

export const MEDIA_PLAYLIST_RULES: Rule[] = [
  must("8.1", "EXTINF sums are within one video frame of the truth over any run", (view) => {
    const rates = playlistsOf(view, "video").map(frameRateOf);
    const frame = 1 / Math.max(1, ...rates.filter((rate) => rate > 0));
    return each(media(view), NONE, (playlist) => {
      const drift = extinfDrift(playlist);
      return drift < frame ? null : `${playlist.path} is off by ${drift.toFixed(4)} s`;
    });
  }),
  must("8.2", "one target duration in video and audio (also 8216bis 6.2.4)", (view) => {
    const targets = new Set(media(view).map(({ playlist }) => playlist.targetDurationSeconds));
    return faultless(targets.size > 1 ? [[...targets].join(", ")] : [], `${[...targets].join()} s`);
  }),
  must("8.3", "all renditions have the same duration", (view) => {
    const durations = media(view).map(({ durationSeconds }) => durationSeconds);
    const apart = spread(durations);
    return faultless(apart > 0.1 ? [`up to ${apart.toFixed(3)} s apart`] : [], `${apart.toFixed(3)} s apart`);
  }),
  must("8.6", "EXT-X-PLAYLIST-TYPE is VOD", (view) =>
    each(view.playlists, NONE, ({ path, playlist }) =>
      playlist.playlistType === "VOD" ? null : `${path} has ${playlist.playlistType}`,
    ),
  ),
  must("8.7", "all playlists start at the same time", (view) => {
    const apart = spread(media(view).flatMap((playlist) => starts(playlist)[0] ?? []));
    return faultless(
      apart > BOUNDARY_SECONDS ? [`up to ${apart.toFixed(3)} s apart`] : [],
      `${apart.toFixed(3)} s apart`,
    );
  }),
  must("8.9", "sound is carried by EXT-X-MEDIA", (view) =>
    each(
      view.variants.filter(({ playlist }) => playlist.kind === "video"),
      "no video",
      ({ attributes, playlist }) => {
        const sound = /mp4a|ac-3|ec-3|fLaC|Opus/.test(attributes.get("CODECS") ?? "");
        return sound && !attributes.has("AUDIO") ? `${playlist.path} has sound without a group` : null;
      },
    ),
  ),
  must("8.10", "LANGUAGE on each EXT-X-MEDIA but VIDEO", (view) =>
    each(
      ["AUDIO", "SUBTITLES"].flatMap((type) => mediaOf(view, type)),
      "no EXT-X-MEDIA",
      (one) => (one.get("LANGUAGE") ? null : `${one.get("NAME")} has none`),
    ),
  ),
  must("8.13", "a change of encoding is marked as discontinuity", (view) =>
    each(view.playlists, NONE, ({ path, segments }) => {
      const bad = segments.findIndex(
        (segment, index) =>
          index > 0 && segment.map?.uri !== segments[index - 1]?.map?.uri && !segment.discontinuity,
      );
      return bad === -1 ? null : `${path}: segment ${bad} has another EXT-X-MAP`;
    }),
  ),
  must("8.14", "discontinuities stand at the same places in all renditions (with 8.15)", (view) => {
    const places = new Set(media(view).map(discontinuities));
    return faultless(
      places.size > 1 ? [`at ${[...places].map((one) => `[${one}]`).join(", ")}`] : [],
      "same in all",
    );
  }),
  must("8.20", "EXT-X-MAP names the init segment", (view) =>
    each(
      view.playlists.filter(({ kind }) => kind !== "subtitle"),
      NONE,
      ({ path, playlist, init }) =>
        playlist.segments.some(({ map }) => map === null) || init === null
          ? `${path} has none that can be read`
          : null,
    ),
  ),
  should("8.22", "same segment boundaries in all renditions (a MUST over AirPlay)", (view) => {
    const [first, ...others] = media(view);
    if (first === undefined) return notApplicable(NONE);
    const reference = starts(first);
    return each(others, "one rendition", (playlist) => {
      const own = starts(playlist);
      const bad = reference.findIndex(
        (start, index) => Math.abs(start - (own[index] ?? Infinity)) > BOUNDARY_SECONDS,
      );
      return bad === -1 && own.length === reference.length
        ? null
        : `${playlist.path} differs at segment ${bad}`;
    });
  }),
  must("8216-syntax", "the playlists keep to the grammar (8216bis 4)", (view) =>
    faultless(
      [
        ...view.main.faults.map((fault) => `${view.mainPath} ${fault}`),
        ...view.playlists.flatMap(({ path, playlist }) => playlist.faults.map((fault) => `${path} ${fault}`)),
      ],
      `${view.playlists.length + 1} playlists`,
    ),
  ),
  must("8216-extinf", "no rounded EXTINF exceeds the target duration (8216bis 4.4.3.1)", (view) =>
    each(view.playlists, NONE, ({ path, playlist }) => {
      const bad = playlist.segments.find(
        ({ extinfSeconds }) => Math.round(extinfSeconds) > playlist.targetDurationSeconds,
      );
      return bad ? `${path}: ${bad.uri} has ${bad.extinfSeconds}` : null;
    }),
  ),
  must("8216-version", "EXT-X-VERSION is at least 6 where EXT-X-MAP is used (8216bis 8)", (view) =>
    each(
      view.playlists.filter(({ segments }) => segments.some(({ map }) => map !== null)),
      NONE,
      (one) =>
        one.playlist.version >= (one.playlist.iFramesOnly ? 5 : 6)
          ? null
          : `${one.path} states ${one.playlist.version}`,
    ),
  ),
  must("8216-endlist", "EXT-X-ENDLIST is there (8216bis 4.4.3.4, VOD)", (view) =>
    each(view.playlists, NONE, ({ path, playlist }) => (playlist.endList ? null : `${path} has none`)),
  ),
];
