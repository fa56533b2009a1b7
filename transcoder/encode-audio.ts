import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../core/errors.ts";
import type { AudioTrack } from "../core/plan-sounds.ts";
import type { HeardTrack, TaskResult } from "../core/records/task-result.ts";
import { audioFrameCount, audioSegmentFrames, type Timeline, timelineSeconds } from "../core/timeline.ts";
import { readSound, soundCell } from "./aac-cells.ts";
import { AAC_SAMPLES_PER_FRAME, AS_IT_IS, AUDIO_FILE, audioRecipe, loudnessRecipe } from "./audio-recipe.ts";
import type { FfmpegRecipe } from "./ffmpeg-command.ts";
import { isShortOfDisk, type RunBudget, runFfmpeg } from "./ffmpeg-run.ts";
import { complainsOfSource, type Loudness, levelChange, readLoudness, readSilences } from "./loudness.ts";
import { requirePlanned } from "./planned-asset.ts";
import { type MadeTrack, openProtector } from "./protect-media.ts";
import { type LoggedRun, soundWindow, trackWindow, withSourceWindow } from "./source-window.ts";
import { storeTrack } from "./store-track.ts";
import { takesSound } from "./take-sound.ts";
import type { TaskContext } from "./task-context.ts";

/** A track as it was encoded, and what was heard of it before and after. */
interface EncodedSound {
  file: Uint8Array;
  /** What the gain was to bring it to, LUFS; null where a limiter had to take something of that. */
  aim: number | null;
  loudness: Loudness | null;
  heard: HeardTrack;
  isSuspect: boolean;
}

/** Measures one audio track, encodes it whole at the level that the plan asks for, cuts it at the audio frames nearest to the video's borders, stores it. */
export async function encodeAudio(context: TaskContext): Promise<TaskResult> {
  const planned = requirePlanned(context.asset);
  const { plan, source, pinned, generation } = planned;
  const track = plan.audio.find(({ id }) => id === context.task.part);
  if (track === undefined)
    throw new Failure("ours", "internal", "The task names a track that the plan does not have.");
  const left = { ...soundWindow(source, track.streamIndex), bring: takesSound(context, planned) };
  const [audioSource, window] =
    track.file === null ? [pinned, left] : [track.file, trackWindow(track.streamIndex)];
  const made = await withSourceWindow(context, audioSource, window, (sourcePath) =>
    context.scratch.withDirectory((outputDirectory) =>
      encodeWhole(context, track, sourcePath, outputDirectory),
    ),
  );
  const { file, aim, loudness, heard, isSuspect } = made;
  const clear = await cutSound(context, file, track, plan.timeline);
  const place = { assetId: context.asset._id, generation, kind: "audio" as const, trackId: track.id };
  const protect = await openProtector(context);
  const stored = await storeTrack(context, place, track.sampleRateHz, protect(place, clear));
  const levels = {
    loudnessLufs: loudness?.integratedLufs ?? null,
    aimedLufs: aim === null ? null : Math.round(aim * 10) / 10,
  };
  return { tracks: [{ ...stored, ...levels, heard }], images: [], isSuspect };
}

async function encodeWhole(
  context: TaskContext,
  track: AudioTrack,
  sourcePath: string,
  outputDirectory: string,
): Promise<LoggedRun<EncodedSound>> {
  const { plan, source } = requirePlanned(context.asset);
  const budget = budgetOf(track, timelineSeconds(plan.timeline));
  const run = (recipe: FfmpegRecipe) => runFfmpeg(context, recipe, sourcePath, outputDirectory, budget);
  const target = plan.loudnessTargetLufs;
  const found =
    target === null
      ? null
      : readLoudness((await run(loudnessRecipe(source, plan.timeline, track))).stderrTail);
  const change = target === null ? AS_IT_IS : levelChange(found, target);
  context.report(0.4);
  const { stderrTail } = await run(audioRecipe(source, plan.timeline, track, change));
  const made = {
    file: await readFile(join(outputDirectory, AUDIO_FILE.replace("/out/", ""))),
    aim: found === null || change.isLimited ? null : found.integratedLufs + change.gainDb,
    loudness: readLoudness(stderrTail),
    heard: { silences: readSilences(stderrTail), loudness: found && measured(found) },
    isSuspect: complainsOfSource(stderrTail),
  };
  // Every sample of the track is there: what ffmpeg says is said of the master, not of a hole.
  return { made, log: "" };
}

function budgetOf({ bitrateBps }: AudioTrack, mediaSeconds: number): RunBudget {
  return {
    mediaSeconds,
    outputBytes: Math.ceil((4 * bitrateBps * mediaSeconds) / 8) + 2 ** 20,
    frames: null,
  };
}

/** Records hold no infinity. */
function measured({ integratedLufs, truePeakDbtp }: Loudness) {
  return { integratedLufs, truePeakDbtp: Number.isFinite(truePeakDbtp) ? truePeakDbtp : null };
}

async function cutSound(
  context: TaskContext,
  file: Uint8Array,
  { channels, sampleRateHz }: AudioTrack,
  timeline: Timeline,
): Promise<MadeTrack> {
  const { init, frames } = readSound(file, channels);
  const needed = audioFrameCount(timeline, sampleRateHz, AAC_SAMPLES_PER_FRAME);
  if (frames.length < needed) throw await tooShort(context, frames.length, needed);
  const cells = audioSegmentFrames(timeline, sampleRateHz, AAC_SAMPLES_PER_FRAME).map(
    ({ firstFrame, frameCount }, segment) =>
      soundCell(segment, firstFrame, frames.slice(firstFrame, firstFrame + frameCount)),
  );
  return { init, cells: cells.filter(({ durationTicks }) => durationTicks > 0) };
}

async function tooShort(context: TaskContext, frames: number, needed: number): Promise<Failure> {
  if (await isShortOfDisk(context, ""))
    return new Failure("resource", "scratch_full", "The worker's disk is full.");
  const message = `The sound has ${frames} frames where ${needed} were planned.`;
  return new Failure("ours", "encode_failed", message);
}
