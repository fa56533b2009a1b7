import type { ProducedTrack } from "../core/produced-track.ts";
import type { CellRecord } from "../core/records/task-result.ts";
import { sha256 } from "./cells.ts";
import { makeAgain } from "./make-again.ts";
import { openClearMedia } from "./protect-media.ts";
import type { TaskContext } from "./task-context.ts";

const PARALLEL_READS = 6;

/** A keyframe of a track: the cell that it is in, and its place among that cell's keyframes. */
export interface KeyframePlace {
  cell: CellRecord;
  index: number;
}

/** Every keyframe of a track, in order. */
export function keyframesOf(track: ProducedTrack): KeyframePlace[] {
  return track.cells.flatMap((cell) => cell.keyframes.map((_, index) => ({ cell, index })));
}

/** When a keyframe is shown. */
export function keyframeSeconds(track: ProducedTrack, { cell, index }: KeyframePlace): number {
  return cell.keyframes[index]!.startTicks / track.timescale;
}

/**
 * One short file of the fragments that begin with these keyframes: the track's init segment and then each of them whole,
 * read back from storage and compared with what was written. Where
 * something is not so it is made again, and this throws.
 */
export async function readFragmentsAt(
  context: TaskContext,
  track: ProducedTrack,
  places: readonly KeyframePlace[],
): Promise<Uint8Array> {
  const clear = await openClearMedia(context);
  const init = await readWhole(context, track.initKey, track.initSha256);
  const parts: Uint8Array[] = [await clear.open(track.initKey, init)];
  let next = 0;
  const cells = new Map<string, Promise<Uint8Array>>();
  const lane = async (): Promise<void> => {
    for (let at = next++; at < places.length; at = next++) {
      const { cell, index } = places[at]!;
      const reading = cells.get(cell.key) ?? readWhole(context, cell.key, cell.sha256);
      cells.set(cell.key, reading);
      const bytes = await reading;
      const fragment = bytes.subarray(cell.keyframes[index]!.offset, cell.keyframes[index + 1]?.offset);
      parts[at + 1] = await clear.open(cell.key, fragment);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_READS }, lane));
  return Buffer.concat(parts);
}

async function readWhole(context: TaskContext, key: string, digest: string): Promise<Uint8Array> {
  context.signal.throwIfAborted();
  const bytes = await context.blobs.read("media", key);
  if (bytes !== null && sha256(bytes) === digest) return bytes;
  const reason = bytes === null ? "missing" : "not the bytes that were written";
  throw await makeAgain(context, [{ key, reason }]);
}
