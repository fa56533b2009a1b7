import type { VideoCodec } from "../core/encoding.ts";
import { Failure } from "../core/errors.ts";
import { encodedPart, type Ladder } from "../core/ladder.ts";
import { type FrameTiming, hardwareOfLadder, type Plan } from "../core/plan.ts";
import type { TaskResult } from "../core/records/task-result.ts";
import { withoutLookedEntries } from "../core/stream-entries.ts";
import { type Chunk, chunkFrames, type FrameRange } from "../core/timeline.ts";
import { copyChunk } from "./copy-chunk.ts";
import { listenToEncoders } from "./encoder-scores.ts";
import { blameFor, isShortOfDisk, type RunBudget, runFfmpeg } from "./ffmpeg-run.ts";
import { DEVICES_OF } from "./hardware-recipe.ts";
import { leavesSound } from "./leave-sound.ts";
import { type PlannedAsset, requirePlanned } from "./planned-asset.ts";
import { openProtector } from "./protect-media.ts";
import { checkRung, type EncodedRung, type EncodedTrack, readRung, readTrickTrack } from "./read-rung.ts";
import { encodingProgram } from "./recent-av1.ts";
import { type ChunkFiles, scoreChunk } from "./score-chunk.ts";
import { complaintsIn, type LoggedRun, pictureWindow, withSourceWindow } from "./source-window.ts";
import { storeTrack } from "./store-track.ts";
import type { TaskContext } from "./task-context.ts";
import { hasTrick, videoRecipe } from "./video-recipe.ts";

/** What a task of this stage is about. */
interface ChunkOfLadder extends PlannedAsset {
  chunk: Chunk;
  frames: FrameRange;
  /** With the rung that is the master's own, and without. */
  whole: Ladder;
  ladder: Ladder;
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
  const wanted = chunkOf(context);
  const made = await encode(context, wanted);
  const copied = await copiedRungs(context, wanted, made.tracks[0]!.init);
  const protect = await openProtector(context);
  const tracks: TaskResult["tracks"] = [];
  for (const track of [...copied, ...made.tracks]) {
    const { generation, plan } = wanted;
    const { trackId } = track;
    const place = { assetId: context.asset._id, generation, kind: "video" as const, trackId };
    tracks.push(await storeTrack(context, place, plan.timeline.timescale, protect(place, track)));
  }
  return { tracks, images: [], isSuspect: made.isSuspect };
}

function chunkOf({ asset, task }: TaskContext): ChunkOfLadder {
  const planned = requirePlanned(asset);
  const chunk = planned.plan.chunks[task.chunk];
  const whole = planned.plan.ladders.find(({ id }) => id === task.part);
  if (chunk === undefined || whole === undefined)
    throw new Failure("ours", "internal", "The task names a chunk or ladder that the plan does not have.");
  const frames = chunkFrames(planned.plan.timeline, chunk);
  return { ...planned, chunk, frames, whole, ladder: encodedPart(whole) };
}

async function encode(context: TaskContext, wanted: ChunkOfLadder): Promise<EncodedChunk> {
  const { plan, source, pinned, frames } = wanted;
  const doubted = { ...wanted, source: withoutLookedEntries(source) };
  const encodeBy = (timing: FrameTiming) => (sourcePath: string, isDoubted: boolean) =>
    context.scratch.withDirectory((outputDirectory) =>
      encodeOnce(context, isDoubted ? doubted : wanted, timing, { sourcePath, outputDirectory }),
    );
  const window = { ...pictureWindow(source, plan, frames), leave: leavesSound(context, wanted) };
  const counted = await withSourceWindow(context, pinned, window, encodeBy(plan.timing));
  if (counted !== null) return counted;
  // Frames that a damaged master loses cannot be counted into their places: by their times, neighbours stand in.
  const { made } = await context.scratch.withSource(pinned, context.signal, (path) =>
    encodeBy("retime")(path, true),
  );
  if (made === null) throw new Failure("ours", "internal", "A re-timed chunk was counted.");
  return made;
}

