import type { PackageView, PlaylistView } from "./package-view.ts";
import type { Attributes } from "./parse-playlist.ts";
import { each, must, notApplicable, type Rule, should } from "./rule.ts";
import { codecsOf, mediaOf, nameOf, playlistsOf, renditionsOf } from "./selections.ts";

/** Apple HLS authoring specification, sections 4 and 5: captions and subtitles. */

const NONE = "no subtitles";
const SDH = [
  "public.accessibility.transcribes-spoken-dialog",
  "public.accessibility.describes-music-and-sound",
];

function tracks(view: PackageView): Attributes[] {
  return mediaOf(view, "SUBTITLES");
}

function withSdh(view: PackageView): Attributes[] {
  return tracks(view).filter((one) => SDH.some((word) => one.get("CHARACTERISTICS")?.includes(word)));
}

function isWebVtt({ segments }: PlaylistView): boolean {
  return segments.some(({ object }) => object?.text?.startsWith("WEBVTT") || object?.path.endsWith(".vtt"));
}

function nameIn(attributes: Attributes): string {
  return attributes.get("NAME") ?? "(unnamed)";
}

/** Every line of WebVTT that is shown: what follows a timing line, up to the blank one. */
function cueLines({ segments }: PlaylistView): string[] {
  return segments.flatMap(({ object }) =>
    (object?.text ?? "").split(/\r?\n\r?\n/).flatMap((block) => {
      const lines = block.split(/\r?\n/);
      const timing = lines.findIndex((line) => line.includes("-->"));
      return timing === -1 ? [] : lines.slice(timing + 1).filter((line) => line.trim() !== "");
    }),
  );
}

export const SUBTITLE_RULES: Rule[] = [
  should("4.1", "there are captions", (view) => {
    const found = tracks(view).length + mediaOf(view, "CLOSED-CAPTIONS").length;
    return { verdict: found > 0 ? "pass" : "fail", evidence: `${found} tracks` };
  }),
  must("4.3", "closed captions sit in the video segments", (view) =>
    each(mediaOf(view, "CLOSED-CAPTIONS"), "no closed captions", (one) =>
      one.has("URI") ? `${nameIn(one)} has a URI` : null,
    ),
  ),
  must("4.4", "closed captions are declared with LANGUAGE", (view) =>
    each(mediaOf(view, "CLOSED-CAPTIONS"), "no closed captions", (one) =>
      one.has("LANGUAGE") ? null : `${nameIn(one)} has none`,
    ),
  ),
  must("4.5", "SDH states both of its characteristics", (view) =>
    each(withSdh(view), "no SDH", (one) =>
      SDH.every((word) => one.get("CHARACTERISTICS")?.includes(word)) ? null : `${nameIn(one)} states one`,
    ),
  ),
  must("4.6", "SDH is AUTOSELECT=YES", (view) =>
    each(withSdh(view), "no SDH", (one) =>
      one.get("AUTOSELECT") === "YES" ? null : `${nameIn(one)} is not`,
    ),
  ),
  must("4.7", "subtitles have LANGUAGE", (view) =>
    each(tracks(view), NONE, (one) => (one.has("LANGUAGE") ? null : `${nameIn(one)} has none`)),
  ),
  must("5.2", "subtitles are WebVTT or IMSC1 in fragmented MP4", (view) =>
    each(playlistsOf(view, "subtitle"), NONE, (playlist) =>
      isWebVtt(playlist) || playlist.init?.sampleEntry === "stpp" ? null : `${playlist.path} is neither`,
    ),
  ),
  must("5.3", "every WebVTT segment has X-TIMESTAMP-MAP", (view) =>
    each(playlistsOf(view, "subtitle").filter(isWebVtt), "no WebVTT", ({ segments }) => {
      const bad = segments.find(({ object }) => !object?.text?.includes("X-TIMESTAMP-MAP="));
      return bad ? `${bad.path} has none` : null;
    }),
  ),
  must("5.5", "subtitle playlists span the whole content", (view) => {
    const whole = Math.max(0, ...playlistsOf(view, "video").map(({ durationSeconds }) => durationSeconds));
    return each(playlistsOf(view, "subtitle"), NONE, ({ path, durationSeconds }) =>
      Math.abs(durationSeconds - whole) > 0.5 ? `${path} has ${durationSeconds.toFixed(3)} s` : null,
    );
  }),
  must("5.8", "a regular track includes the lines of the forced one of its language", (view) => {
    const all = renditionsOf(view, "SUBTITLES");
    const forced = all.filter(({ attributes }) => attributes.get("FORCED") === "YES");
    return each(forced, "none is forced", (one) => {
      const language = one.attributes.get("LANGUAGE");
      const regular = all.find(
        ({ attributes }) => attributes.get("FORCED") !== "YES" && attributes.get("LANGUAGE") === language,
      );
      if (regular === undefined) return null;
      const there = new Set(cueLines(regular.playlist));
      const lost = cueLines(one.playlist).find((line) => !there.has(line));
      return lost === undefined ? null : `${nameOf(regular)} lacks “${lost.slice(0, 40)}”`;
    });
  }),
  should("5.10", "the kind of subtitles stands in CODECS", (view) => {
    const groups = view.variants.filter(({ attributes }) => attributes.has("SUBTITLES"));
    if (renditionsOf(view, "SUBTITLES").every(({ playlist }) => isWebVtt(playlist)))
      return notApplicable("WebVTT may be left out");
    return each(groups, NONE, (variant) =>
      codecsOf(variant.attributes).some((codec) => /^(stpp|wvtt)/.test(codec))
        ? null
        : `${nameOf(variant)} has none`,
    );
  }),
  should("5.11", "forced subtitles are AUTOSELECT=YES", (view) =>
    each(
      tracks(view).filter((one) => one.get("FORCED") === "YES"),
      "none is forced",
      (one) => (one.get("AUTOSELECT") === "YES" ? null : `${nameIn(one)} is not`),
    ),
  ),
];
