import { CLEAR_KEY_SYSTEM } from "../clear-key.ts";
import type { TrackFacts } from "./object-facts.ts";
import { type PackageView, type PlaylistView, resolvePath } from "./package-view.ts";
import type { Attributes } from "./playlist-grammar.ts";
import { each, must, notApplicable, type Rule, should } from "./rule.ts";
import { playlistsOf, resolutionOf } from "./selections.ts";

/**
 * Apple HLS authoring specification, section 13, and what ISO/IEC 23001-7 (common encryption) asks of protected media: playlists, MPD
 * and boxes tell of the same scheme and key.
 */

const FAIRPLAY = "com.apple.streamingkeydelivery";
const NO_KEYS = "nothing is encrypted";
/** Key formats without a module that could hold a picture back from an output. */
const WITHOUT_OUTPUT_CONTROL = new Set(["identity", CLEAR_KEY_SYSTEM]);

function keysOf(view: PackageView): Attributes[] {
  return [...new Set(view.playlists.flatMap(keysOfPlaylist)), ...view.main.sessionKeys];
}

function keysOfPlaylist({ segments }: PlaylistView): Attributes[] {
  return [...new Set(segments.flatMap(({ key }) => key ?? []))];
}

function isFairPlay(key: Attributes): boolean {
  return key.get("KEYFORMAT") === FAIRPLAY;
}

/** Playlists whose samples are encrypted: by a key of theirs, or by what their init segment says. */
function protectedPlaylists(view: PackageView): PlaylistView[] {
  return playlistsOf(view, "video", "audio", "iframe").filter(
    (one) => one.init?.protection || keysOfPlaylist(one).some(isOfSamples),
  );
}

function isOfSamples(key: Attributes): boolean {
  return key.get("METHOD")?.startsWith("SAMPLE-AES") ?? false;
}

/** 8216bis 4.4.4.4: KEYID is a hexadecimal number. */
function keyIdOf(key: Attributes): string | undefined {
  return key.get("KEYID")?.replace(/^0x/i, "").toLowerCase();
}

function keyFault({ path, init, segments }: PlaylistView): string | null {
  const protection = init?.protection ?? null;
  if (protection === null) return `${path} names a key and is not protected`;
  if (protection.scheme !== "cbcs") return `${path} is ${protection.scheme}`;
  const bad = segments.find(
    ({ key }) => key === null || (keyIdOf(key) ?? protection.keyId) !== protection.keyId,
  );
  return bad ? `${bad.path} is under ${protection.keyId}, which ${path} does not say` : null;
}

function saidOf(key: Attributes): string {
  return ["METHOD", "URI", "KEYFORMAT", "KEYFORMATVERSIONS", "KEYID"].map((name) => key.get(name)).join(" ");
}

/** Init segments of protected pictures, each once. */
function protectedPictures(view: PackageView): { path: string; init: TrackFacts }[] {
  return playlistsOf(view, "video", "iframe").flatMap(({ path, init }) =>
    init?.protection ? [{ path, init }] : [],
  );
}

export const PROTECTION_RULES: Rule[] = [
  must("13.2", "FairPlay uses SAMPLE-AES (with 13.3)", (view) =>
    each(keysOf(view).filter(isFairPlay), "no FairPlay", (key) =>
      key.get("METHOD") === "SAMPLE-AES" ? null : `METHOD=${key.get("METHOD")}`,
    ),
  ),
  should("13.5", "protected HD states HDCP-LEVEL=TYPE-0, above HD TYPE-1 (with 13.6)", (view) => {
    const controlled = keysOf(view).filter(
      (key) => !WITHOUT_OUTPUT_CONTROL.has(key.get("KEYFORMAT") ?? "identity"),
    );
    if (controlled.length === 0) return notApplicable("no key format that could ask for it");
    return each(view.variants, "no variants", ({ attributes, playlist }) => {
      const height = resolutionOf(attributes)?.height ?? 0;
      const wanted = height > 1080 ? "TYPE-1" : "TYPE-0";
      return height < 720 || attributes.get("HDCP-LEVEL") === wanted ? null : `${playlist.path} does not`;
    });
  }),
  must("13.7", "of protected pictures one block in ten is encrypted", (view) =>
    each(protectedPictures(view), NO_KEYS, ({ path, init }) => {
      const { crypt, skip } = init.protection!.pattern;
      return crypt === 1 && skip === 9 ? null : `${path} has ${crypt}:${skip}`;
    }),
  ),
  must("13.11", "no SAMPLE-AES-CTR", (view) =>
    each(keysOf(view), NO_KEYS, (key) => (key.get("METHOD") === "SAMPLE-AES-CTR" ? "it is used" : null)),
  ),
  must("8216-session-key", "EXT-X-SESSION-KEY is a key of the media playlists (4.4.6.5)", (view) => {
    const used = new Set(view.playlists.flatMap(keysOfPlaylist).map(saidOf));
    return each(view.main.sessionKeys, "none", (key) =>
      used.has(saidOf(key)) ? null : `${key.get("URI")} is not`,
    );
  }),
  must(
    "cmaf-protection",
    "a track is cbcs under the key that its playlist names, wherever one of them says so",
    (view) => each(protectedPlaylists(view), NO_KEYS, keyFault),
  ),
  must(
    "cmaf-samples",
    "each fragment of a protected picture says what of it is encrypted (23001-7 7)",
    (view) =>
      each(
        // Of samples with IVs of their own it takes the length of those to read it.
        playlistsOf(view, "video", "iframe").filter(({ init }) => init?.protection?.ivBytes),
        NO_KEYS,
        ({ segments }) => {
          const bad = segments.find(({ fragments }) => fragments.some(({ tellsSamples }) => !tellsSamples));
          return bad ? `${bad.path} does not` : null;
        },
      ),
  ),
  must(
    "dash-protection",
    "ContentProtection tells the scheme and the key of each track (23001-7 11.2)",
    (view) => {
      if (view.mpd === null) return notApplicable("no MPD");
      const { path, manifest } = view.mpd;
      const said = manifest.representations.map((one) => ({
        ...one,
        init: view.objects.get(resolvePath(path, one.initialization))?.init ?? null,
      }));
      const concerned = said.filter(({ protection, init }) => protection !== null || init?.protection);
      return each(concerned, NO_KEYS, ({ id, protection, init }) => {
        const { scheme, keyId } = init?.protection ?? {};
        return protection?.scheme === scheme && protection?.keyId === keyId
          ? null
          : `${id} is said to be ${protection?.scheme ?? "clear"} under ${protection?.keyId ?? "no key"}`;
      });
    },
  ),
];