/** Made is null where frames were to be counted and some are missing. */
async function encodeOnce(
  context: TaskContext,
  wanted: ChunkOfLadder,
  timing: FrameTiming,
  files: ChunkFiles,
): Promise<LoggedRun<EncodedChunk | null>> {
  const { plan, source, ladder, chunk } = wanted;
  const { sourcePath, outputDirectory } = files;
  const heard = listenToEncoders();
  const recipe = videoRecipe(source, { ...plan, timing }, ladder, chunk);
  const manner = {
    ...{ program: encodingProgram(context, ladder), devices: devicesFor(plan, ladder) },
    onStderrLine: heard.take,
  };
  const run = await runFfmpeg(context, recipe, sourcePath, outputDirectory, budgetOf(wanted), manner);
  const log = run.stderrTail;
  const rungs = await readRungs(context, wanted, timing, outputDirectory, log);
  if (rungs === null) return { made: null, log };
  // What stands in for lost frames cannot be compared with what was lost.
  const standsIn = timing !== plan.timing;
  const said = standsIn ? "" : await scoreChunk(context, wanted, rungs, heard, files);
  const trick = hasTrick(plan, ladder) ? [await readTrickTrack(outputDirectory, plan, chunk)] : [];
  const isSuspect = standsIn || complaintsIn(log).length > 0;
  return { made: { tracks: [...rungs, ...trick], isSuspect }, log: log + said };
}

async function readRungs(
  context: TaskContext,
  { plan, ladder, chunk }: ChunkOfLadder,
  timing: FrameTiming,
  outputDirectory: string,
  log: string,
): Promise<EncodedRung[] | null> {
  try {
    return await Promise.all(
      ladder.rungs.map((rung) => readRung(outputDirectory, plan, ladder, chunk, rung)),
    );
  } catch (error) {
    if (await isShortOfDisk(context, log))
      throw new Failure("resource", "scratch_full", "The worker's disk is full.", { cause: error });
    // Not every decoder says that it has lost a picture: one that is short is tried the other way before anybody is blamed.
    if (timing !== "retime") return null;
    throw blameFor(error, log);
  }
}

function devicesFor(plan: Plan, ladder: Ladder): readonly string[] {
  const family = hardwareOfLadder(plan, ladder);
  return family === null ? [] : DEVICES_OF[family];
}

/** Limits of time grow with what a codec costs: 2160p in HEVC takes twenty times as long as 1080p in H.264. */
const LIMIT_SHARE: Record<VideoCodec, number> = { h264: 1, hevc: 4, av1: 3 };

function budgetOf({ plan, ladder, frames }: ChunkOfLadder): RunBudget {
  const { num, den } = plan.timeline.frameRate;
  const mediaSeconds = (frames.frameCount * den) / num;
  return {
    mediaSeconds: mediaSeconds * LIMIT_SHARE[ladder.codec],
    outputBytes: largestOutput(ladder, mediaSeconds),
    frames: frames.frameCount,
  };
}

/** Twice the cap of all rungs, and room for boxes: more than that is not an encode gone well. */
function largestOutput({ rungs }: Ladder, mediaSeconds: number): number {
  const bitrateBps = rungs.reduce((sum, rung) => sum + rung.maxBitrateBps, 0);
  return Math.ceil((2 * bitrateBps * mediaSeconds) / 8) + 16 * 2 ** 20;
}

/** What is the master's own; `beside` is the init segment of one that was encoded. */
function copiedRungs(
  context: TaskContext,
  wanted: ChunkOfLadder,
  beside: Uint8Array,
): Promise<EncodedRung[]> {
  const { plan, whole, chunk, frames } = wanted;
  const rungs = whole.rungs.filter(({ isCopied }) => isCopied === true);
  return Promise.all(
    rungs.map(async (rung) => {
      const file = await copyChunk(context, wanted, rung, frames, beside);
      return checkRung(file, plan, whole, chunk, rung);
    }),
  );
}
