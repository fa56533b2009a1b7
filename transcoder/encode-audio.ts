import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { codecString } from "../core/codec-string.ts";
import { Failure } from "../core/errors.ts";
import { writeSegment } from "../core/fragment.ts";
import { readFragments } from "../core/fragments.ts";
import { readInit, splitInit } from "../core/init-segment.ts";
import type { TaskResult } from "../core/records/task-result.ts";
import { audioFrameCount, audioSegmentFrames, timelineSeconds } from "../core/timeline.ts";
import { AAC_SAMPLES_PER_FRAME, AS_IT_IS, AUDIO_FILE, audioRecipe, loudnessRecipe } from "./audio-recipe.ts";
import { type Cell, storeCells, storeInit } from "./cells.ts";
import type { FfmpegRecipe } from "./ffmpeg-command.ts";
import { isShortOfDisk, runFfmpeg } from "./ffmpeg-run.ts";
import { complainsOfSource, type Loudness, levelChange, readLoudness, readSilences } from "./loudness.ts";
import { requirePlanned } from "./planned-asset.ts";
import { openProtector } from "./protect-media.ts";
import { trackWindow, withSourceWindow } from "./source-window.ts";
import type { TaskContext } from "./task-context.ts";

/** Measures one audio track, encodes it whole at the level that the plan asks for, cuts it at the audio frames nearest to the video's borders, stores it. */
export async function encodeAudio(context: TaskContext): Promise<TaskResult> {
  const { plan, source, pinned, generation } = requirePlanned(context.asset);
  const track = plan.audio.find(({ id }) => id === context.task.part);
  if (track === undefined)
    throw new Failure("ours", "internal", "The task names a track that the plan does not have.");
  const mediaSeconds = timelineSeconds(plan.timeline);
  const budget = {
    mediaSeconds,
    outputBytes: Math.ceil((4 * track.bitrateBps * mediaSeconds) / 8) + 2 ** 20,
    frames: null,
  };
  const wanted = trackWindow(track.streamIndex);
  const audioSource = track.file ?? pinned;
  const { file, aim, loudness, heard, isSuspect } = await withSourceWindow(
    context,
    audioSource,
    wanted,
    (sourcePath) =>
      context.scratch.withDirectory(async (outputDirectory) => {
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
      }),
  );
  const { init: made, rest } = splitInit(file);
  stateChannels(made, track.channels);
  const needed = audioFrameCount(plan.timeline, track.sampleRateHz, AAC_SAMPLES_PER_FRAME);
  const frames = readAacFrames(rest);
  if (frames.length < needed) {
    if (await isShortOfDisk(context, ""))
      throw new Failure("resource", "scratch_full", "The worker's disk is full.");
    throw new Failure(
      "ours",
      "encode_failed",
      `The sound has ${frames.length} frames where ${needed} were planned.`,
    );
  }
  const segments = audioSegmentFrames(plan.timeline, track.sampleRateHz, AAC_SAMPLES_PER_FRAME).map(
    ({ firstFrame, frameCount }, segment): Cell => ({
      segment,
      frames: frameCount,
      durationTicks: frameCount * AAC_SAMPLES_PER_FRAME,
      keyframes: [],
      bytes: writeSegment({
        sequenceNumber: segment + 1,
        baseDecodeTime: firstFrame * AAC_SAMPLES_PER_FRAME,
        sampleDurationTicks: AAC_SAMPLES_PER_FRAME,
        frames: frames.slice(firstFrame, firstFrame + frameCount),
      }),
    }),
  );
  const clear = { init: made, cells: segments.filter(({ durationTicks }) => durationTicks > 0) };
  const place = { assetId: context.asset._id, generation, kind: "audio" as const, trackId: track.id };
  const { init, cells } = (await openProtector(context))(place, clear);
  const stored = await storeInit(context.blobs, place, init);
  return {
    tracks: [
      {
        trackId: track.id,
        initKey: stored.key,
        initBytes: init.length,
        initSha256: stored.sha256,
        codec: codecString(init),
        timescale: track.sampleRateHz,
        loudnessLufs: loudness?.integratedLufs ?? null,
        aimedLufs: aim === null ? null : Math.round(aim * 10) / 10,
        heard,
        cells: await storeCells(context.blobs, place, cells, context.signal),
      },
    ],
    images: [],
    isSuspect,
  };
}

/** Records hold no infinity. */
function measured({ integratedLufs, truePeakDbtp }: Loudness) {
  return { integratedLufs, truePeakDbtp: Number.isFinite(truePeakDbtp) ? truePeakDbtp : null };
}

/** 14496-12 12.2.3.2: `channelcount`. ffmpeg writes two whatever the sound has. */
export function stateChannels(init: Uint8Array, channels: number): void {
  const { sampleEntryOffset } = readInit(init);
  new DataView(init.buffer, init.byteOffset).setUint16(sampleEntryOffset + 24, channels);
}

/** The coded frames, in order. */
export function readAacFrames(fragmentBytes: Uint8Array): Uint8Array[] {
  return readFragments(fragmentBytes).flatMap((fragment) =>
    fragment.samples.map((sample) => fragmentBytes.subarray(sample.offset, sample.offset + sample.sizeBytes)),
  );
}
