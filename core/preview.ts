import { PREVIEW_FOLDER, packagePrefix, segmentName, trackFolder } from "./keys.ts";
import { buildLadder, type Ladder, type Rung } from "./ladder.ts";
import type { Plan } from "./plan.ts";
import type { AudioTrack } from "./plan-sounds.ts";
import { isIndexed, type Source } from "./source.ts";
import {
  audioSegmentFrames,
  type Chunk,
  chunkFrames,
  type FrameRange,
  segmentCount,
  type Timeline,
  timelineSeconds,
} from "./timeline.ts";

/**
 * A film before it is ready: one modest rung on a grid of two-second cells of its own, made piece by piece as somebody
 * watches. Its playlists list the whole grid from the start (docs/decisions/preview.md).
 */

/** Its one ladder and rung: also the folder of its cells below `preview/video/`. */
const RUNG_ID = "360p";
const LARGEST_SHORT_SIDE = 360;
/** A third of veryfast's CPU; the picture is for looking in, and it goes away. */
const PRESET = "ultrafast";
/** Cells in the first units, and in every further one: first a picture at once, then no more than two seconds' work. */
const FIRST_UNITS = [1, 1];
const UNIT_CELLS = 2;
/** Made without being asked for: enough for a player to begin with, and little CPU where nobody looks. */
const EAGER_UNITS = 5;
/** Of a short film even that would be a large part: beyond the first unit, no more than this. */
const EAGER_SHARE = 0.1;
/** A film shorter than this is ready about as soon as its preview would be. */
const SHORTEST_SECONDS = 24;
/** Units made beyond the one that is waited for: whoever came there goes on from there. */
const AHEAD_UNITS = 3;
/** AAC frames before a unit's first that are encoded and thrown away: what the encoder's state remembers. */
const AUDIO_PREROLL_FRAMES = 4;

export interface Preview {
  /** The film's plan with the preview's grid: the same recipe makes its cells. Its chunks are the units. */
  plan: Plan;
  ladder: Ladder;
  rung: Rung;
  /** The sound that goes with it; null where the film has none of its own that can be entered anywhere. */
  sound: AudioTrack | null;
}

/** The preview of a film, from what was found and planned: in software, since any worker may be the one that is asked. */
export function previewOf({ hardware: _hardware, ...plan }: Plan, source: Source): Preview {
  const timeline = { ...plan.timeline, framesPerSegment: plan.timeline.framesPerKeyframe };
  const rung = modestRung(source);
  const ladder: Ladder = { id: "preview", codec: "h264", range: "SDR", rungs: [rung] };
  const sound = plan.audio.find(({ file, channels }) => file === null && channels === 2) ?? null;
  return {
    plan: { ...plan, preset: PRESET, timeline, ladders: [ladder], chunks: units(timeline) },
    ladder,
    rung,
    sound: isIndexed(source) ? sound : null,
  };
}

/** Whether cells of two previews of one film go together: whatever else has been found out since, the same frames stand in the same places. */
export function areOfOneGrid(one: Preview, another: Preview): boolean {
  return gridOf(one) === gridOf(another);
}

function gridOf({ plan, rung, sound }: Preview): string {
  const { timeline, timing, picture } = plan;
  // Frames that are counted and those that are placed are the same where none is missing.
  return JSON.stringify([timeline, timing === "retime", picture, rung, sound]);
}

function modestRung({ video }: Source): Rung {
  const rungs = buildLadder(video.width, video.height);
  const isModest = ({ width, height }: Rung): boolean => Math.min(width, height) <= LARGEST_SHORT_SIDE;
  return { ...(rungs.find(isModest) ?? rungs.at(-1)!), id: RUNG_ID };
}

function units(timeline: Timeline): Chunk[] {
  const cells = segmentCount(timeline);
  const made: Chunk[] = [];
  for (let firstSegment = 0; firstSegment < cells; firstSegment += made.at(-1)!.segmentCount) {
    const wanted = FIRST_UNITS[made.length] ?? UNIT_CELLS;
    made.push({ index: made.length, firstSegment, segmentCount: Math.min(wanted, cells - firstSegment) });
  }
  return made;
}

/** The units that are made of every film of some length as soon as it is planned. */
export function eagerUnits(timeline: Timeline): number[] {
  if (timelineSeconds(timeline) < SHORTEST_SECONDS) return [];
  const grid = { ...timeline, framesPerSegment: timeline.framesPerKeyframe };
  const share = segmentCount(grid) * EAGER_SHARE;
  return units(grid)
    .slice(0, EAGER_UNITS)
    .filter((unit) => unit.index === 0 || unit.firstSegment + unit.segmentCount <= share)
    .map(({ index }) => index);
}

/** The unit that makes a cell, and those that are made after it unasked; none where the grid has no such cell. */
export function unitsFor(timeline: Timeline, cell: number): number[] {
  const all = units({ ...timeline, framesPerSegment: timeline.framesPerKeyframe });
  const at = all.findIndex(
    ({ firstSegment, segmentCount: count }) => cell >= firstSegment && cell < firstSegment + count,
  );
  return at < 0 ? [] : all.slice(at, at + 1 + AHEAD_UNITS).map(({ index }) => index);
}

/** Seconds of film in a unit. */
export function unitSeconds({ plan }: Preview, unit: Chunk): number {
  const { timeline } = plan;
  return (chunkFrames(timeline, unit).frameCount * timeline.frameRate.den) / timeline.frameRate.num;
}

/** The AAC frames of every cell in a unit, and where encoding begins so that they come out as if all had been encoded. */
export function soundOfUnit(
  { plan }: Preview,
  unit: Chunk,
  sampleRateHz: number,
  samplesPerFrame: number,
): { cells: FrameRange[]; startFrame: number; endFrame: number } {
  const all = audioSegmentFrames(plan.timeline, sampleRateHz, samplesPerFrame);
  const cells = all.slice(unit.firstSegment, unit.firstSegment + unit.segmentCount);
  const first = cells[0]!.firstFrame;
  const last = cells.at(-1)!;
  return {
    cells,
    startFrame: Math.max(0, first - AUDIO_PREROLL_FRAMES),
    endFrame: last.firstFrame + last.frameCount,
  };
}

const CELL = /^([^/]+)\/([^/]+)\/preview\/(video|audio)\/([^/]+)\/(\d{5})\.m4s$/;

/** Which cell of whose preview a key in the media bucket is; null where it is none. */
export function previewCellOf(key: string): { assetId: string; generation: string; cell: number } | null {
  const [, assetId, generation, , , cell] = CELL.exec(key) ?? [];
  if (assetId === undefined || generation === undefined) return null;
  return { assetId, generation, cell: Number(cell) };
}

/** Where a cell of the picture lies. */
export function previewCellKey(assetId: string, generation: string, cell: number): string {
  const folder = packagePrefix(assetId, generation) + PREVIEW_FOLDER;
  return folder + trackFolder("video", RUNG_ID) + segmentName(cell);
}
