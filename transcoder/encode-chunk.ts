import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readFragments, readInit, splitInit } from "../core/box-reader.ts";
import { codecString } from "../core/codec-string.ts";
import { Failure } from "../core/errors.ts";
import type { Ladder, Rung } from "../core/ladder.ts";
import type { Plan } from "../core/plan.ts";
import type { TaskResult } from "../core/records.ts";
import { type Chunk, chunkFrames, segmentFrames } from "../core/timeline.ts";
import { type Cell, cutCells, storeCells, storeInit } from "./cells.ts";
import { isShortOfDisk, runFfmpeg } from "./ffmpeg-run.ts";
import { requirePlanned } from "./planned-asset.ts";
import type { TaskContext } from "./task-context.ts";
import { readTrick } from "./trick-track.ts";
import { hasTrick, rungFile, videoRecipe } from "./video-recipe.ts";

/** One track of one chunk, checked and cut, before it is stored. */
interface EncodedTrack {
  trackId: string;
  init: Uint8Array;
  cells: Cell[];
}

/**
 * Encodes one chunk in all rungs of one ladder from one decode, checks what came out against the plan, and stores the
 * cells. Doing it twice makes the same bytes under the same keys.
 */
export async function encodeChunk(context: TaskContext): Promise<TaskResult> {
  const { plan, source, pinned, generation } = requirePlanned(context.asset);
  const chunk = plan.chunks[context.task.chunk];
  const ladder = plan.ladders.find(({ id }) => id === context.task.part);
  if (chunk === undefined || ladder === undefined)
    throw new Failure("ours", "internal", "The task names a chunk or ladder that the plan does not have.");
  const frames = chunkFrames(plan.timeline, chunk);
  const mediaSeconds = (frames.frameCount * plan.timeline.frameRate.den) / plan.timeline.frameRate.num;

  const encoded = await context.scratch.withSource(pinned, context.signal, (sourcePath) =>
    context.scratch.withDirectory(async (outputDirectory) => {
      const run = await runFfmpeg(
        context,
        videoRecipe(source, plan, ladder, chunk),
        sourcePath,
        outputDirectory,
        {
          mediaSeconds,
          outputBytes: largestOutput(ladder, mediaSeconds),
          frames: frames.frameCount,
        },
      );
      try {
        const rungs = ladder.rungs.map((rung) => readRung(outputDirectory, plan, chunk, rung));
        const trick = hasTrick(plan, ladder) ? [encodedTrick(outputDirectory, plan, chunk)] : [];
        return await Promise.all([...rungs, ...trick]);
      } catch (error) {
        if (await isShortOfDisk(context, run.stderrTail)) {
          throw new Failure("resource", "scratch_full", "The worker's disk is full.", { cause: error });
        }
        throw error;
      }
    }),
  );

  const tracks: TaskResult["tracks"] = [];
  for (const { trackId, init, cells } of encoded) {
    const place = { assetId: context.asset._id, generation, kind: "video" as const, trackId };
    const stored = await storeInit(context.blobs, place, init);
    tracks.push({
      trackId,
      initKey: stored.key,
      initBytes: init.length,
      initSha256: stored.sha256,
      codec: codecString(init),
      timescale: plan.timeline.timescale,
      cells: await storeCells(context.blobs, place, cells, context.signal),
    });
  }
  return { tracks, images: [] };
}

/** Twice the cap of all rungs, and room for boxes: more than that is not an encode gone well. */
function largestOutput({ rungs }: Ladder, mediaSeconds: number): number {
  const bitrateBps = rungs.reduce((sum, rung) => sum + rung.maxBitrateBps, 0);
  return Math.ceil((2 * bitrateBps * mediaSeconds) / 8) + 16 * 2 ** 20;
}

/** Reads one rung's file back: the exit code proves nothing (RELIABILITY §0.1), the frames do. */
async function readRung(
  outputDirectory: string,
  plan: Plan,
  chunk: Chunk,
  rung: Rung,
): Promise<EncodedTrack> {
  const file = await readFile(join(outputDirectory, rungFile(rung).replace("/out/", "")));
  const { init, rest } = splitInit(file);
  checkInit(init, plan, rung);
  checkTimes(rest, plan, chunk, rung);
  const segments = Array.from({ length: chunk.segmentCount }, (_, index) => chunk.firstSegment + index);
  const framesOfSegments = segments.map((segment) => segmentFrames(plan.timeline, segment).frameCount);
  const fragmentsPerSegment = plan.timeline.framesPerSegment / plan.timeline.framesPerKeyframe;
  const cells = cutCells(rest, chunk.firstSegment, framesOfSegments, fragmentsPerSegment);
  return { trackId: rung.id, init, cells };
}

async function encodedTrick(outputDirectory: string, plan: Plan, chunk: Chunk): Promise<EncodedTrack> {
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
