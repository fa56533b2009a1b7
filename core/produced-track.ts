import { type MeasuredBitrate, measureBitrate } from "./bitrate.ts";
import { segmentName } from "./keys.ts";
import type { PlaylistSegment } from "./playlist.ts";
import type { CellRecord, TaskResult } from "./records/task-result.ts";

/** One track with all its cells, in order. */
export type ProducedTrack = TaskResult["tracks"][number];

/**
 * Joins what the tasks made into whole tracks, cells in order, or into a stretch of `segments` of them that begins with `first`.
 * Throws where a cell is missing or twice, or where parts of one track do not share one init segment.
 */
export function joinTracks(
  results: readonly TaskResult[],
  segments: number,
  first = 0,
): Map<string, ProducedTrack> {
  const tracks = new Map<string, ProducedTrack>();
  for (const part of results.flatMap((result) => result.tracks)) {
    const known = tracks.get(part.trackId);
    if (known === undefined) tracks.set(part.trackId, { ...part, cells: [...part.cells] });
    else if (known.initSha256 !== part.initSha256)
      throw new RangeError(`two init segments for ${part.trackId}`);
    else known.cells.push(...part.cells);
  }
  for (const track of tracks.values()) {
    track.cells.sort((a, b) => a.segment - b.segment);
    if (
      track.cells.length !== segments ||
      track.cells.some((cell, index) => cell.segment !== first + index)
    ) {
      throw new RangeError(`${track.trackId} has ${track.cells.length} of ${segments} segments`);
    }
  }
  return tracks;
}

export function timing(track: ProducedTrack): { timescale: number; durationTicks: number[] } {
  return { timescale: track.timescale, durationTicks: track.cells.map((cell) => cell.durationTicks) };
}

export function entries(track: ProducedTrack): PlaylistSegment[] {
  return track.cells.map((cell) => ({ uri: segmentName(cell.segment), durationTicks: cell.durationTicks }));
}

/** Each keyframe with the time until the next one: what a player shows while seeking (Apple 6.8, 6.10). */
export function iFrames(track: ProducedTrack): PlaylistSegment[] {
  const frames = track.cells.flatMap((cell) => cell.keyframes.map((keyframe) => ({ cell, keyframe })));
  const end = track.cells.reduce((sum: number, cell: CellRecord) => sum + cell.durationTicks, 0);
  return frames.map(({ cell, keyframe }, index) => ({
    uri: segmentName(cell.segment),
    durationTicks: (frames[index + 1]?.keyframe.startTicks ?? end) - keyframe.startTicks,
    byteRange: { length: keyframe.length, offset: keyframe.offset },
  }));
}

export function measure(track: ProducedTrack, target: number): MeasuredBitrate {
  return measureBitrate(
    track.cells.map((cell) => ({ bytes: cell.bytes, durationSeconds: cell.durationTicks / track.timescale })),
    target,
  );
}

export function totalBytes(track: ProducedTrack): number {
  return track.initBytes + track.cells.reduce((sum, cell) => sum + cell.bytes, 0);
}
