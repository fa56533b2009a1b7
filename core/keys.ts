/**
 * Where every object of a package lies, from the plan alone. Keys are immutable, carry the generation, stay
 * under 200 bytes, and no key is ever a folder of another.
 */

export const MAIN_PLAYLIST = "main.m3u8";
export const DASH_MANIFEST = "main.mpd";

/** The folder of one generation, also the prefix a grant covers (with a leading slash). Ends in `/`. */
export function packagePrefix(assetId: string, generation: string): string {
  return `${assetId}/${generation}/`;
}

/** Relative paths inside a package: what playlists name. */
export function trackFolder(kind: "video" | "audio" | "text", trackId: string): string {
  return `${kind}/${trackId}/`;
}

export const INIT_NAME = "init.mp4";
export const MEDIA_PLAYLIST_NAME = "media.m3u8";
export const IFRAME_PLAYLIST_NAME = "iframes.m3u8";
/** A text track in one file, for DASH. */
export const WHOLE_TEXT_NAME = "whole.vtt";
/** Below a generation: what is shown of it before it is ready. */
export const PREVIEW_FOLDER = "preview/";
/** Grants for browsing cover this folder alone (core/grant.ts). */
export const IMAGES_FOLDER = "images/";
export const STORYBOARD_PATH = `${IMAGES_FOLDER}storyboard.vtt`;

/** `00007.m4s`: fixed width, so a listing of the folder is in playing order. */
export function segmentName(segment: number): string {
  return `${String(segment).padStart(5, "0")}.m4s`;
}

/** `00007.vtt`: the same of a text track. */
export function textSegmentName(segment: number): string {
  return `${String(segment).padStart(5, "0")}.vtt`;
}

/** A text track that was added to an asset. */
export function sidecarKey(tenant: string, assetId: string, sidecarId: string): string {
  return assetSources(tenant, assetId) + sidecarId;
}

/** The folder of what goes into an asset and comes by no upload: its text tracks, and a master that is fetched. Ends in `/`. */
export function assetSources(tenant: string, assetId: string): string {
  return `${tenant}/${assetId}/`;
}

/** A master, as the server names it by the upload: nothing of the client's text is in a key. */
export function sourceKey(tenant: string, uploadId: string): string {
  return `${tenant}/${uploadId}/source`;
}

/** A master that is fetched, by the claim that began with it: what an earlier one has left can be removed while this one comes. */
export function fetchedKey(tenant: string, assetId: string, epoch: number): string {
  return `${assetSources(tenant, assetId)}source-${epoch}`;
}

/** The folder of the sound that chunks of an asset leave for whoever encodes it, until the film is published. Ends in `/`. */
export function leftSounds(tenant: string, assetId: string): string {
  return `${assetSources(tenant, assetId)}sound/`;
}

/** What of that is of one version of a master, by its mark (core/left-sound.ts). Ends in `/`. */
export function leftSoundsOf(tenant: string, assetId: string, mark: string): string {
  return `${leftSounds(tenant, assetId)}${mark}/`;
}

/** Sound from this stretch of the master: who lists the folder knows from the names what to read. */
export function leftSoundKey(folder: string, { start, end }: { start: number; end: number }): string {
  return `${folder}${start}-${end}`;
}

/** The stretch that such a key names; null where it is none. */
export function leftStretch(folder: string, key: string): { start: number; end: number } | null {
  const [, start, end] = /^(\d{1,16})-(\d{1,16})$/.exec(key.slice(folder.length)) ?? [];
  return start === undefined ? null : { start: Number(start), end: Number(end) };
}
