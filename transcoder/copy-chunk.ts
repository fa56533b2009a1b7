import { copiedFragments, copiedInit } from "../core/copied-track.ts";
import { Failure } from "../core/errors.ts";
import type { Rung } from "../core/ladder.ts";
import { type SampleTrack, sampleRanges } from "../core/sample-table.ts";
import type { FrameRange } from "../core/timeline.ts";
import { readSpan } from "./file-spans.ts";
import type { PlannedAsset } from "./planned-asset.ts";
import type { TaskContext } from "./task-context.ts";

/**
 * The file that a copied rung has of these frames: the master's own coded pictures, read from where its table says they lie, with
 * an init segment like that of the rung `beside` it. No decoder and no encoder takes part.
 */
export async function copyChunk(
  { scratch, signal }: TaskContext,
  { pinned, plan, source }: PlannedAsset,
  rung: Rung,
  frames: FrameRange,
  beside: Uint8Array,
): Promise<Uint8Array> {
  const samples = await scratch.withParts(pinned, async (master) => {
    const track = (await master.index(signal))?.tracks[source.video.streamIndex];
    if (track === undefined) throw inconsistent("the master's table is gone");
    await master.fill(rangesOf(track, frames), signal);
    return { track, bytes: await readSamples(master.path, track, frames) };
  });
  if (source.coded === undefined) throw inconsistent("nothing is known of its coded pictures");
  const fragments = copiedFragments(samples.track, samples.bytes, frames, plan.timeline);
  return Buffer.concat([copiedInit(beside, source.coded, rung), fragments]);
}

function rangesOf(track: SampleTrack, { firstFrame, frameCount }: FrameRange) {
  return sampleRanges(track, firstFrame, firstFrame + frameCount - 1);
}

/** Each sample's bytes, in the order of decoding; neighbours in the file are read at once. */
async function readSamples(path: string, track: SampleTrack, frames: FrameRange): Promise<Uint8Array[]> {
  const samples: Uint8Array[] = [];
  for (const range of rangesOf(track, frames)) {
    const bytes = await readSpan(path, range);
    for (let at = 0; at < bytes.length; ) {
      const size = track.sizes[frames.firstFrame + samples.length]!;
      samples.push(bytes.subarray(at, at + size));
      at += size;
    }
  }
  return samples;
}

function inconsistent(detail: string): Failure {
  return new Failure("ours", "internal", `A film was planned to be copied, but ${detail}.`);
}
