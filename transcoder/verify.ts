import { gunzipSync } from "node:zlib";
import { describeMedia, type ObjectFacts } from "../core/conformance/object-facts.ts";
import { Failure } from "../core/errors.ts";
import { readFragments } from "../core/fragments.ts";
import type { ProducedTrack } from "../core/produced-track.ts";
import type { ExpectedObject, ReadObject, StoredVersion } from "../core/read-parts.ts";
import type { Blobs, ListedBlob } from "../stores/blobs.ts";
import { sha256 } from "./cells.ts";
import { describeStoredText, storedTransport } from "./gate.ts";
import type { DamagedObject } from "./make-again.ts";

/** Facts of the objects of one package, by their path below `prefix`. */
export interface FactsOfPackage {
  prefix: string;
  objects: Map<string, ObjectFacts>;
}

const PARALLEL_READS = 6;

/**
 * Reads objects back from storage and compares: bytes and digest as recorded; of media times continuous from where it stands,
 * keyframe first, every rung cut at the same instants. What is `bad` must be made again; where nothing is, a player will find what
 * the playlists promise. What the gate needs to know of each goes `into` the facts, so that everything is read once. `report` is
 * told how far it is, 0..1.
 */
export async function verifyObjects(
  blobs: Blobs,
  expected: readonly ExpectedObject[],
  signal: AbortSignal,
  into: FactsOfPackage,
  report: (ratio: number) => void = () => undefined,
): Promise<{ read: ReadObject[]; bad: DamagedObject[] }> {
  const read: ReadObject[] = [];
  const bad: DamagedObject[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let object = expected[next++]; object !== undefined; object = expected[next++]) {
      signal.throwIfAborted();
      const { key } = object;
      const found = await blobs.readWhole("media", key, signal);
      const reason = found === null ? "missing" : faultOf(object, found.bytes);
      if (found === null || reason !== null) bad.push({ key, reason: reason ?? "missing" });
      else {
        collect(into, key, object.media === null ? "text" : "media", found.bytes);
        read.push({ ...object, version: versionOf(found.facts) });
      }
      report((read.length + bad.length) / expected.length);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_READS }, lane));
  return { read, bad };
}

/** Which of its versions an object is that was read or listed. */
export function versionOf({ sizeBytes, etag, lastModified }: Omit<ListedBlob, "key">): StoredVersion {
  return { sizeBytes, etag, modifiedSeconds: Math.floor((lastModified?.getTime() ?? 0) / 1000) };
}

function faultOf(object: ExpectedObject, bytes: Uint8Array): string | null {
  if (bytes.length !== object.bytes || sha256(bytes) !== object.sha256)
    return "not the bytes that were written";
  return object.media === null ? null : mediaFault(object.media, bytes);
}

function mediaFault(
  { startTicks, durationTicks, frames: planned }: NonNullable<ExpectedObject["media"]>,
  bytes: Uint8Array,
): string | null {
  let expected = startTicks;
  let frames = 0;
  for (const fragment of readFragments(bytes)) {
    if (fragment.baseDecodeTime !== expected) return `starts at ${fragment.baseDecodeTime}, not ${expected}`;
    if (!fragment.samples[0]?.isSync) return "does not begin with a keyframe";
    for (const sample of fragment.samples) expected += sample.durationTicks;
    frames += fragment.samples.length;
  }
  if (expected - startTicks !== durationTicks) return "has another duration than recorded";
  return planned === null || frames === planned ? null : `has ${frames} frames`;
}

/** The init segment of every track is there, as it was written. */
export async function verifyInits(
  blobs: Blobs,
  tracks: ReadonlyMap<string, ProducedTrack>,
  into: FactsOfPackage,
): Promise<void> {
  for (const track of tracks.values()) {
    const bytes = await blobs.read("media", track.initKey);
    if (bytes === null || sha256(bytes) !== track.initSha256) {
      throw new Failure("transient", "internal", `The init segment of ${track.trackId} did not read back.`);
    }
    collect(into, track.initKey, "media", bytes);
  }
}

function collect(
  { prefix, objects }: FactsOfPackage,
  key: string,
  kind: "media" | "text",
  bytes: Uint8Array,
): void {
  const path = key.slice(prefix.length);
  const facts =
    kind === "text"
      ? describeStoredText(path, gunzipSync(bytes).toString("utf8"), bytes)
      : describeMedia(path, bytes, storedTransport(path, null));
  objects.set(path, facts);
}
