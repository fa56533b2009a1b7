import type { PackageView, PlaylistView } from "./package-view.ts";
import { resolvePath } from "./package-view.ts";
import { isoSeconds, type Manifest, type ManifestRepresentation } from "./parse-mpd.ts";
import { each, faultless, type Judgement, must, notApplicable, type Rule } from "./rule.ts";
import { playlistsOf } from "./selections.ts";
import { cueLines, cuesOf } from "./web-vtt.ts";

/** ISO/IEC 23009-1: the MPD says the same as the bytes, and as the HLS playlists do. */

const NAMESPACE = "urn:mpeg:dash:schema:mpd:2011";
const REQUIRED = ["profiles", "minBufferTime", "mediaPresentationDuration"];

function withManifest(
  judge: (manifest: Manifest, view: PackageView, path: string) => Judgement,
): Rule["judge"] {
  return (view) =>
    view.mpd === null ? notApplicable("no MPD") : judge(view.mpd.manifest, view, view.mpd.path);
}

/** The HLS playlist over the same init segment. */
function twinOf(view: PackageView, mpdPath: string, one: ManifestRepresentation): PlaylistView | undefined {
  const path = resolvePath(mpdPath, one.initialization);
  return playlistsOf(view, "video", "audio", "subtitle").find(({ initObject }) => initObject?.path === path);
}

function eachRepresentation(
  fault: (one: ManifestRepresentation, twin: PlaylistView | undefined, mpdPath: string) => string | null,
): Rule["judge"] {
  return withManifest(({ representations }, view, path) =>
    each(representations, "no representations", (one) => fault(one, twinOf(view, path, one), path)),
  );
}

function timelineFault(
  one: ManifestRepresentation,
  twin: PlaylistView | undefined,
  mpdPath: string,
): string | null {
  if (twin === undefined) return null;
  if (one.timescale !== twin.init?.timescale) return `${one.id} has timescale ${one.timescale}`;
  if (one.segments.length !== twin.segments.length) return `${one.id} has ${one.segments.length} segments`;
  const bad = one.segments.find((segment, index) => {
    const real = twin.segments[index];
    const start = real?.fragments[0]?.baseDecodeTime;
    return (
      resolvePath(mpdPath, segment.uri) !== real?.path ||
      segment.durationTicks !== real.durationTicks ||
      segment.startTicks !== start
    );
  });
  return bad ? `${one.id}: ${bad.uri} is not where it says` : null;
}

export const DASH_RULES: Rule[] = [
  must(
    "dash-mpd",
    "a well-formed static MPD with what 5.3.1.2 requires",
    withManifest(({ root, faults }) => {
      const attribute = (name: string): string | undefined => root?.attributes.get(name);
      return faultless(
        [
          ...faults,
          ...(root?.name === "MPD" && attribute("xmlns") === NAMESPACE ? [] : ["the root is not MPD"]),
          ...(attribute("type") === "static" ? [] : ["not static"]),
          ...REQUIRED.filter((name) => !attribute(name)).map((name) => `no ${name}`),
        ],
        attribute("profiles") ?? "",
      );
    }),
  ),
  must(
    "dash-same-set",
    "each representation is a track of the HLS package, none is left out",
    withManifest((manifest, view, path) => {
      const segmented = manifest.representations.filter(({ file }) => file === null);
      const twins = segmented.map((one) => twinOf(view, path, one));
      const lost = playlistsOf(view, "video", "audio").filter((playlist) => !twins.includes(playlist));
      const unknown = segmented.filter((_, index) => twins[index] === undefined);
      return faultless(
        [
          ...unknown.map(({ id }) => `${id} is not in the package`),
          ...lost.map((one) => `${one.path} has none`),
        ],
        `${twins.length} representations`,
      );
    }),
  ),
  must(
    "dash-text",
    "text is there as in HLS: as many tracks, WebVTT, no line that HLS has not",
    withManifest((manifest, view, path) => {
      const texts = manifest.representations.filter(({ kind }) => kind === "text");
      const playlists = playlistsOf(view, "subtitle");
      if (texts.length + playlists.length === 0) return notApplicable("no text");
      const lines = new Set(playlists.flatMap(cueLines));
      const faults = texts.flatMap(({ id, file }) => {
        if (file === null) return [];
        const text = view.objects.get(resolvePath(path, file))?.text;
        if (!text?.startsWith("WEBVTT")) return [`${id} is no WebVTT`];
        const strange = cuesOf(text).flatMap((cue) => cue.lines.find((line) => !lines.has(line)) ?? []);
        return strange.length > 0 ? [`${id} has “${strange[0]?.slice(0, 40)}”`] : [];
      });
      const missing =
        texts.length === playlists.length ? [] : [`${texts.length} of ${playlists.length} tracks`];
      return faultless([...missing, ...faults], `${texts.length} tracks`);
    }),
  ),
  must(
    "dash-timeline",
    "SegmentTimeline is what the boxes say, to the tick (5.3.9.6)",
    eachRepresentation(timelineFault),
  ),
  must(
    "dash-longest",
    "no segment is longer than maxSegmentDuration (5.3.1.2)",
    withManifest(({ root, representations }) => {
      const stated = root?.attributes.get("maxSegmentDuration");
      if (stated === undefined) return notApplicable("not stated");
      const most = isoSeconds(stated);
      const longer = representations.filter(({ segments, timescale }) =>
        segments.some(({ durationTicks }) => !(durationTicks / timescale <= most)),
      );
      return faultless(
        longer.map(({ id }) => `${id} has a longer one than ${stated}`),
        stated,
      );
    }),
  ),
  must(
    "dash-codecs",
    "codecs is what the init segment says (5.3.7.2)",
    eachRepresentation((one, twin) =>
      twin?.init?.codec && one.codecs !== twin.init.codec ? `${one.id} states ${one.codecs}` : null,
    ),
  ),
  must(
    "dash-curve",
    "the curve that a set states is the bytes'; HDR is essential to know (DASH-IF IOP 4.3, 10.5)",
    eachRepresentation((one, twin) => {
      const real = twin?.init?.transfer ?? null;
      if (one.kind !== "video" || real === null) return null;
      const isHdr = real === 16 || real === 18;
      if (one.transfer !== null && one.transfer.value !== real)
        return `${one.id} states ${one.transfer.value}`;
      return isHdr && !one.transfer?.essential ? `${one.id} has curve ${real} and does not say so` : null;
    }),
  ),
  must(
    "dash-bandwidth",
    "bandwidth is the measured peak within 10 % (5.3.5.2)",
    eachRepresentation((one, twin) => {
      const peak = twin?.measured.peakBps ?? one.bandwidthBps;
      return Math.abs(one.bandwidthBps - peak) <= peak * 0.1
        ? null
        : `${one.id} states ${one.bandwidthBps}, measured ${peak}`;
    }),
  ),
  must(
    "dash-duration",
    "mediaPresentationDuration is the picture's to the millisecond",
    withManifest((manifest, view) => {
      const whole = Math.max(0, ...playlistsOf(view, "video").map(({ durationSeconds }) => durationSeconds));
      const apart = Math.abs(manifest.durationSeconds - whole);
      return faultless(
        apart <= 0.001 ? [] : [`${manifest.durationSeconds} s, the picture has ${whole}`],
        `${whole} s`,
      );
    }),
  ),
];
