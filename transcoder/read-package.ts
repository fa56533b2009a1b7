import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import {
  describeMedia,
  describeText,
  type ObjectFacts,
  type Transport,
  UNKNOWN_TRANSPORT,
} from "../core/conformance/object-facts.ts";
import { resolvePath } from "../core/conformance/package-view.ts";
import { parseMedia } from "../core/conformance/parse-media.ts";
import { parseMpd } from "../core/conformance/parse-mpd.ts";
import { parseMultivariant } from "../core/conformance/parse-multivariant.ts";

/** One object as it came, unpacked where it was gzip. */
export interface ReadObject {
  bytes: Uint8Array;
  transport: Transport;
}

/** Reads an object by its path below the package's root; null where it is not there. */
export type ReadPath = (path: string) => Promise<ReadObject | null>;

const PARALLEL_READS = 6;
const TEXTS = /\.(m3u8|mpd|vtt|webvtt)$/;

/** Facts of everything that the playlists and the MPD name, each object read once and none kept. */
export async function readPackageFacts(
  read: ReadPath,
  mainPath: string,
  mpdPath: string,
): Promise<Map<string, ObjectFacts>> {
  const objects = new Map<string, ObjectFacts>();
  const fetch = async (path: string): Promise<void> => {
    const found = objects.has(path) ? null : await read(path);
    if (found !== null) objects.set(path, describe(path, found));
  };
  await inLanes([mainPath, mpdPath], fetch);
  const main = parseMultivariant(objects.get(mainPath)?.text ?? "");
  const uris = [
    ...[...main.variants, ...main.iFrames].map(({ uri }) => uri),
    ...main.media.flatMap((attributes) => attributes.get("URI") ?? []),
  ];
  const playlists = [...new Set(uris.map((uri) => resolvePath(mainPath, uri)))];
  await inLanes(playlists, fetch);
  const media = playlists.flatMap((path) =>
    parseMedia(objects.get(path)?.text ?? "").segments.flatMap(({ uri, map }) =>
      [uri, ...(map ? [map.uri] : [])].map((name) => resolvePath(path, name)),
    ),
  );
  const files = parseMpd(objects.get(mpdPath)?.text ?? "").representations.flatMap(({ file }) => file ?? []);
  await inLanes([...new Set([...media, ...files.map((file) => resolvePath(mpdPath, file))])], fetch);
  return objects;
}

function describe(path: string, { bytes, transport }: ReadObject): ObjectFacts {
  if (!TEXTS.test(path)) return describeMedia(path, bytes, transport);
  return describeText(path, new TextDecoder().decode(bytes), bytes.length, transport);
}

async function inLanes(paths: readonly string[], work: (path: string) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let path = paths[next++]; path !== undefined; path = paths[next++]) await work(path);
  };
  await Promise.all(Array.from({ length: PARALLEL_READS }, lane));
}

/** Reads from a folder: bytes may lie there packed or not, which says nothing of how they will be served. */
export function fromFolder(folder: string): ReadPath {
  return async (path) => {
    const stored = await readFile(join(folder, path)).catch(() => null);
    if (stored === null) return null;
    const isGzip = stored[0] === 0x1f && stored[1] === 0x8b;
    const bytes = isGzip ? gunzipSync(stored) : stored;
    return { bytes, transport: { ...UNKNOWN_TRANSPORT, gzip: isGzip ? true : null } };
  };
}

/** Reads over HTTP as a player does, and notes how each object was served. `base` ends in `/`. */
export function fromUrl(base: string): ReadPath {
  return async (path) => {
    const url = new URL(path, base);
    const response = await fetch(url, { headers: { "accept-encoding": "gzip" } });
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (!response.ok) return null;
    return {
      bytes,
      transport: {
        contentType: response.headers.get("content-type"),
        gzip: response.headers.get("content-encoding") === "gzip",
        redirected: response.redirected,
        tls: url.protocol === "https:",
      },
    };
  };
}
