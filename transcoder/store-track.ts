import { codecString } from "../core/codec-string.ts";
import type { TaskResult } from "../core/records/task-result.ts";
import { storeCells, storeInit, type TrackPlace } from "./cells.ts";
import type { MadeTrack } from "./protect-media.ts";
import type { TaskContext } from "./task-context.ts";

/** Stores a track, or a part of one, and describes what was stored. `timescale` in ticks a second. */
export async function storeTrack(
  { blobs, signal }: TaskContext,
  place: TrackPlace,
  timescale: number,
  { init, cells }: MadeTrack,
): Promise<TaskResult["tracks"][number]> {
  const { key, sha256 } = await storeInit(blobs, place, init);
  return {
    trackId: place.trackId,
    initKey: key,
    initBytes: init.length,
    initSha256: sha256,
    codec: codecString(init),
    timescale,
    cells: await storeCells(blobs, place, cells, signal),
  };
}
