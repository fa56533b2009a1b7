import type { ObjectFacts } from "./object-facts.ts";
import type { PackageView, PlaylistView } from "./package-view.ts";
import { each, must, type Rule } from "./rule.ts";
import { type Family, familyOf, playlistsOf, renditionsOf } from "./selections.ts";

/** ISO/IEC 23000-19 (CMAF): what makes one set of files serve both HLS and DASH. */

const NONE = "no media";

/**
 * Whether a NAL unit is an IDR picture's: H.264 7.4.1 type 5; HEVC table 7-1 types 19 and 20. A CRA (21) is a keyframe too,
 * but pictures after it may need what was before it. AV1 marks its keyframes in the boxes alone.
 */
const IS_IDR: Partial<Record<Family, (header: number) => boolean>> = {
  avc: (header) => (header & 0x1f) === 5,
  hevc: (header) => [19, 20].includes((header >> 1) & 0x3f),
};

function tracks(view: PackageView): PlaylistView[] {
  return playlistsOf(view, "video", "audio");
}

/** Objects of MP4 that some playlist names. */
function mp4(view: PackageView): ObjectFacts[] {
  return [...view.objects.values()].filter(({ text }) => text === null);
}

function fragmentStarts({ segments, init }: PlaylistView): string {
  const times = segments.flatMap(({ fragments }) => fragments.map(({ baseDecodeTime }) => baseDecodeTime));
  return `${init?.timescale}: ${times.join(" ")}`;
}

export const CMAF_RULES: Rule[] = [
  must("cmaf-boxes", "every init and media segment parses, samples inside their mdat (7.3)", (view) =>
    each(
      mp4(view).filter(({ tracks: count }) => count <= 1),
      NONE,
      ({ path, damage }) => (damage ? `${path}: ${damage}` : null),
    ),
  ),
  must("cmaf-one-track", "one track in each file (7.3.1)", (view) =>
    each(mp4(view), NONE, ({ path, tracks: count }) => (count > 1 ? `${path} has ${count}` : null)),
  ),
  must("cmaf-brand", "the header carries the brand cmfc or cmf2 (7.2)", (view) =>
    each(
      tracks(view).filter(({ init }) => init !== null),
      NONE,
      ({ path, init }) =>
        init?.brands.some((brand) => brand === "cmfc" || brand === "cmf2")
          ? null
          : `${path}: ${init?.brands.join()}`,
    ),
  ),
  must("cmaf-kind", "a track is of the kind that the playlists say", (view) =>
    each(
      tracks(view).filter(({ init }) => init !== null),
      NONE,
      ({ path, kind, init }) => (kind === init?.kind ? null : `${path} is ${init?.kind}`),
    ),
  ),
  must("cmaf-sequence", "fragment numbers rise (14496-12 8.8.5)", (view) =>
    each(tracks(view), NONE, ({ path, segments }) => {
      const numbers = segments.flatMap(({ fragments }) =>
        fragments.map(({ sequenceNumber }) => sequenceNumber),
      );
      const bad = numbers.findIndex((number, index) => index > 0 && number <= numbers[index - 1]!);
      return bad === -1 ? null : `${path}: ${numbers[bad]} after ${numbers[bad - 1]}`;
    }),
  ),
  must("cmaf-switching", "video of one codec shares timescale and fragment borders (7.3.4)", (view) => {
    const families = Map.groupBy(
      playlistsOf(view, "video").filter(({ init }) => init !== null),
      ({ init }) => init?.sampleEntry,
    );
    return each([...families.values()], "no video", (members) => {
      const starts = fragmentStarts(members[0]!);
      const other = members.find((member) => fragmentStarts(member) !== starts);
      return other ? `${other.path} is cut otherwise than ${members[0]!.path}` : null;
    });
  }),
  must(
    "cmaf-idr",
    "each segment's first picture is an IDR, by its NAL unit type (7.5.2; Apple 7.4)",
    (view) =>
      each(
        playlistsOf(view, "video").filter(({ init }) => IS_IDR[familyOf(init?.sampleEntry ?? "") ?? "av1"]),
        "no H.264 or HEVC",
        ({ segments, init }) => {
          const isIdr = IS_IDR[familyOf(init?.sampleEntry ?? "") ?? "av1"];
          const bad = segments.find(
            ({ fragments: [first] }) => first && !first.firstNals.some((nal) => isIdr?.(nal)),
          );
          return bad ? `${bad.path} does not begin with one` : null;
        },
      ),
  ),
  must("cmaf-channels", "CHANNELS is what the sample entry says", (view) =>
    each(
      renditionsOf(view, "AUDIO").filter(({ playlist }) => playlist.init?.sampleEntry === "mp4a"),
      "no AAC",
      ({ attributes, playlist }) =>
        Number(attributes.get("CHANNELS")?.split("/")[0]) === playlist.init?.channels
          ? null
          : `${playlist.path} states ${attributes.get("CHANNELS")}, has ${playlist.init?.channels}`,
    ),
  ),
];
