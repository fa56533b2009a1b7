import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../core/errors.ts";
import type { AudioTrack } from "../core/plan-sounds.ts";
import { type Preview, soundOfUnit } from "../core/preview.ts";
import type { Source } from "../core/source.ts";
import type { TimeWindow } from "../core/source-window.ts";
import type { Chunk } from "../core/timeline.ts";
import { readSound, soundCell } from "./aac-cells.ts";
import {
  AAC_SAMPLES_PER_FRAME,
  AUDIO_FILE,
  canEnter,
  stretchesRecipe,
  stretchWindow,
} from "./audio-recipe.ts";
import type { FfmpegRecipe } from "./ffmpeg-command.ts";
import type { MadeTrack } from "./protect-media.ts";

/**
 * The sound of one unit of a preview. A package's sound is encoded once, whole; a preview cannot wait for that. Each unit
 * begins a few frames early on the one grid of AAC frames, and what the encoder makes before the unit is thrown away: from
 * unit to unit a decoder sees frames whose overlaps were made of the same samples.
 */

/** The frame that holds nothing but the encoder's priming. */
const PRIMING_FRAMES = 1;
function stretchOf(preview: Preview, unit: Chunk, { sampleRateHz }: AudioTrack) {
  const { startFrame, endFrame } = soundOfUnit(preview, unit, sampleRateHz, AAC_SAMPLES_PER_FRAME);
  const frameSeconds = AAC_SAMPLES_PER_FRAME / sampleRateHz;
  // One frame more for the priming, one for the encoder's last.
  const frames = endFrame - startFrame + PRIMING_FRAMES + 1;
  return { startSeconds: startFrame * frameSeconds, seconds: frames * frameSeconds };
}

/** The time on the file's own clock in which sound is decoded for a unit. */
export function heardSeconds(preview: Preview, unit: Chunk, track: AudioTrack, source: Source): TimeWindow {
  return stretchWindow(stretchOf(preview, unit, track), source);
}

/** The ffmpeg call that encodes a unit's sound; null where the file cannot be entered there. */
export function previewSoundRecipe(
  preview: Preview,
  unit: Chunk,
  track: AudioTrack,
  source: Source,
): FfmpegRecipe | null {
  const stretch = stretchOf(preview, unit, track);
  if (!canEnter(source, stretch)) return null;
  return stretchesRecipe(source, [track], [stretch], (link) => ({
    options: [
      ...["-map", link, "-c:a", "aac", "-b:a", String(track.bitrateBps), "-threads", "1"],
      ...["-map_metadata", "-1", "-map_chapters", "-1"],
      // Priming stands before zero, where no box can put it; times are written anew when cells are cut.
      ...["-output_ts_offset", "1"],
      ...["-f", "mp4", "-frag_duration", "1000000", "-use_editlist", "0"],
      ...["-movflags", "+empty_moov+default_base_moof+cmaf+skip_trailer"],
    ],
    file: AUDIO_FILE,
  }));
}

/** A unit's sound as cells, each of the frames that the film's one grid gives it. */
export async function readPreviewSound(
  outputDirectory: string,
  preview: Preview,
  unit: Chunk,
  track: AudioTrack,
): Promise<MadeTrack> {
  const file = await readFile(join(outputDirectory, AUDIO_FILE.replace("/out/", "")));
  const { init, frames } = readSound(file, track.channels);
  const wanted = soundOfUnit(preview, unit, track.sampleRateHz, AAC_SAMPLES_PER_FRAME);
  // Coded frame `n` holds the samples of the grid's frame `startFrame + n - 1`.
  const coded = (frame: number): number => frame - wanted.startFrame + PRIMING_FRAMES;
  if (frames.length < coded(wanted.endFrame))
    throw new Failure("ours", "encode_failed", `The preview's sound has ${frames.length} frames only.`);
  const cells = wanted.cells.map(({ firstFrame, frameCount }, index) => {
    const own = frames.slice(coded(firstFrame), coded(firstFrame + frameCount));
    return soundCell(unit.firstSegment + index, firstFrame, own);
  });
  return { init, cells: cells.filter(({ durationTicks }) => durationTicks > 0) };
}
