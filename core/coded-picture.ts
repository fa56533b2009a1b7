import { readBoxes } from "./box-reader.ts";
import type { ByteRange } from "./byte-ranges.ts";
import { VISUAL_ENTRY_BYTES } from "./sample-entry.ts";
import type { SampleTrack } from "./sample-table.ts";
import type { CodedPicture } from "./source.ts";
import { segmentCount, segmentFrames, type Timeline } from "./timeline.ts";

/**
 * Whether a master's coded pictures can be cut on the grid as they stand, from its sample table, and from the first bytes of
 * the pictures at the borders. Pure.
 */

/** A picture's messages come before it: x264's own, the longest that is usual, takes 700 bytes. */
const HEAD_BYTES = 4096;
/** ITU-T H.264 table 7-1. */
const NAL_IDR = 5;
const NAL_MESSAGE = 6;
const NAL_DELIMITER = 9;

/**
 * What is kept of a picture whose groups are closed on the grid: no frame that is decoded after a keyframe of it is shown before it,
 * nor the other way round. null where they are not, or the table has other frames than the timeline.
 */
export function describeCoded(track: SampleTrack, timeline: Timeline): CodedPicture | null {
  const configuration = configurationOf(track.entry);
  const { sizes, isShown, isKeyframe } = track;
  if (configuration === null || sizes.length !== timeline.frameCount || isShown.includes(0)) return null;
  const borders = Array.from(
    { length: Math.ceil(timeline.frameCount / timeline.framesPerKeyframe) },
    (_, group) => group * timeline.framesPerKeyframe,
  );
  if (borders.some((frame) => isKeyframe[frame] !== 1)) return null;
  const isClosed = closedAt(track.shownTicks);
  if (!borders.every(isClosed)) return null;
  const segmentBytes = Array.from({ length: segmentCount(timeline) }, (_, segment) => {
    const { firstFrame, frameCount } = segmentFrames(timeline, segment);
    return sizes.subarray(firstFrame, firstFrame + frameCount).reduce((sum, size) => sum + size, 0);
  });
  return { configuration: Buffer.from(configuration).toString("base64"), segmentBytes };
}

/** `avcC` of an `avc1` entry (14496-15 5.4.2.1): others may hold parameter sets among their pictures. */
function configurationOf(entry: Uint8Array): Uint8Array | null {
  const [box] = readBoxes(entry);
  if (box?.type !== "avc1") return null;
  const avcC = readBoxes(entry, VISUAL_ENTRY_BYTES, box.end).find(({ type }) => type === "avcC");
  return avcC === undefined ? null : entry.subarray(avcC.body, avcC.end);
}

/** Whether all before a place, in the order of decoding, is shown before it, and it is itself the first shown of the rest. */
function closedAt(shownTicks: Float64Array): (at: number) => boolean {
  const latestBefore = new Float64Array(shownTicks.length);
  let latest = Number.NEGATIVE_INFINITY;
  shownTicks.forEach((ticks, at) => {
    latestBefore[at] = latest;
    latest = Math.max(latest, ticks);
  });
  const earliestFrom = new Float64Array(shownTicks.length);
  let earliest = Number.POSITIVE_INFINITY;
  for (let at = shownTicks.length - 1; at >= 0; at--) {
    earliest = Math.min(earliest, shownTicks[at]!);
    earliestFrom[at] = earliest;
  }
  return (at) => latestBefore[at]! < shownTicks[at]! && earliestFrom[at] === shownTicks[at];
}

/** Where the beginnings of the pictures lie that stand at the borders of segments. */
export function borderHeads({ offsets, sizes }: SampleTrack, timeline: Timeline): ByteRange[] {
  return Array.from({ length: segmentCount(timeline) }, (_, segment) => {
    const { firstFrame } = segmentFrames(timeline, segment);
    const start = offsets[firstFrame]!;
    return { start, end: start + Math.min(HEAD_BYTES, sizes[firstFrame]!) };
  });
}

/**
 * Whether a sample begins like an IDR picture with nothing before it but messages and delimiters: what a table calls a keyframe may
 * be one that needs what was before it. Parameter sets among pictures would not go with a segment that is entered elsewhere.
 */
export function beginsWithIdr(head: Uint8Array): boolean {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  for (let at = 0; at + 5 <= head.length; at += 4 + view.getUint32(at)) {
    const type = head[at + 4]! & 0x1f;
    if (type === NAL_IDR) return true;
    if (type !== NAL_MESSAGE && type !== NAL_DELIMITER) return false;
  }
  return false;
}
