import { createHash } from "node:crypto";
import { Failure } from "../core/errors.ts";
import { setSequenceNumber } from "../core/fragment.ts";
import { readFragments } from "../core/fragments.ts";
import { INIT_NAME, PREVIEW_FOLDER, packagePrefix, segmentName, trackFolder } from "../core/keys.ts";
import type { CellScores } from "../core/quality.ts";
import type { CellRecord } from "../core/records/task-result.ts";
import type { Blobs } from "../stores/blobs.ts";

/** Cells on their way to storage: written once, under keys that the plan decided. */

/** One segment's bytes with what its boxes say. */
export interface Cell {
  segment: number;
  bytes: Uint8Array;
  frames: number;
  durationTicks: number;
  keyframes: CellRecord["keyframes"];
  ssim?: CellScores;
}

/** A track of one generation: where its cells go. */
export interface TrackPlace {
  assetId: string;
  generation: string;
  kind: "video" | "audio";
  trackId: string;
  /** Of what is shown before the package is ready. */
  isPreview?: boolean;
}

/** Objects in flight at once per task: enough to hide a round trip, little enough memory. */
const PARALLEL_PUTS = 4;
const IMMUTABLE = "public, max-age=31536000, immutable";

/**
 * Cuts a run of fragments (all of one track, one per keyframe) into cells at the given frame counts. Throws
 * where a border does not fall between two fragments or a cell does not begin with a keyframe.
 */
export function cutCells(
  fragmentBytes: Uint8Array,
  firstSegment: number,
  framesOfSegments: readonly number[],
  fragmentsPerSegment: number,
): Cell[] {
  const fragments = readFragments(fragmentBytes);
  const cells: Cell[] = [];
  let next = 0;
  framesOfSegments.forEach((frames, index) => {
    const first = fragments[next];
    const segment = firstSegment + index;
    if (first === undefined) throw broken(`segment ${segment} is missing`);
    const start = first.offset;
    const members = [];
    for (let have = 0; have < frames; next++) {
      const fragment = fragments[next];
      if (fragment === undefined) throw broken(`segment ${segment} has ${have} of ${frames} frames`);
      if (!fragment.samples[0]?.isSync)
        throw broken(`segment ${segment} has a fragment without a keyframe first`);
      have += fragment.samples.length;
      if (have > frames) throw broken(`segment ${segment} has ${have} of ${frames} frames`);
      members.push(fragment);
    }
    const last = members.at(-1)!;
    const bytes = fragmentBytes.slice(start, last.offset + last.bytes);
    const cell: Cell = { segment, bytes, frames, durationTicks: 0, keyframes: [] };
    readFragments(bytes).forEach((fragment, position) => {
      // Counted over the whole title, so that joined cells are one valid sequence.
      setSequenceNumber(bytes, fragment, segment * fragmentsPerSegment + position + 1);
      const keyframe = fragment.samples[0]!;
      cell.keyframes.push({
        offset: fragment.offset,
        length: keyframe.offset + keyframe.sizeBytes - fragment.offset,
        startTicks: fragment.baseDecodeTime,
      });
      cell.durationTicks += fragment.samples.reduce((sum, sample) => sum + sample.durationTicks, 0);
    });
    cells.push(cell);
  });
  if (next !== fragments.length) throw broken(`${fragments.length - next} fragments too many`);
  return cells;
}

/** Writes a track's init segment, once; another attempt's equal bytes are welcome, other bytes are an error. */
export async function storeInit(
  blobs: Blobs,
  place: TrackPlace,
  init: Uint8Array,
): Promise<{ key: string; sha256: string }> {
  const key = objectKey(place, INIT_NAME);
  await blobs.put("media", key, init, {
    contentType: contentType(place),
    cacheControl: IMMUTABLE,
    createOnce: true,
  });
  return { key, sha256: sha256(init) };
}

/** Writes cells, once each, a few at a time, and describes what was written. */
export async function storeCells(
  blobs: Blobs,
  place: TrackPlace,
  cells: readonly Cell[],
  signal: AbortSignal,
): Promise<CellRecord[]> {
  const records: CellRecord[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < cells.length; index = next++) {
      signal.throwIfAborted();
      const cell = cells[index]!;
      const key = objectKey(place, segmentName(cell.segment));
      await blobs.put("media", key, cell.bytes, {
        contentType: contentType(place),
        cacheControl: IMMUTABLE,
        createOnce: true,
      });
      records[index] = {
        key,
        segment: cell.segment,
        bytes: cell.bytes.length,
        sha256: sha256(cell.bytes),
        durationTicks: cell.durationTicks,
        keyframes: cell.keyframes,
        ...(cell.ssim === undefined ? {} : { ssim: cell.ssim }),
      };
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_PUTS }, lane));
  return records;
}

function objectKey(place: TrackPlace, name: string): string {
  const folder = place.isPreview === true ? PREVIEW_FOLDER : "";
  return (
    packagePrefix(place.assetId, place.generation) + folder + trackFolder(place.kind, place.trackId) + name
  );
}

function contentType(place: TrackPlace): string {
  return place.kind === "video" ? "video/mp4" : "audio/mp4";
}

/** Hex SHA-256. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function broken(detail: string): Failure {
  return new Failure("ours", "encode_failed", `The encoder's output is not what was planned: ${detail}.`);
}
