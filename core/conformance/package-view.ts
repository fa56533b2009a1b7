import { type MeasuredBitrate, measureBitrate } from "../bitrate.ts";
import type { FragmentFacts, ObjectFacts, TrackFacts } from "./object-facts.ts";
import { type MediaPlaylist, parseMedia, type SegmentEntry } from "./parse-media.ts";
import { type Manifest, parseMpd } from "./parse-mpd.ts";
import { type MultivariantPlaylist, parseMultivariant } from "./parse-multivariant.ts";
import type { Attributes } from "./playlist-grammar.ts";

/** A media segment as a playlist names it, with the facts of its bytes. */
export interface SegmentView extends SegmentEntry {
  path: string;
  /** null: not there. */
  object: ObjectFacts | null;
  bytes: number;
  /** Those that lie in its byte range. */
  fragments: FragmentFacts[];
  durationTicks: number;
}

export type PlaylistKind = "video" | "audio" | "subtitle" | "iframe";

/** One media playlist with all that it names. */
export interface PlaylistView {
  path: string;
  kind: PlaylistKind;
  object: ObjectFacts | null;
  playlist: MediaPlaylist;
  init: TrackFacts | null;
  initObject: ObjectFacts | null;
  segments: SegmentView[];
  /** True durations from the boxes where there are some, else as the playlist states. */
  durationSeconds: number;
  measured: MeasuredBitrate;
}

export interface VariantView {
  attributes: Attributes;
  playlist: PlaylistView;
}

/** A whole package, read back. */
export interface PackageView {
  mainPath: string;
  mainObject: ObjectFacts;
  main: MultivariantPlaylist;
  variants: VariantView[];
  iFrames: VariantView[];
  /** EXT-X-MEDIA with a URI: attributes and the playlist behind it. */
  renditions: VariantView[];
  /** Every media playlist once. */
  playlists: PlaylistView[];
  mpd: { path: string; manifest: Manifest } | null;
  objects: ReadonlyMap<string, ObjectFacts>;
}

/** Puts the objects of a package together as its playlists say. Pure; nothing missing throws, rules find it. */
export function viewPackage(
  objects: ReadonlyMap<string, ObjectFacts>,
  mainPath: string,
  mpdPath: string | null,
): PackageView {
  const mainObject = objects.get(mainPath);
  if (mainObject === undefined) throw new RangeError(`no multivariant playlist at ${mainPath}`);
  const main = parseMultivariant(mainObject.text ?? "");
  const known = new Map<string, PlaylistView>();
  const open = (uri: string, kind: PlaylistKind): PlaylistView => {
    const path = resolvePath(mainPath, uri);
    const view = known.get(path) ?? viewPlaylist(objects, path, kind);
    known.set(path, view);
    return view;
  };
  const variants = main.variants.map(({ uri, attributes }) => ({
    attributes,
    playlist: open(uri, attributes.has("RESOLUTION") || !isSound(attributes) ? "video" : "audio"),
  }));
  const iFrames = main.iFrames.map(({ uri, attributes }) => ({ attributes, playlist: open(uri, "iframe") }));
  const renditions = main.media.flatMap((attributes) => {
    const uri = attributes.get("URI");
    const kind = KINDS[attributes.get("TYPE") ?? ""];
    return uri === undefined || kind === undefined ? [] : [{ attributes, playlist: open(uri, kind) }];
  });
  const mpdText = mpdPath === null ? undefined : objects.get(mpdPath)?.text;
  const mpd = mpdPath !== null && mpdText ? { path: mpdPath, manifest: parseMpd(mpdText) } : null;
  const playlists = [...known.values()];
  return { mainPath, mainObject, main, variants, iFrames, renditions, playlists, mpd, objects };
}

const KINDS: Record<string, PlaylistKind> = { AUDIO: "audio", VIDEO: "video", SUBTITLES: "subtitle" };

function isSound(attributes: Attributes): boolean {
  const codecs = (attributes.get("CODECS") ?? "").split(",");
  return codecs.every((codec) => /^(mp4a|ac-3|ec-3|fLaC|Opus)/.test(codec));
}

function viewPlaylist(
  objects: ReadonlyMap<string, ObjectFacts>,
  path: string,
  kind: PlaylistKind,
): PlaylistView {
  const object = objects.get(path) ?? null;
  const playlist = parseMedia(object?.text ?? "");
  const map = playlist.segments[0]?.map ?? null;
  const initObject = map === null ? null : (objects.get(resolvePath(path, map.uri)) ?? null);
  const init = initObject?.init ?? null;
  const segments = playlist.segments.map((entry) => viewSegment(objects, path, entry));
  const timescale = init?.timescale ?? 0;
  const seconds = (segment: SegmentView): number =>
    timescale > 0 && segment.durationTicks > 0 && kind !== "iframe"
      ? segment.durationTicks / timescale
      : segment.extinfSeconds;
  const durations = segments.map((segment) => ({ bytes: segment.bytes, durationSeconds: seconds(segment) }));
  return {
    path,
    kind,
    object,
    playlist,
    init,
    initObject,
    segments,
    durationSeconds: durations.reduce((sum, one) => sum + one.durationSeconds, 0),
    measured: measureBitrate(durations, playlist.targetDurationSeconds),
  };
}

function viewSegment(
  objects: ReadonlyMap<string, ObjectFacts>,
  playlistPath: string,
  entry: SegmentEntry,
): SegmentView {
  const path = resolvePath(playlistPath, entry.uri);
  const object = objects.get(path) ?? null;
  const from = entry.byteRange?.offset ?? 0;
  const to = entry.byteRange ? from + entry.byteRange.length : Number.POSITIVE_INFINITY;
  const fragments = (object?.fragments ?? []).filter(({ offset }) => offset >= from && offset < to);
  const durationTicks = fragments.reduce((sum, fragment) => sum + fragment.durationTicks, 0);
  return {
    ...entry,
    path,
    object,
    bytes: entry.byteRange?.length ?? object?.bytes ?? 0,
    fragments,
    durationTicks,
  };
}

/** A relative URI against the path that names it; both below the package's root. */
export function resolvePath(base: string, uri: string): string {
  const root = "http://package/";
  const url = new URL(uri, new URL(base, root));
  return url.href.startsWith(root) ? decodeURIComponent(url.pathname.slice(1)) : url.href;
}
