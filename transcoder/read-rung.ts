import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../core/errors.ts";
import { readFragments } from "../core/fragments.ts";
import { withHdrBoxes } from "../core/hdr-boxes.ts";
import { readInit, splitInit } from "../core/init-segment.ts";
import type { Ladder, Rung } from "../core/ladder.ts";
import type { Plan } from "../core/plan.ts";
import { type Chunk, chunkFrames, segmentFrames } from "../core/timeline.ts";
import { cutCells } from "./cells.ts";
import type { MadeTrack } from "./protect-media.ts";
import { readTrick } from "./trick-track.ts";
import { rungFile } from "./video-recipe.ts";

/** What encoders made of a chunk, read back before it is stored. */

/** One track of one chunk, checked and cut. */
export interface EncodedTrack extends MadeTrack {
  trackId: string;
}

export interface EncodedRung extends EncodedTrack {
  /** Size of each coded frame, in order. */
  sampleBytes: number[];
}

/** Reads one rung's file back: the exit code proves nothing (RELIABILITY §0.1), the frames do. */
export async function readRung(
  outputDirectory: string,
  plan: Plan,
  ladder: Ladder,
  chunk: Chunk,
  rung: Rung,
): Promise<EncodedRung> {
  const file = await readFile(join(outputDirectory, rungFile(rung).replace("/out/", "")));
  return checkRung(file, plan, ladder, chunk, rung);
}

/** A rung's file, checked against the plan and cut into its cells. */
export function checkRung(
  file: Uint8Array,
  plan: Plan,
  { hdr }: Ladder,
  chunk: Chunk,
  rung: Rung,
): EncodedRung {
  const { init: made, rest } = splitInit(file);
  const init = hdr === undefined ? made : withHdrBoxes(made, hdr);
  checkInit(init, plan, rung);
  checkTimes(rest, plan, chunk, rung);
  const segments = Array.from({ length: chunk.segmentCount }, (_, index) => chunk.firstSegment + index);
  const framesOfSegments = segments.map((segment) => segmentFrames(plan.timeline, segment).frameCount);
  const fragmentsPerSegment = plan.timeline.framesPerSegment / plan.timeline.framesPerKeyframe;
  return {
    trackId: rung.id,
    init,
    cells: cutCells(rest, chunk.firstSegment, framesOfSegments, fragmentsPerSegment),
    sampleBytes: readFragments(rest).flatMap(({ samples }) => samples.map(({ sizeBytes }) => sizeBytes)),
  };
}

/** The trick track of a chunk. */
export async function readTrickTrack(
  outputDirectory: string,
  plan: Plan,
  chunk: Chunk,
): Promise<EncodedTrack> {
  const { init, cells } = await readTrick(outputDirectory, plan, chunk);
  checkInit(init, plan, plan.trickPlay);
  return { trackId: plan.trickPlay.id, init, cells };
}

type Shape = Pick<Rung, "id" | "width" | "height">;

function checkInit(init: Uint8Array, plan: Plan, rung: Shape): void {
  const facts = readInit(init);
  if (facts.timescale !== plan.timeline.timescale) throw mismatch(rung, `timescale ${facts.timescale}`);
  if (facts.width !== rung.width || facts.height !== rung.height)
    throw mismatch(rung, `size ${facts.width}×${facts.height}`);
}

/** Every fragment begins where the one before it ends, from the chunk's own start (Apple 7.3). */
function checkTimes(rest: Uint8Array, plan: Plan, chunk: Chunk, rung: Rung): void {
  const { ticksPerFrame } = plan.timeline;
  let expected = chunkFrames(plan.timeline, chunk).firstFrame * ticksPerFrame;
  for (const fragment of readFragments(rest)) {
    if (fragment.baseDecodeTime !== expected)
      throw mismatch(rung, `a fragment at ${fragment.baseDecodeTime}, not ${expected}`);
    for (const sample of fragment.samples) {
      if (sample.durationTicks !== ticksPerFrame)
        throw mismatch(rung, `a frame of ${sample.durationTicks} ticks`);
      expected += sample.durationTicks;
    }
  }
}

function mismatch(rung: Shape, detail: string): Failure {
  return new Failure(
    "ours",
    "encode_failed",
    `The encoder's output for ${rung.id} is not what was planned: ${detail}.`,
  );
}
