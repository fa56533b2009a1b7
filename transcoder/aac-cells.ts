import { writeSegment } from "../core/fragment.ts";
import { readFragments } from "../core/fragments.ts";
import { readInit, splitInit } from "../core/init-segment.ts";
import { AAC_SAMPLES_PER_FRAME } from "./audio-recipe.ts";
import type { Cell } from "./cells.ts";

/** Encoded sound, cut into cells at its own frames. */

/** An encoder's file: its init segment, which says how many channels there are, and its coded frames in order. */
export function readSound(file: Uint8Array, channels: number): { init: Uint8Array; frames: Uint8Array[] } {
  const { init, rest } = splitInit(file);
  stateChannels(init, channels);
  const samples = readFragments(rest).flatMap((fragment) => fragment.samples);
  return { init, frames: samples.map(({ offset, sizeBytes }) => rest.subarray(offset, offset + sizeBytes)) };
}

/** 14496-12 12.2.3.2: `channelcount`. ffmpeg writes two whatever the sound has. */
function stateChannels(init: Uint8Array, channels: number): void {
  const { sampleEntryOffset } = readInit(init);
  new DataView(init.buffer, init.byteOffset).setUint16(sampleEntryOffset + 24, channels);
}

/** A segment of these coded frames, the first of which is the track's `firstFrame`. */
export function soundCell(segment: number, firstFrame: number, frames: readonly Uint8Array[]): Cell {
  return {
    segment,
    frames: frames.length,
    durationTicks: frames.length * AAC_SAMPLES_PER_FRAME,
    keyframes: [],
    bytes: writeSegment({
      sequenceNumber: segment + 1,
      baseDecodeTime: firstFrame * AAC_SAMPLES_PER_FRAME,
      sampleDurationTicks: AAC_SAMPLES_PER_FRAME,
      frames,
    }),
  };
}
