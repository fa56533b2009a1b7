import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../core/errors.ts";
import { writeSegment } from "../core/fragment.ts";
import { readFragments } from "../core/fragments.ts";
import { splitInit } from "../core/init-segment.ts";
import { pictureFor } from "../core/picture.ts";
import type { Plan } from "../core/plan.ts";
import {
  type Chunk,
  chunkFrames,
  type FrameRange,
  KEYFRAMES_PER_SEGMENT,
  segmentFrames,
  type Timeline,
} from "../core/timeline.ts";
import { halfKeyframe, trickFrames } from "../core/trick-play.ts";
import type { Cell } from "./cells.ts";
import { colourTags } from "./picture-filters.ts";

/** The pictures for seeking: one more output of a chunk's encode, and the cells that are made of it. */

/** Where a chunk's pictures for seeking are written, inside the sandbox. */
export const TRICK_FILE = "/out/trick.mp4";

/** Leaves the pictures of `trickFrames`, one a second: their real times are written into the boxes afterwards. */
export function trickFilters(timeline: Timeline): string[] {
  const every = timeline.framesPerKeyframe;
  const half = halfKeyframe(timeline);
  return [
    `select='not(mod(n,${every}))+not(mod(n-${half},${every}))'`,
    ...["settb=1/1", "setpts=N", "fps=1"],
  ];
}

export function trickOptions(plan: Plan, frames: FrameRange): string[] {
  const { crf, maxBitrateBps } = plan.trickPlay;
  return [
    ...["-map", "[further]", "-c:v", "libx264", "-preset", plan.preset, "-profile:v", "high"],
    ...["-crf", String(crf), "-maxrate", String(maxBitrateBps), "-bufsize", String(2 * maxBitrateBps)],
    // Every picture whole in itself.
    ...["-x264-params", "keyint=1:vbv-init=0.9"],
    // One thread: equal bytes on every run.
    ...["-threads", "1"],
    ...colourTags(pictureFor(plan.picture, "SDR")),
    ...["-frames:v", String(trickFrames(plan.timeline, frames).length)],
    ...["-video_track_timescale", String(plan.timeline.timescale), "-use_editlist", "0"],
    ...["-map_metadata", "-1", "-map_chapters", "-1"],
    ...["-f", "mp4", "-movflags", "+frag_keyframe+empty_moov+default_base_moof+cmaf+skip_trailer"],
  ];
}

/** The pictures of one chunk as cells: each picture a fragment of its own that lasts until the next one. */
export async function readTrick(
  outputDirectory: string,
  plan: Plan,
  chunk: Chunk,
): Promise<{ init: Uint8Array; cells: Cell[] }> {
  const { init, rest } = splitInit(await readFile(join(outputDirectory, TRICK_FILE.replace("/out/", ""))));
  const pictures = readFragments(rest).flatMap((fragment) =>
    fragment.samples.map(({ offset, sizeBytes }) => rest.subarray(offset, offset + sizeBytes)),
  );
  const planned = trickFrames(plan.timeline, chunkFrames(plan.timeline, chunk)).length;
  if (pictures.length !== planned) {
    throw new Failure(
      "ours",
      "encode_failed",
      `There are ${pictures.length} pictures for seeking where ${planned} were planned.`,
    );
  }
  let next = 0;
  const cells = Array.from({ length: chunk.segmentCount }, (_, index) => {
    const segment = chunk.firstSegment + index;
    const count = trickFrames(plan.timeline, segmentFrames(plan.timeline, segment)).length;
    const cell = trickCell(plan.timeline, segment, pictures.slice(next, next + count));
    next += count;
    return cell;
  });
  return { init, cells };
}

function trickCell(timeline: Timeline, segment: number, pictures: readonly Uint8Array[]): Cell {
  const range = segmentFrames(timeline, segment);
  const frames = trickFrames(timeline, range);
  const end = range.firstFrame + range.frameCount;
  const fragments = pictures.map((picture, index) =>
    writeSegment({
      sequenceNumber: segment * 2 * KEYFRAMES_PER_SEGMENT + index + 1,
      baseDecodeTime: frames[index]! * timeline.ticksPerFrame,
      sampleDurationTicks: ((frames[index + 1] ?? end) - frames[index]!) * timeline.ticksPerFrame,
      frames: [picture],
    }),
  );
  let offset = 0;
  const keyframes = fragments.map(({ length }, index) => {
    const keyframe = { offset, length, startTicks: frames[index]! * timeline.ticksPerFrame };
    offset += length;
    return keyframe;
  });
  const durationTicks = range.frameCount * timeline.ticksPerFrame;
  return { segment, bytes: Buffer.concat(fragments), frames: frames.length, durationTicks, keyframes };
}
