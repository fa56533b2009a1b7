import type { Plan } from "../core/plan.ts";
import { secondsText } from "../core/rational.ts";
import { isIndexed, type Source } from "../core/source.ts";
import type { TimeWindow } from "../core/source-window.ts";
import {
  entryBefore,
  STEP_BACK_SECONDS,
  type StreamSpan,
  seekSeconds,
  streamSpan,
} from "../core/stream-entries.ts";
import type { FrameRange } from "../core/timeline.ts";
import { deinterlaceFilters } from "./picture-filters.ts";

/** Frames decoded before a chunk of re-timed frames, so that its first frame has a predecessor to repeat. */
const RETIME_PREROLL_SEGMENTS = 1;
/** Frames of the master before a deinterlaced chunk: bwdif looks one frame back, and guesses without it. */
const DEINTERLACE_PREROLL = 4;

/** Their first times after a seek may be guesses. */
const UNINDEXED_LEAD_MICROS = 2_000_000;

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

/** The time on the file's own clock that is decoded for these frames; null where it must be read from its beginning. */
export function entryWindow(source: Source, plan: Plan, frames: FrameRange): TimeWindow | null {
  if (!canSeek(source)) return null;
  const { num, den } = plan.timeline.frameRate;
  const { startSeconds } = source.video;
  const endSeconds = startSeconds + ((frames.firstFrame + frames.frameCount) * den) / num;
  if (startsOnKeyframe(source, plan, frames)) {
    const asked = (microsOf(plan, frames.firstFrame) + marginMicros(source)) / 1e6;
    return { startSeconds: startSeconds + asked, endSeconds, isExact: true };
  }
  const seekMicros = seekPosition(source, plan, firstDecodedMicros(plan, frames)) ?? 0;
  return { startSeconds: startSeconds + seekMicros / 1e6, endSeconds };
}

