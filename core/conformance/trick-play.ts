import type { PackageView, PlaylistView, VariantView } from "./package-view.ts";
import { each, faultless, must, notApplicable, type Rule, should } from "./rule.ts";
import { codecsOf, familyOf, isHdr, nameOf, numberOf, playlistsOf, resolutionOf } from "./selections.ts";

/** Apple HLS authoring specification, section 6: I-frame playlists. */

const NONE = "no I-frame playlists";
/** 6.7: average kbit/s by height. */
const AVERAGES: readonly (readonly [height: number, kbps: number])[] = [
  [360, 45],
  [432, 90],
  [540, 250],
  [720, 375],
  [1080, 580],
];

function frameSpacing(view: PackageView, path: string): number {
  const playlist = view.playlists.find((one) => one.path === path);
  return playlist ? playlist.durationSeconds / Math.max(1, playlist.segments.length) : Number.NaN;
}

/** The video that an I-frame playlist is of: in the same folder, else of the same size. */
function twinOf(view: PackageView, { attributes, playlist }: VariantView): PlaylistView | undefined {
  const folder = playlist.path.slice(0, playlist.path.lastIndexOf("/"));
  const beside = playlistsOf(view, "video").find(({ path }) => path.startsWith(`${folder}/`));
  const size = attributes.get("RESOLUTION");
  return beside ?? view.variants.find((one) => one.attributes.get("RESOLUTION") === size)?.playlist;
}

export const TRICK_PLAY_RULES: Rule[] = [
  must("6.1", "there are I-frame playlists", (view) =>
    view.variants.every(({ playlist }) => playlist.kind !== "video")
      ? notApplicable("no video")
      : faultless(view.iFrames.length === 0 ? ["none"] : [], `${view.iFrames.length}`),
  ),
  should("6.2", "one with a frame every second", (view) => {
    if (view.iFrames.length === 0) return notApplicable(NONE);
    const best = Math.min(...view.iFrames.map(({ playlist }) => frameSpacing(view, playlist.path)));
    return faultless(
      best > 1.05 ? [`the densest has one every ${best.toFixed(2)} s`] : [],
      `${best.toFixed(2)} s`,
    );
  }),
  should("6.5", "their bit rate is about that of the video × frames a second / 8", (view) =>
    each(view.iFrames, NONE, (one) => {
      const twin = twinOf(view, one);
      const usual = (twin?.measured.averageBps ?? 0) / frameSpacing(view, one.playlist.path) / 8;
      const { averageBps } = one.playlist.measured;
      return twin && averageBps > 4 * usual
        ? `${nameOf(one)} has ${averageBps}, about ${Math.round(usual)} is usual`
        : null;
    }),
  ),
  should("6.6", "several bit rates", (view) =>
    view.iFrames.length === 0
      ? notApplicable(NONE)
      : faultless(view.iFrames.length < 2 ? ["one alone"] : [], `${view.iFrames.length}`),
  ),
  should("6.7", "their average is at most twice Apple's for the height", (view) =>
    each(view.iFrames, NONE, (one) => {
      const height = resolutionOf(one.attributes)?.height ?? 0;
      const kbps = (AVERAGES.find(([most]) => height <= most) ?? AVERAGES.at(-1)!)[1];
      const { averageBps } = one.playlist.measured;
      return averageBps > 2000 * kbps ? `${nameOf(one)} has ${averageBps} where ${kbps}000 is usual` : null;
    }),
  ),
  must("6.8", "they say EXT-X-I-FRAMES-ONLY", (view) =>
    each(view.iFrames, NONE, (one) => (one.playlist.playlist.iFramesOnly ? null : `${nameOf(one)} does not`)),
  ),
  must("6.9", "their BANDWIDTH is within 10 % of the measured peak", (view) =>
    each(view.iFrames, NONE, (one) => {
      const stated = numberOf(one.attributes, "BANDWIDTH");
      const { peakBps } = one.playlist.measured;
      return Math.abs(stated - peakBps) <= peakBps * 0.1
        ? null
        : `${nameOf(one)} states ${stated}, measured ${peakBps}`;
    }),
  ),
  must("6.10", "each byte range is one moof with its whole keyframe", (view) =>
    each(view.iFrames, NONE, ({ playlist }) => {
      const bad = playlist.segments.find(({ byteRange, fragments }) => {
        const [first] = fragments;
        if (first === undefined || !first.startsWithSync) return true;
        if (byteRange === null) return false;
        return (
          first.offset !== byteRange.offset || first.firstSampleEnd > byteRange.offset + byteRange.length
        );
      });
      return bad ? `${playlist.path}: ${bad.uri} at ${bad.byteRange?.offset}` : null;
    }),
  ),
  should("6.14", "some of them are H.264", (view) => {
    if (view.iFrames.length === 0) return notApplicable(NONE);
    const codecs = view.iFrames.flatMap(({ attributes }) => codecsOf(attributes));
    return faultless(
      codecs.some((codec) => familyOf(codec) === "avc") ? [] : [codecs.join(", ")],
      codecs.join(", "),
    );
  }),
  must("6.16", "SDR ones are there", (view) =>
    view.iFrames.length === 0
      ? notApplicable(NONE)
      : faultless(view.iFrames.every(({ attributes }) => isHdr(attributes)) ? ["all are HDR"] : [], "found"),
  ),
];
