import type { ObjectFacts } from "./object-facts.ts";
import type { PackageView, PlaylistKind } from "./package-view.ts";
import { each, must, type Rule, should } from "./rule.ts";

/** Apple HLS authoring specification, sections 8.18 and 10 to 12: how it is delivered. */

function all(view: PackageView): ObjectFacts[] {
  return [...view.objects.values()];
}

function playlists(view: PackageView): ObjectFacts[] {
  return [view.mainObject, ...view.playlists.flatMap(({ object }) => object ?? [])];
}

/** What each media object is, by its path: sound has types of its own. */
function kindsOf(view: PackageView): Map<string, PlaylistKind> {
  const kinds = new Map<string, PlaylistKind>();
  for (const { kind, initObject, segments } of view.playlists) {
    if (initObject !== null) kinds.set(initObject.path, kind);
    for (const { path } of segments) kinds.set(path, kind);
  }
  return kinds;
}

function wantedTypes({ path, text, init }: ObjectFacts, kind: PlaylistKind | undefined): string[] {
  if (/\.m3u8$/.test(path)) return ["application/vnd.apple.mpegurl", "audio/mpegurl"];
  if (/\.mpd$/.test(path)) return ["application/dash+xml"];
  if (text?.startsWith("WEBVTT")) return ["text/vtt", "text/plain"];
  if (kind === "audio") return ["audio/mp4"];
  if (kind === undefined) return [];
  return init === null ? ["video/iso.segment", "video/mp4"] : ["video/mp4"];
}

export const DELIVERY_RULES: Rule[] = [
  must("8.18", "media is not redirected", (view) =>
    each(
      all(view).filter(({ redirected }) => redirected !== null),
      "not read over HTTP",
      (object) => (object.redirected ? `${object.path} is` : null),
    ),
  ),
  must("10.1", "playlists are gzip", (view) =>
    each(
      playlists(view).filter(({ gzip }) => gzip !== null),
      "how it is served is not known",
      (object) => (object.gzip ? null : `${object.path} is not`),
    ),
  ),
  should("10.4", "MIME types are the registered ones", (view) => {
    const kinds = kindsOf(view);
    const known = all(view).filter(({ contentType }) => contentType !== null);
    return each(known, "how it is served is not known", (object) => {
      const wanted = wantedTypes(object, kinds.get(object.path));
      const type = object.contentType?.split(";")[0]?.trim().toLowerCase() ?? "";
      return wanted.length === 0 || wanted.includes(type) ? null : `${object.path} is ${type}`;
    });
  }),
  should("11.1", "everything is served over TLS (with 11.2, 11.3)", (view) =>
    each(
      all(view).filter(({ tls }) => tls !== null),
      "not read over HTTP",
      ({ path, tls }) => (tls ? null : `${path} is not`),
    ),
  ),
  should("11.4", "no titles in plain URLs", (view) => {
    const clear = all(view).filter(({ tls }) => tls === false);
    return each(clear, "no plain URLs", ({ path }) => (/\s|%20/.test(path) ? `${path} reads as text` : null));
  }),
];
