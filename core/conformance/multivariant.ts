import type { PackageView, VariantView } from "./package-view.ts";
import type { Attributes } from "./playlist-grammar.ts";
import { each, faultless, must, notApplicable, type Rule, should } from "./rule.ts";
import {
  codecsOf,
  combinedRates,
  isHdr,
  mediaOf,
  nameOf,
  numberOf,
  playlistsOf,
  renditionsOf,
  resolutionOf,
} from "./selections.ts";

/** Apple HLS authoring specification, section 9, and what RFC 8216bis adds: the multivariant playlist. */

const NO_VIDEO = "no video variants";
const NO_IFRAMES = "no I-frame playlists";

function videos(view: PackageView): VariantView[] {
  return view.variants.filter(({ playlist }) => playlist.kind === "video");
}

/** The codecs that a variant must state: its own and those of its audio group. */
function wantedCodecs(view: PackageView, { attributes, playlist }: VariantView): string[] {
  const group = attributes.get("AUDIO");
  const sounds = renditionsOf(view, "AUDIO").filter((one) => one.attributes.get("GROUP-ID") === group);
  const tracks = [playlist, ...(group === undefined ? [] : sounds.map((one) => one.playlist))];
  return tracks.flatMap(({ init }) => init?.codec ?? []);
}

function codecFault(view: PackageView, variant: VariantView): string | null {
  const stated = codecsOf(variant.attributes);
  if (stated.length === 0) return `${nameOf(variant)} has none`;
  const missing = wantedCodecs(view, variant).find((codec) => !stated.includes(codec));
  return missing ? `${nameOf(variant)} states ${stated.join()}, its bytes are ${missing}` : null;
}

function resolutionFault({ attributes, playlist }: VariantView): string | null {
  const stated = resolutionOf(attributes);
  const { init } = playlist;
  if (stated === null) return `${playlist.path} has none`;
  return init && (stated.width !== init.width || stated.height !== init.height)
    ? `${playlist.path} states ${stated.width}x${stated.height}, is ${init.width}x${init.height}`
    : null;
}

function groupsOf(view: PackageView): Attributes[][] {
  return [...Map.groupBy(view.main.media, (one) => `${one.get("TYPE")} ${one.get("GROUP-ID")}`).values()];
}

/** What is the same of each member of groups of one TYPE: all but which group it is in, where it lies, and how it is coded. */
function membersOf(group: readonly Attributes[]): string {
  const isOfMember = (name: string): boolean => !["GROUP-ID", "URI", "CHANNELS"].includes(name);
  const said = group.map((one) =>
    [...one]
      .filter(([name]) => isOfMember(name))
      .map(([name, value]) => `${name}=${value}`)
      .sort()
      .join(","),
  );
  return said.sort().join("; ");
}

function isGeneral(attributes: Attributes): boolean {
  return !attributes.has("CHARACTERISTICS") && attributes.get("FORCED") !== "YES";
}

