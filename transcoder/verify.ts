import { describeMedia, type ObjectFacts } from "../core/conformance/object-facts.ts";
import { Failure } from "../core/errors.ts";
import { readFragments } from "../core/fragments.ts";
import { allRungs, type Plan } from "../core/plan.ts";
import type { ProducedTrack } from "../core/produced-track.ts";
import type { CellRecord } from "../core/records/task-result.ts";
import { segmentFrames } from "../core/timeline.ts";
import type { Blobs } from "../stores/blobs.ts";
import { sha256 } from "./cells.ts";
import { storedTransport } from "./gate.ts";
import type { DamagedObject } from "./make-again.ts";

/** Facts of the objects of one package, by their path below `prefix`. */
export interface FactsOfPackage {
  prefix: string;
  objects: Map<string, ObjectFacts>;
}

const PARALLEL_READS = 6;

/**
 * Reads every cell back from storage and compares: bytes and digest as recorded, times continuous from zero,
 * keyframe first, every rung cut at the same instants. What it returns must be made again; empty means that a
 * player will find what the playlists promise. What the gate needs to know of each cell goes `into` the facts, so
 * that everything is read once.
 */
export async function verifyCells(
  blobs: Blobs,
  plan: Plan,
  tracks: ReadonlyMap<string, ProducedTrack>,
  signal: AbortSignal,
  into: FactsOfPackage,
): Promise<DamagedObject[]> {
  const video = new Set(allRungs(plan).map((rung) => rung.id));
  const work = [...tracks.values()].flatMap((track) => {
    let startTicks = 0;
    return track.cells.map((cell) => {
      const expectedStart = startTicks;
      startTicks += cell.durationTicks;
      return { cell, expectedStart, isVideo: video.has(track.trackId) };
    });
  });
  const bad: DamagedObject[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let item = work[next++]; item !== undefined; item = work[next++]) {
      signal.throwIfAborted();
      const reason = await checkCell(blobs, plan, item.cell, item.expectedStart, item.isVideo, into);
      if (reason !== null) bad.push({ key: item.cell.key, reason });
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_READS }, lane));
  return bad;
}

async function checkCell(
  blobs: Blobs,
  plan: Plan,
  cell: CellRecord,
  expectedStart: number,
  isVideo: boolean,
  into: FactsOfPackage,
): Promise<string | null> {
  const bytes = await blobs.read("media", cell.key);
  if (bytes === null) return "missing";
  collect(into, cell.key, bytes);
  if (bytes.length !== cell.bytes || sha256(bytes) !== cell.sha256) return "not the bytes that were written";
  const fragments = readFragments(bytes);
  let expected = expectedStart;
  let frames = 0;
  for (const fragment of fragments) {
    if (fragment.baseDecodeTime !== expected) return `starts at ${fragment.baseDecodeTime}, not ${expected}`;
    if (!fragment.samples[0]?.isSync) return "does not begin with a keyframe";
    for (const sample of fragment.samples) expected += sample.durationTicks;
    frames += fragment.samples.length;
  }
  if (expected - expectedStart !== cell.durationTicks) return "has another duration than recorded";
  if (isVideo && frames !== segmentFrames(plan.timeline, cell.segment).frameCount)
    return `has ${frames} frames`;
  return null;
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
    collect(into, track.initKey, bytes);
  }
}

function collect({ prefix, objects }: FactsOfPackage, key: string, bytes: Uint8Array): void {
  const path = key.slice(prefix.length);
  objects.set(path, describeMedia(path, bytes, storedTransport(path, null)));
}
