import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { codecString } from "../core/codec-string.ts";
import type { VideoCodec } from "../core/encoding.ts";
import { Failure } from "../core/errors.ts";
import { readFragments } from "../core/fragments.ts";
import { withHdrBoxes } from "../core/hdr-boxes.ts";
import { readInit, splitInit } from "../core/init-segment.ts";
import { encodedPart, type Ladder, type Rung } from "../core/ladder.ts";
import { type FrameTiming, hardwareOfLadder, type Plan } from "../core/plan.ts";
import type { TaskResult } from "../core/records/task-result.ts";
import { type Chunk, chunkFrames, segmentFrames } from "../core/timeline.ts";
import { type Cell, cutCells, storeCells, storeInit } from "./cells.ts";
import { copyChunk } from "./copy-chunk.ts";
import { listenToEncoders } from "./encoder-scores.ts";
import { blameFor, isShortOfDisk, runFfmpeg } from "./ffmpeg-run.ts";
import { DEVICES_OF } from "./hardware-recipe.ts";
import { type PlannedAsset, requirePlanned } from "./planned-asset.ts";
import { openProtector } from "./protect-media.ts";
import { scoreChunk } from "./score-chunk.ts";
import { complaintsIn, type LoggedRun, pictureWindow, withSourceWindow } from "./source-window.ts";
import type { TaskContext } from "./task-context.ts";
import { readTrick } from "./trick-track.ts";
import { hasTrick, rungFile, videoRecipe } from "./video-recipe.ts";

/** One track of one chunk, checked and cut, before it is stored. */
interface EncodedTrack {
  trackId: string;
  init: Uint8Array;
  cells: Cell[];
}

interface EncodedRung extends EncodedTrack {
  rung: Rung;
  /** Size of each coded frame, in order. */
  sampleBytes: number[];
}

interface EncodedChunk {
  tracks: EncodedTrack[];
  /** The decoder could not read all that it was given. */
  isSuspect: boolean;
}

/**
 * Encodes one chunk in all rungs of one ladder from one decode, checks what came out against the plan, and stores the
 * cells. A rung that is the master's own is cut from it and goes the same way from there. Doing it twice makes the same bytes under the same keys.
 */
