import { readBoxes } from "./box-reader.ts";
import { box, concat } from "./box-writer.ts";
import { writeSegment } from "./fragment.ts";
import type { Rung } from "./ladder.ts";
import { VISUAL_ENTRY_BYTES, withEntry } from "./sample-entry.ts";
import type { SampleTrack } from "./sample-table.ts";
import type { CodedPicture } from "./source.ts";
import type { FrameRange, Timeline } from "./timeline.ts";

/** The master's coded pictures as a rung of the package: other boxes around the same bytes. Pure. */

/** Fields of a visual sample entry (14496-12 12.1.3): width, then height; the name of the compressor; then its boxes. */
const SIZE_AT = 32;
const NAME_AT = 50;
const NAME_BYTES = 32;

/**
 * The init segment of a copied rung, from that of a rung beside it: its size and its decoder's configuration are the master's, and
 * all else (clock, brands, colours) is as beside it.
 */
export function copiedInit(beside: Uint8Array, { configuration }: CodedPicture, rung: Rung): Uint8Array {
  const record = Buffer.from(configuration, "base64");
  const init = withEntry(beside, (entry) => {
    const head = Buffer.from(entry.subarray(0, VISUAL_ENTRY_BYTES));
    head.writeUInt16BE(rung.width, SIZE_AT);
    head.writeUInt16BE(rung.height, SIZE_AT + 2);
    head.fill(0, NAME_AT, NAME_AT + NAME_BYTES);
    // What the rung beside it needs of a buffer (`btrt`) is nothing of this one's.
    const boxes = readBoxes(entry, VISUAL_ENTRY_BYTES).filter(
      ({ type }) => type !== "avcC" && type !== "btrt",
    );
    return concat([
      head,
      box("avcC", [record]),
      ...boxes.map(({ start, end }) => entry.subarray(start, end)),
    ]);
  });
  writeTrackSize(init, rung);
  return init;
}

/** 14496-12 8.3.2: `tkhd` ends with width and height, 16.16. */
function writeTrackSize(init: Uint8Array, { width, height }: Rung): void {
  const moov = readBoxes(init).find(({ type }) => type === "moov")!;
  const trak = readBoxes(init, moov.body, moov.end).find(({ type }) => type === "trak")!;
  const tkhd = readBoxes(init, trak.body, trak.end).find(({ type }) => type === "tkhd")!;
  const view = new DataView(init.buffer, init.byteOffset, init.byteLength);
  view.setUint32(tkhd.end - 8, width * 0x10000);
  view.setUint32(tkhd.end - 4, height * 0x10000);
}

/**
 * Frames of the timeline as fragments, one for each keyframe of the grid, from their coded bytes in the order of decoding. Times are
 * the grid's: a frame's place is its rank among the times of showing, whatever ticks the master counts in.
 */
export function copiedFragments(
  { shownTicks }: Pick<SampleTrack, "shownTicks">,
  samples: readonly Uint8Array[],
  { firstFrame }: FrameRange,
  { ticksPerFrame, framesPerKeyframe }: Timeline,
): Uint8Array {
  const fragments: Uint8Array[] = [];
  for (let at = 0; at < samples.length; at += framesPerKeyframe) {
    const frames = samples.slice(at, at + framesPerKeyframe);
    const first = firstFrame + at;
    const order = frames
      .map((_, index) => index)
      .sort((a, b) => shownTicks[first + a]! - shownTicks[first + b]!);
    const compositionOffsetTicks = new Array<number>(frames.length);
    order.forEach((index, rank) => {
      compositionOffsetTicks[index] = (rank - index) * ticksPerFrame;
    });
    fragments.push(
      writeSegment({
        sequenceNumber: 1,
        baseDecodeTime: first * ticksPerFrame,
        sampleDurationTicks: ticksPerFrame,
        frames,
        compositionOffsetTicks,
      }),
    );
  }
  return Buffer.concat(fragments);
}
