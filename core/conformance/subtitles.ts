import type { PackageView, PlaylistView } from "./package-view.ts";
import type { Attributes } from "./playlist-grammar.ts";
import { each, must, notApplicable, type Rule, should } from "./rule.ts";
import { codecsOf, mediaOf, nameOf, playlistsOf, renditionsOf } from "./selections.ts";
import { cueLines, mediaCues } from "./web-vtt.ts";

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

/** Seconds that a cue may overlap a segment's border without its being told there: EXTINF is rounded, cues are not. */
const BORDER_SECONDS = 0.05;

/** Where the media begins on its own clock: what X-TIMESTAMP-MAP is measured against. */
function startSeconds(view: PackageView): number {
  const [video] = playlistsOf(view, "video");
  const first = video?.segments[0]?.fragments[0];
  const timescale = video?.init?.timescale ?? 1;
  return first === undefined ? 0 : (first.baseDecodeTime + first.compositionTicks) / timescale;
}

/** The first cue that stands in a segment which does not show it, or is missing in one that does. */
function misplacedCue({ segments }: PlaylistView, mediaStartSeconds: number): string | null {
  let end = mediaStartSeconds;
  const windows = segments.map(({ extinfSeconds, path, object }) => {
    const start = end;
    end += extinfSeconds;
    return { start, end, path, cues: mediaCues(object?.text ?? "") };
  });
  for (const { start, end, path, cues } of windows) {
    const stray = cues.find((cue) => cue.endSeconds < start || cue.startSeconds > end);
    if (stray !== undefined) return `${path} has “${stray.lines[0] ?? ""}”, which it does not show`;
  }
  for (const [index, { cues, path }] of windows.entries()) {
    const next = windows[index + 1];
    const there = new Set(next?.cues.map(({ key }) => key));
    const lost = cues.find(
      ({ key, endSeconds }) => endSeconds > (next?.start ?? Infinity) + BORDER_SECONDS && !there.has(key),
    );
    if (lost !== undefined) return `${next?.path} lacks “${lost.lines[0] ?? ""}” of ${path}`;
  }
  return null;
}

/** WebVTT's own markup; anything else could mean something to a page that shows it. */
const STRANGE_TAG = /<(?!\/?(?:b|i|u|c|v|lang|ruby|rt)(?:[.\s][^<>]*)?>|\d{2,}:[\d:.]+>)[^\n]{0,30}/;

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
  must("8216-vtt", "a WebVTT segment has the cues that are shown during it (8216bis 3.5)", (view) => {
    const start = startSeconds(view);
    return each(playlistsOf(view, "subtitle").filter(isWebVtt), "no WebVTT", (playlist) =>
      misplacedCue(playlist, start),
    );
  }),
  must("vtt-markup", "WebVTT has no markup but its own (WebVTT 6.4)", (view) =>
    each(playlistsOf(view, "subtitle").filter(isWebVtt), "no WebVTT", (playlist) => {
      const strange = cueLines(playlist).flatMap((line) => STRANGE_TAG.exec(line)?.[0] ?? [])[0];
      return strange === undefined ? null : `${playlist.path} has ${strange}`;
    }),
  ),
  must("8216-forced", "FORCED is an attribute of subtitles (8216bis 4.4.6.1)", (view) =>
    each(
      view.main.media.filter((one) => one.has("FORCED")),
      "none is forced",
      (one) => (one.get("TYPE") === "SUBTITLES" ? null : `${nameIn(one)} is ${one.get("TYPE")}`),
    ),
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