/** What is read of a transport stream for these frames; null where it is not known where it can be entered. */
export function entrySpan(source: Source, plan: Plan, frames: FrameRange): StreamSpan | null {
  const { num, den } = plan.timeline.frameRate;
  const endSeconds = ((frames.firstFrame + frames.frameCount) * den) / num;
  return streamSpan(source, firstDecodedSeconds(plan, frames), endSeconds);
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
 * Where a programme stream leaves times out, ffmpeg's guesses after a seek are frames off, and differ from place
 * to place: then frames are counted from the file's beginning, which costs decoding but is right.
 */
function canSeek({ container, video }: Source): boolean {
  return container !== "mpeg" || video.hasAllTimes;
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

/** A quarter of a frame on either side: what stands on a border to a tick. A frame that is placed needs none before it where it is there itself. */
function startsOnKeyframe(source: Source, plan: Plan, { firstFrame }: FrameRange): boolean {
  const { container, video } = source;
  if (plan.timing === "retime" || plan.picture.deinterlace !== "none" || firstFrame <= 0) return false;
  // Of other containers not every keyframe that is known is in the index that ffmpeg goes by, or it has none: there nothing is gained.
  const isListed = container.split(",").includes("mov");
  if (!isListed && (video.isReckoned !== true || !isIndexed(source))) return false;
  const margin = marginMicros({ video });
  const firstMicros = microsOf(plan, firstFrame);
  return video.keyframeSeconds.some((time) => Math.abs(time * 1e6 - firstMicros) <= margin);
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

function prerollFrames({ timing, timeline, picture }: Plan): number {
  if (timing === "retime") return RETIME_PREROLL_SEGMENTS * timeline.framesPerSegment;
  if (picture.deinterlace === "none") return 0;
  return DEINTERLACE_PREROLL * (picture.deinterlace === "fields" ? 2 : 1);
}

/** When the first frame is shown that is used of the picture, from the first of all. */
export function firstDecodedSeconds(plan: Plan, frames: FrameRange): number {
  return firstDecodedMicros(plan, frames) / 1e6;
}

/** The first frame of the picture that is used: the chunk's own, or one before it that the filters look at. */
function firstDecodedMicros(plan: Plan, { firstFrame }: FrameRange): number {
  return microsOf(plan, firstFrame - Math.min(firstFrame, prerollFrames(plan)));
}

function microsOf({ timeline }: Plan, frame: number): number {
  const { num, den } = timeline.frameRate;
  return Math.round((frame * den * 1e6) / num);
}

/**
 * How far from a frame's time ffmpeg is sent, so that a tick does not count: a quarter of a frame. It counts from there in the
 * container's ticks, and where one of these is a whole frame (MXF, AVI, some QuickTime) half a frame would be rounded either way.
 */
function marginMicros({ video }: Pick<Source, "video">): number {
  return Math.round((video.frameRate.den * 1e6) / (4 * video.frameRate.num));
}

/** Half a frame of the master. */
function halfFrameMicros({ video }: Source): number {
  return Math.round((video.frameRate.den * 1e6) / (2 * video.frameRate.num));
}

/**
 * Where ffmpeg is to begin, from the first picture; null for the beginning of the file. Counted and placed frames: a little
 * early, since a border frame whose time is a tick too small would be lost by an exact seek. Re-timed
 * frames keep their times, so there the seek is exact. Without an index: at a keyframe whose place was noted, so that a decoder
 * sees nothing that it could complain of, or else two seconds and a whole group of pictures early.
 */
function seekPosition(source: Source, plan: Plan, firstMicros: number): number | null {
  if (firstMicros <= 0 || !canSeek(source)) return null;
  if (isIndexed(source)) return plan.timing === "retime" ? firstMicros : firstMicros - marginMicros(source);
  const { entries, keyframeSeconds } = source.video;
  if (entries !== undefined) {
    const entry = entryBefore(entries, keyframeSeconds, firstMicros / 1e6);
    return entry === null ? null : Math.round(seekSeconds(entries, entry) * 1e6);
  }
  const before = keyframeSeconds.filter((time) => time * 1e6 <= firstMicros - UNINDEXED_LEAD_MICROS);
  const position = Math.round((before.at(-2) ?? 0) * 1e6) - marginMicros(source);
  return position <= 0 ? null : position;
}

/**
 * Leaves out what was decoded before the chunk's first frame, which stands `reachedMicros` after what was asked for; also before it, where ffmpeg
 * itself `keepsAll`.
 */
function skipFilters(plan: Plan, reachedMicros: number, slackMicros: number, keepsAll: boolean): string[] {
  // The slack keeps a frame whose time is a tick too small.
  const from = reachedMicros - slackMicros;
  const skip = from > 0 || keepsAll ? [`trim=start=${from < 0 ? "-" : ""}${micros(Math.abs(from))}`] : [];
  // Re-timed frames are placed by their own times, which must count from the chunk's first.
  return [...skip, ...(plan.timing !== "count" && reachedMicros !== 0 ? [shiftFilter(reachedMicros)] : [])];
}

/** Has times count from so long after what was asked for, or before it. */
function shiftFilter(micro: number): string {
  return `setpts=PTS${micro < 0 ? "+" : "-"}${micros(Math.abs(micro))}/TB`;
}

/** Times made exact: counted as they come, or put to the nearest place. */
function timingFilters({ timeline, timing }: Plan, preroll: number): string[] {
  const { num, den } = timeline.frameRate;
  // States the exact rate to the encoders; the frames already stand where it would put them.
  const rate = `fps=${num}/${den}`;
  const finish = [
    ...(preroll > 0 ? [`trim=start_frame=${preroll}`] : []),
    `settb=${den}/${num}`,
    "setpts=N",
    rate,
  ];
  if (timing === "count") return finish;
  return [
    `${rate}:start_time=0`,
    // The last frame stands until the end of the timeline, which was rounded to whole frames.
    `tpad=stop_mode=clone:stop=${timeline.framesPerKeyframe}`,
    ...finish,
  ];
}

function micros(value: number): string {
  return secondsText(value, 1_000_000, 6);
}
