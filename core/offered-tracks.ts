import { trackFolder } from "./keys.ts";
import type { Rendition } from "./records/asset.ts";

/** A track's folder, as playlists name it. */
const FOLDER = /^(?:video|audio|text)\/[^/]+\//;
const FOLDER_KINDS = { video: "video", audio: "audio", subtitle: "text" } as const;

/** The folders of all pictures, sounds and texts that a multivariant playlist offers; I-frames show a place and are no track. */
export function offeredFolders(multivariant: string): ReadonlySet<string> {
  const uris = multivariant.split("\n").map((line) => {
    if (!line.startsWith("#")) return line;
    return line.startsWith("#EXT-X-MEDIA:") ? (/,URI="([^"]*)"/.exec(line)?.[1] ?? "") : "";
  });
  return new Set(uris.flatMap((uri) => FOLDER.exec(uri) ?? []));
}

/** Those of a package's renditions that can be shown or heard and lie in one of these folders; null: in any. */
export function offeredRenditions(
  renditions: readonly Rendition[],
  folders: ReadonlySet<string> | null,
): (Rendition & { kind: keyof typeof FOLDER_KINDS })[] {
  return renditions.flatMap((rendition) => {
    const { id, kind } = rendition;
    if (kind === "image") return [];
    const isOffered = folders === null || folders.has(trackFolder(FOLDER_KINDS[kind], id));
    return isOffered ? [{ ...rendition, kind }] : [];
  });
}
