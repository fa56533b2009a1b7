import { sourceFailure } from "./errors.ts";
import type { PacketTable, StreamSpan } from "./packet-table.ts";
import type { SampleTrack } from "./sample-table.ts";
import { inDisplayOrder, type ListedFrames } from "./shown-frames.ts";

/**
 * The packet table of a file from its own sample tables: what ffprobe lists when it reads the file to its end. Throws
 * `source_damaged` where a sample lies behind the end of the file. Column by column, since whoever waits for a film's first picture waits for it.
 */
export function listSamples(
  tracks: readonly SampleTrack[],
  picture: { index: number },
  sizeBytes: number,
): PacketTable {
  const spans = new Map<number, StreamSpan>();
  const encrypted = new Set<number>();
  for (const track of tracks) {
    checkInside(track, sizeBytes);
    if (track.sizes.length > 0 && isEncrypted(track)) encrypted.add(track.index);
    const span = spanOf(track);
    if (span !== null) spans.set(track.index, span);
  }
  const shown = tracks.find(({ index }) => index === picture.index);
  const listed = shown === undefined ? NOTHING : shownSamples(shown);
  return {
    frames: inDisplayOrder(listed, listed.isKeyframeHidden),
    // Tables leave no time out.
    hasAllTimes: true,
    timelessFrames: 0,
    // They say themselves where a sample lies.
    entries: [],
    spans,
    encrypted,
  };
}

const NOTHING: ListedFrames & { isKeyframeHidden: boolean } = {
  seconds: new Float64Array(),
  durationSeconds: [],
  isKeyframe: [],
  isKeyframeHidden: false,
};

function checkInside({ offsets, sizes }: SampleTrack, sizeBytes: number): void {
  for (let at = 0; at < sizes.length; at++) {
    if (offsets[at]! + sizes[at]! <= sizeBytes) continue;
    throw sourceFailure("source_damaged", "The file cannot be read to its end: it is cut off or damaged.");
  }
}

/** ISO/IEC 23001-7 4.1: the sample entry of an encrypted track. */
function isEncrypted({ entry }: SampleTrack): boolean {
  return /^enc[va]$/.test(String.fromCharCode(...entry.subarray(4, 8)));
}

/** From when to when it is shown; null where nothing of it is. */
function spanOf({ shownTicks, durations, isShown, timescale }: SampleTrack): StreamSpan | null {
  let startSeconds = Number.POSITIVE_INFINITY;
  let endSeconds = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < shownTicks.length; at++) {
    if (isShown[at] === 0) continue;
    const seconds = inMicros(shownTicks[at]! / timescale);
    startSeconds = Math.min(startSeconds, seconds);
    endSeconds = Math.max(endSeconds, seconds + inMicros(durations[at]! / timescale));
  }
  return startSeconds <= endSeconds ? { startSeconds, endSeconds } : null;
}

/** The samples that are shown; and whether one that is not is the keyframe that the first of them hangs on. */
function shownSamples(track: SampleTrack): ListedFrames & { isKeyframeHidden: boolean } {
  const { shownTicks, durations, isShown, timescale } = track;
  const seconds = new Float64Array(shownTicks.length);
  const durationSeconds = new Float64Array(shownTicks.length);
  const isKeyframe = new Uint8Array(shownTicks.length);
  let count = 0;
  let isKeyframeHidden = false;
  for (let at = 0; at < shownTicks.length; at++) {
    if (isShown[at] === 0) {
      isKeyframeHidden ||= count === 0 && track.isKeyframe[at] === 1;
      continue;
    }
    seconds[count] = inMicros(shownTicks[at]! / timescale);
    durationSeconds[count] = inMicros(durations[at]! / timescale);
    isKeyframe[count++] = track.isKeyframe[at]!;
  }
  return { seconds: seconds.subarray(0, count), durationSeconds, isKeyframe, isKeyframeHidden };
}

/** ffprobe prints six decimals. */
function inMicros(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}