export const MULTIVARIANT_RULES: Rule[] = [
  must("9.1", "CODECS on each variant, true to the bytes", (view) =>
    each(view.variants, "no variants", (variant) => codecFault(view, variant)),
  ),
  must("9.2", "RESOLUTION on each video variant, true to the bytes", (view) =>
    each(videos(view), NO_VIDEO, resolutionFault),
  ),
  must("9.3", "CODECS on each I-frame playlist, true to the bytes", (view) =>
    each(view.iFrames, NO_IFRAMES, (one) => codecFault(view, one)),
  ),
  must("9.4", "RESOLUTION on each I-frame playlist, true to the bytes", (view) =>
    each(view.iFrames, NO_IFRAMES, resolutionFault),
  ),
  should("9.5", "sound apart from the picture", (view) =>
    each(playlistsOf(view, "video"), NO_VIDEO, ({ path, segments }) =>
      segments.some(({ object }) => (object?.tracks ?? 0) > 1) ? `${path} holds several tracks` : null,
    ),
  ),
  must("9.6", "multichannel sound is apart", (view) =>
    each(
      mediaOf(view, "AUDIO").filter((one) => Number.parseInt(one.get("CHANNELS") ?? "2", 10) > 2),
      "none",
      (one) => (one.has("URI") ? null : `${one.get("NAME")} has no playlist of its own`),
    ),
  ),
  must("9.7", "alternate sound is apart", (view) =>
    each(
      mediaOf(view, "AUDIO").filter((one) => one.get("DEFAULT") !== "YES"),
      "no alternates",
      (one) => (one.has("URI") ? null : `${one.get("NAME")} has no playlist of its own`),
    ),
  ),
  must("9.9", "at least two bit rates", (view) => {
    // Encodes of their own, not numbers: a black film measures the same at any quality.
    const encodes = new Set(view.variants.map(({ playlist }) => playlist.path));
    return faultless(encodes.size < 2 ? [`${encodes.size}`] : [], `${encodes.size}`);
  }),
  should("9.10", "at least two variants at the top HD resolution", (view) => {
    const heights = videos(view).flatMap(({ attributes }) => resolutionOf(attributes)?.height ?? []);
    const top = Math.max(0, ...heights);
    if (top < 720) return notApplicable("no HD");
    const count = heights.filter((height) => height === top).length;
    return faultless(count < 2 ? [`${count} at ${top}`] : [], `${count} at ${top}`);
  }),
  should("9.11", "EXT-X-INDEPENDENT-SEGMENTS in the multivariant playlist", (view) =>
    faultless(view.main.independentSegments ? [] : ["not there"], "there"),
  ),
  must("9.12", "if not there, in every video playlist", (view) =>
    view.main.independentSegments
      ? notApplicable("it is in the multivariant playlist")
      : each(playlistsOf(view, "video"), NO_VIDEO, ({ path, playlist }) =>
          playlist.independentSegments ? null : `${path} has none`,
        ),
  ),
  must("9.13", "BANDWIDTH is at least the largest sum that can be played", (view) =>
    each(view.variants, "no variants", (variant) => {
      const { peakBps } = combinedRates(view, variant);
      // A bit a second for rounding.
      return numberOf(variant.attributes, "BANDWIDTH") < peakBps - 1
        ? `${nameOf(variant)} is below ${peakBps}`
        : null;
    }),
  ),
  must("9.14", "AVERAGE-BANDWIDTH on each variant", (view) =>
    each(view.variants, "no variants", (variant) =>
      numberOf(variant.attributes, "AVERAGE-BANDWIDTH") > 0 ? null : `${nameOf(variant)} has none`,
    ),
  ),
  must("9.15", "FRAME-RATE on video variants", (view) =>
    each(videos(view), NO_VIDEO, (variant) =>
      numberOf(variant.attributes, "FRAME-RATE") > 0 ? null : `${nameOf(variant)} has none`,
    ),
  ),
  must("9.16", "VIDEO-RANGE unless all is SDR", (view) =>
    view.variants.some(({ attributes }) => isHdr(attributes))
      ? each(videos(view), NO_VIDEO, (one) =>
          one.attributes.has("VIDEO-RANGE") ? null : `${nameOf(one)} has none`,
        )
      : notApplicable("all is SDR"),
  ),
  must("8216-range", "VIDEO-RANGE is what the bytes say (8216bis 4.4.6.2)", (view) =>
    each([...videos(view), ...view.iFrames], NO_VIDEO, (one) => {
      const stated = one.attributes.get("VIDEO-RANGE") ?? "SDR";
      const { transfer } = one.playlist.init ?? { transfer: null };
      const real = transfer === 16 ? "PQ" : transfer === 18 ? "HLG" : "SDR";
      return one.playlist.init === null || stated === real
        ? null
        : `${nameOf(one)} states ${stated}, is ${real}`;
    }),
  ),
  should("9.17", "renditions go from general to specific", (view) =>
    each(groupsOf(view), "no groups", (group) => {
      const firstSpecific = group.findIndex((one) => !isGeneral(one));
      const after = firstSpecific === -1 ? undefined : group.slice(firstSpecific).find(isGeneral);
      return after ? `${after.get("NAME")} comes after ${group[firstSpecific]?.get("NAME")}` : null;
    }),
  ),
  should("9.18", "with content steering, PATHWAY-ID on each variant", (view) =>
    view.main.steering === null
      ? notApplicable("no steering")
      : each(view.variants, "no variants", (one) =>
          one.attributes.has("PATHWAY-ID") ? null : `${nameOf(one)} has none`,
        ),
  ),
  must("9.19", "SCORE on all variants or on none", (view) => {
    const scored = view.variants.filter(({ attributes }) => attributes.has("SCORE")).length;
    const some = scored > 0 && scored < view.variants.length;
    return faultless(some ? [`on ${scored} of ${view.variants.length}`] : [], `on ${scored}`);
  }),
  must("tvos-9.20", "no variants of sound alone beside video", (view) =>
    videos(view).length === 0
      ? notApplicable(NO_VIDEO)
      : each(view.variants, "no variants", (one) =>
          one.playlist.kind === "video" ? null : `${nameOf(one)} is`,
        ),
  ),
  must("8216-default", "at most one DEFAULT=YES a group (8216bis 4.4.6.1.1)", (view) =>
    each(groupsOf(view), "no groups", (group) =>
      group.filter((one) => one.get("DEFAULT") === "YES").length > 1
        ? `${group[0]?.get("GROUP-ID")} has several`
        : null,
    ),
  ),
  must("8216-name", "NAME is there and unique in its group (8216bis 4.4.6.1.1)", (view) =>
    each(groupsOf(view), "no groups", (group) => {
      const names = group.map((one) => one.get("NAME") ?? "");
      return new Set(names).size < names.length || names.includes("") ? `names: ${names.join(", ")}` : null;
    }),
  ),
  must("8216-members", "groups of one TYPE have the same members (8216bis 4.4.6.1.1)", (view) =>
    each([...Map.groupBy(view.main.media, (one) => one.get("TYPE")).values()], "no groups", (ofType) => {
      const groups = [...Map.groupBy(ofType, (one) => one.get("GROUP-ID")).values()];
      const unlike = groups.find((group) => membersOf(group) !== membersOf(groups[0]!));
      return unlike === undefined
        ? null
        : `${unlike[0]!.get("GROUP-ID")} has ${membersOf(unlike)}, ${groups[0]![0]!.get("GROUP-ID")} ${membersOf(groups[0]!)}`;
    }),
  ),
  must("8216-groups", "each group that a variant names is there (8216bis 4.4.6.2)", (view) =>
    each(view.variants, "no variants", ({ attributes, playlist }) => {
      const lost = ["AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS"].find((type) => {
        const group = attributes.get(type);
        const isNone = type === "CLOSED-CAPTIONS" && group === "NONE";
        return (
          group !== undefined && !isNone && !mediaOf(view, type).some((one) => one.get("GROUP-ID") === group)
        );
      });
      return lost ? `${playlist.path} names ${lost} group ${attributes.get(lost)}` : null;
    }),
  ),
];
