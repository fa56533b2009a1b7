import { createHmac } from "node:crypto";
import { concat } from "./box-writer.ts";
import { cryptRange, isNalFormat, type Subsample, subsamplesOf } from "./cbcs.ts";
import type { ContentKey } from "./content-key.ts";
import { Failure } from "./errors.ts";
import { readFragments } from "./fragments.ts";
import { readInit } from "./init-segment.ts";
import { readAuxiliary, withAuxiliary, withoutAuxiliary } from "./sample-auxiliary.ts";
import {
  PICTURE_PATTERN,
  protectInit,
  readProtection,
  SOUND_PATTERN,
  type TrackProtection,
  unprotectInit,
} from "./track-protection.ts";

const IV_BYTES = 16;

/** One track under one key: the same bytes again from the same bytes and the same key. */
export interface TrackLock {
  init: Uint8Array;
  /** Of whole fragments of the track, one after the other. */
  protect(fragments: Uint8Array): Uint8Array;
}

/** The lock of a track with this init segment. `track` names it among those under the same key: each has an IV of its own. */
export function lockTrack(init: Uint8Array, { keyId, key }: ContentKey, track: string): TrackLock {
  const format = readInit(init).sampleEntry;
  const iv = ivOf(key, track);
  if (!isNalFormat(format)) {
    const protection = { keyId, iv, pattern: SOUND_PATTERN };
    const protect = (fragment: Uint8Array): Uint8Array =>
      crypted(fragment, "encrypt", key, protection, wholeSamples(fragment));
    return { init: protectInit(init, protection), protect: (fragments) => eachFragment(fragments, protect) };
  }
  const protection = { keyId, iv, pattern: PICTURE_PATTERN };
  const protect = (fragment: Uint8Array): Uint8Array => {
    const subsamples = samplesOf(fragment).map((sample) => subsamplesOf(sample, format));
    return withAuxiliary(crypted(fragment, "encrypt", key, protection, subsamples), subsamples);
  };
  return { init: protectInit(init, protection), protect: (fragments) => eachFragment(fragments, protect) };
}

/** A track read as a player reads it that has the key: by what its init segment and its fragments say, and nothing else. */
export interface OpenedTrack {
  init: Uint8Array;
  open(fragments: Uint8Array): Uint8Array;
}

/** Opens a track; one that is not protected is as it is. Throws where it is protected under another key. */
export function openTrack(init: Uint8Array, { keyId, key }: ContentKey): OpenedTrack {
  const protection = readProtection(init);
  if (protection === null) return { init, open: (fragments) => fragments };
  const isOurs = protection.scheme === "cbcs" && protection.iv.length === IV_BYTES;
  if (protection.keyId !== keyId || !isOurs)
    throw new Failure("ours", "encode_failed", "Produced media is protected under another key or scheme.");
  const isPicture = isNalFormat(readInit(init).sampleEntry);
  const open = (fragment: Uint8Array): Uint8Array => {
    const told = readAuxiliary(fragment, readFragments(fragment)[0]!);
    if (told === null && isPicture)
      throw new Failure("ours", "encode_failed", "A protected picture does not say where it is protected.");
    return withoutAuxiliary(crypted(fragment, "decrypt", key, protection, told ?? wholeSamples(fragment)));
  };
  return { init: unprotectInit(init), open: (fragments) => eachFragment(fragments, open) };
}

/** Half of what only the key's holder can compute; it stands in the clear. */
function ivOf(key: Uint8Array, track: string): Uint8Array {
  return createHmac("sha256", key).update(`matinee-iv-1\n${track}`).digest().subarray(0, IV_BYTES);
}

function eachFragment(fragments: Uint8Array, change: (fragment: Uint8Array) => Uint8Array): Uint8Array {
  return concat(
    // A copy, also of a Buffer, whose `slice` is none: what came in stays as it is.
    readFragments(fragments).map(({ offset, bytes }) =>
      change(Uint8Array.from(fragments.subarray(offset, offset + bytes))),
    ),
  );
}

function samplesOf(fragment: Uint8Array): Uint8Array[] {
  return readFragments(fragment).flatMap(({ samples }) =>
    samples.map(({ offset, sizeBytes }) => fragment.subarray(offset, offset + sizeBytes)),
  );
}

function wholeSamples(fragment: Uint8Array): Subsample[][] {
  return samplesOf(fragment).map(({ length }) => [{ clearBytes: 0, protectedBytes: length }]);
}

/** The fragment with the protected bytes of its samples encrypted or decrypted, in its place. */
function crypted(
  fragment: Uint8Array,
  way: "encrypt" | "decrypt",
  key: Uint8Array,
  { iv, pattern }: Pick<TrackProtection, "iv" | "pattern">,
  subsamples: readonly (readonly Subsample[])[],
): Uint8Array {
  samplesOf(fragment).forEach((sample, index) => {
    let at = 0;
    for (const { clearBytes, protectedBytes } of subsamples[index] ?? []) {
      at += clearBytes;
      cryptRange(way, sample.subarray(at, at + protectedBytes), { key, iv, pattern });
      at += protectedBytes;
    }
  });
  return fragment;
}