export async function encodeChunk(context: TaskContext): Promise<TaskResult> {
  const planned = requirePlanned(context.asset);
  const { plan, source, pinned, generation } = planned;
  const chunk = plan.chunks[context.task.chunk];
  const whole = plan.ladders.find(({ id }) => id === context.task.part);
  if (chunk === undefined || whole === undefined)
    throw new Failure("ours", "internal", "The task names a chunk or ladder that the plan does not have.");
  const ladder = encodedPart(whole);
  const frames = chunkFrames(plan.timeline, chunk);
  const mediaSeconds = (frames.frameCount * plan.timeline.frameRate.den) / plan.timeline.frameRate.num;

  const wanted = pictureWindow(source, plan, frames);
  const encode = (timing: FrameTiming) => (sourcePath: string) =>
    context.scratch.withDirectory(async (outputDirectory): Promise<LoggedRun<EncodedChunk | null>> => {
      const heard = listenToEncoders();
      const run = await runFfmpeg(
        context,
        videoRecipe(source, { ...plan, timing }, ladder, chunk),
        sourcePath,
        outputDirectory,
        {
          mediaSeconds: mediaSeconds * LIMIT_SHARE[ladder.codec],
          outputBytes: largestOutput(ladder, mediaSeconds),
          frames: frames.frameCount,
        },
        { onStderrLine: heard.take, devices: devicesFor(plan, ladder) },
      );
      const standsIn = timing !== plan.timing;
      const reading = ladder.rungs.map((rung) => readRung(outputDirectory, plan, ladder, chunk, rung));
      const rungs = await Promise.all(reading).catch(async (error: unknown) => {
        if (await isShortOfDisk(context, run.stderrTail)) {
          throw new Failure("resource", "scratch_full", "The worker's disk is full.", { cause: error });
        }
        // Not every decoder says that it has lost a picture: one that is short is tried the other way before anybody is blamed.
        if (timing === "count") return null;
        throw blameFor(error, run.stderrTail);
      });
      if (rungs === null) return { made: null, log: run.stderrTail };
      // What stands in for lost frames cannot be compared with what was lost.
      const said = standsIn
        ? ""
        : await scoreChunk(context, ladder, frames, rungs, heard, { outputDirectory, sourcePath });
      const trick = hasTrick(plan, ladder) ? [await encodedTrick(outputDirectory, plan, chunk)] : [];
      const isSuspect = standsIn || complaintsIn(run.stderrTail).length > 0;
      return { made: { tracks: [...rungs, ...trick], isSuspect }, log: run.stderrTail + said };
    });
  const counted = await withSourceWindow(context, pinned, wanted, encode(plan.timing));
  // Frames that a damaged master loses cannot be counted into their places: by their times, neighbours stand in.
  const made = counted ?? (await context.scratch.withSource(pinned, context.signal, encode("retime"))).made;
  if (made === null) throw new Failure("ours", "internal", "A re-timed chunk was counted.");
  const copied = await copiedRungs(context, planned, whole, chunk, made.tracks[0]!.init);

  const protect = await openProtector(context);
  const tracks: TaskResult["tracks"] = [];
  for (const { trackId, ...clear } of [...copied, ...made.tracks]) {
    const place = { assetId: context.asset._id, generation, kind: "video" as const, trackId };
    const { init, cells } = protect(place, clear);
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
  return { tracks, images: [], isSuspect: made.isSuspect };
}

function devicesFor(plan: Plan, ladder: Ladder): readonly string[] {
  const family = hardwareOfLadder(plan, ladder);
  return family === null ? [] : DEVICES_OF[family];
}

/** Limits of time grow with what a codec costs: 2160p in HEVC takes twenty times as long as 1080p in H.264. */
const LIMIT_SHARE: Record<VideoCodec, number> = { h264: 1, hevc: 4, av1: 3 };

/** Twice the cap of all rungs, and room for boxes: more than that is not an encode gone well. */
function largestOutput({ rungs }: Ladder, mediaSeconds: number): number {
  const bitrateBps = rungs.reduce((sum, rung) => sum + rung.maxBitrateBps, 0);
  return Math.ceil((2 * bitrateBps * mediaSeconds) / 8) + 16 * 2 ** 20;
}

function copiedRungs(
  context: TaskContext,
  planned: PlannedAsset,
  ladder: Ladder,
  chunk: Chunk,
  beside: Uint8Array,
): Promise<EncodedRung[]> {
  const { plan } = planned;
  const rungs = ladder.rungs.filter(({ isCopied }) => isCopied === true);
  return Promise.all(
    rungs.map(async (rung) => {
      const file = await copyChunk(context, planned, rung, chunkFrames(plan.timeline, chunk), beside);
      return checkRung(file, plan, ladder, chunk, rung);
    }),
  );
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

function checkRung(file: Uint8Array, plan: Plan, { hdr }: Ladder, chunk: Chunk, rung: Rung): EncodedRung {
  const { init: made, rest } = splitInit(file);
  const init = hdr === undefined ? made : withHdrBoxes(made, hdr);
  checkInit(init, plan, rung);
  checkTimes(rest, plan, chunk, rung);
  const segments = Array.from({ length: chunk.segmentCount }, (_, index) => chunk.firstSegment + index);
  const framesOfSegments = segments.map((segment) => segmentFrames(plan.timeline, segment).frameCount);
  const fragmentsPerSegment = plan.timeline.framesPerSegment / plan.timeline.framesPerKeyframe;
  return {
    rung,
    trackId: rung.id,
    init,
    cells: cutCells(rest, chunk.firstSegment, framesOfSegments, fragmentsPerSegment),
    sampleBytes: readFragments(rest).flatMap(({ samples }) => samples.map(({ sizeBytes }) => sizeBytes)),
  };
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
