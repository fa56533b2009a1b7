import type { ContentKey } from "./content-key.ts";

/**
 * How players are told of protection by ClearKey (W3C Encrypted Media Extensions 9.1): browsers know it without a licence of anybody's,
 * and whoever may watch can read the key. A licence server of a DRM system would take this file's place: other key formats in the
 * playlists, other elements in the MPD, and its own answer to what its players ask.
 */

/** All media of a package under one key. */
export interface ContentProtection {
  scheme: "cbcs";
  /** 32 lower-case hex digits. */
  keyId: string;
}

export const CLEAR_KEY_SYSTEM = "org.w3.clearkey";
/** What DASH-IF registered for ClearKey. */
const CLEAR_KEY_URN = "urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e";

/**
 * Attributes of EXT-X-KEY and EXT-X-SESSION-KEY (8216bis 4.4.4.4). The URI names the key and no place: playlists are the same for
 * all, and where to ask for the licence is told to each session. As hls.js reads it: its KEYFORMAT, and KEYID as a number.
 */
export function keyAttributes({ keyId }: ContentProtection): string {
  return [
    "METHOD=SAMPLE-AES",
    `URI="urn:uuid:${uuidOf(keyId)}"`,
    `KEYFORMAT="${CLEAR_KEY_SYSTEM}"`,
    'KEYFORMATVERSIONS="1"',
    `KEYID=0x${keyId.toUpperCase()}`,
  ].join(",");
}

/** ContentProtection elements of an AdaptationSet: their attributes (23009-1 5.8.4.1, 23001-7 11.2; DASH-IF IOP 7.6.2). */
export function protectionElements({ scheme, keyId }: ContentProtection): Record<string, string>[] {
  return [
    {
      schemeIdUri: "urn:mpeg:dash:mp4protection:2011",
      value: scheme,
      "xmlns:cenc": "urn:mpeg:cenc:2013",
      "cenc:default_KID": uuidOf(keyId),
    },
    { schemeIdUri: CLEAR_KEY_URN, value: "ClearKey1.0" },
  ];
}

/** A licence: the keys as a JSON Web Key Set (EME 9.1.4). */
export interface ClearKeyLicense {
  keys: { kty: "oct"; kid: string; k: string }[];
  type: "temporary";
}

export function licenseOf(keys: readonly ContentKey[]): ClearKeyLicense {
  return {
    keys: keys.map(({ keyId, key }) => ({
      kty: "oct",
      kid: Buffer.from(keyId, "hex").toString("base64url"),
      k: Buffer.from(key).toString("base64url"),
    })),
    type: "temporary",
  };
}

/** The key id behind the base64url that a player sends (EME 9.1.3). */
export function keyIdOf(kid: string): string {
  return Buffer.from(kid, "base64url").toString("hex");
}

function uuidOf(keyId: string): string {
  return keyId.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
