import type { Plan } from "../core/plan.ts";
import { isIndexed, type Source } from "../core/source.ts";
import { STEP_BACK_SECONDS } from "../core/stream-entries.ts";
import type { FrameRange } from "../core/timeline.ts";
import { micros, shiftFilter, skipFilters, timingFilters } from "./entry-filters.ts";
import {
  canSeek,
  firstDecodedMicros,
  marginMicros,
  microsOf,
  prerollFrames,
  seekPosition,
  startsOnKeyframe,
} from "./entry-place.ts";
import { deinterlaceFilters } from "./picture-filters.ts";

/**
 * Keeps the input's zero at the start of the whole file. For streams whose clock may jump (TS, PS, Ogg, FLV) ffmpeg moves it
 * to the first of the streams that are in use, unless an offset is given: with sound that begins a moment before the picture,
 * as AAC's priming does, everything would stand that much too early. A microsecond is less than any tick.
 */
export function fixedZero(source: Source): string[] {
  return isIndexed(source) ? [] : ["-itsoffset", "0.000001"];
}

/** How one chunk's frames are reached: options of the input, and the filters that leave exactly the timeline's frames. */
export interface ChunkEntry {
  inputOptions: string[];
  filters: string[];
}

/** The way into the master for one chunk, every frame of it once and in its place. Pure. */
export function chunkEntry(source: Source, plan: Plan, frames: FrameRange): ChunkEntry {
  const preroll = Math.min(frames.firstFrame, prerollFrames(plan));
  const firstMicros = firstDecodedMicros(plan, frames);
  if (plan.timing === "count" && !canSeek(source)) return countedEntry(source, plan, frames, preroll);
  // ffmpeg counts from the earliest stream of the file; the grid counts from the first picture.
  const offsetMicros = Math.round((source.video.startSeconds - source.video.fileStartSeconds) * 1e6);
  if (startsOnKeyframe(source, plan, frames))
    return keyframeEntry(source, plan, microsOf(plan, frames.firstFrame) + offsetMicros);
  const seekMicros = seekPosition(source, plan, firstMicros);
  const reachedMicros = seekMicros === null ? firstMicros + offsetMicros : firstMicros - seekMicros;
  if (plan.timing === "place" && preroll === 0 && seekMicros !== null)
    return placedEntry(source, plan, seekMicros + offsetMicros, reachedMicros);
  // Where decoding begins at a picture that comes out whole, ffmpeg may be asked for what is shown a little behind it: it is to leave nothing out.
  const keepsAll = seekMicros !== null && source.video.entries?.leadAt !== undefined;
  return {
    inputOptions: [
      ...fixedZero(source),
      ...(seekMicros === null
        ? []
        : [...(keepsAll ? ["-noaccurate_seek"] : []), "-ss", micros(seekMicros + offsetMicros)]),
    ],
    filters: [
      ...skipFilters(plan, reachedMicros, halfFrameMicros(source), keepsAll),
      ...deinterlaceFilters(plan.picture),
      ...timingFilters(plan, preroll),
    ],
  };
}

/**
 * Where the chunk's first frame is itself a keyframe, decoding begins right there: an exact seek a little early would
 * decode the whole group of pictures before it and throw it away (2.7 % of the CPU at groups of 2 s).
 */
function keyframeEntry(source: Source, plan: Plan, seekMicros: number): ChunkEntry {
  const margin = marginMicros(source);
  const late = margin + stepMicros(source);
  return {
    // A little late, so that a keyframe whose time is a tick too large is still the last one before; nothing is left
    // out by ffmpeg itself.
    inputOptions: ["-noaccurate_seek", "-ss", micros(seekMicros + late)],
    filters: [
      // Times count from the place asked for. What an open group shows before its keyframe is left out, and all that is
      // decoded where a container's index knows only an earlier one. Four tenths of a frame: of whole ones that is none.
      `trim=start=-${micros(Math.round(late + 0.6 * margin))}`,
      ...(plan.timing === "place" ? [`setpts=PTS+${micros(late)}/TB`] : []),
      ...timingFilters(plan, 0),
    ],
  };
}

/**
 * Frames that are placed may be missing where the chunk begins: all that is decoded from the keyframe before it on goes to the filter that places
 * them, which fills a gap with the last one before it.
 */
function placedEntry(source: Source, plan: Plan, seekMicros: number, reachedMicros: number): ChunkEntry {
  return {
    inputOptions: [...fixedZero(source), "-noaccurate_seek", "-ss", micros(seekMicros)],
    filters: [shiftFilter(reachedMicros), ...timingFilters(plan, 0)],
  };
}

/** What ffmpeg steps back by from what it is asked for, where it does. */
function stepMicros({ video }: Pick<Source, "video">): number {
  return video.stepsBack === true ? Math.round(STEP_BACK_SECONDS * 1e6) : 0;
}

function countedEntry(source: Source, plan: Plan, frames: FrameRange, preroll: number): ChunkEntry {
  const perFrame = plan.picture.deinterlace === "fields" ? 2 : 1;
  const before = (frames.firstFrame - preroll) / perFrame;
  const offsetMicros = Math.round((source.video.startSeconds - source.video.fileStartSeconds) * 1e6);
  return {
    inputOptions: fixedZero(source),
    filters: [
      ...skipFilters(plan, offsetMicros, halfFrameMicros(source), false),
      ...(before > 0 ? [`trim=start_frame=${before}`] : []),
      ...deinterlaceFilters(plan.picture),
      ...timingFilters(plan, preroll),
    ],
  };
}

/** Half a frame of the master. */
function halfFrameMicros({ video }: Source): number {
  return Math.round((video.frameRate.den * 1e6) / (2 * video.frameRate.num));
}
