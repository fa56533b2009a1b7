import { toNumber } from "./rational.ts";
import { type Chunk, segmentCount, type Timeline, timelineSeconds } from "./timeline.ts";

/**
 * Where a title is cut into chunks: at borders of segments that stand at or just behind keyframes of the master, since
 * everything between the keyframe before a chunk and its start is decoded and thrown away.
 */

/** 12 s of picture: below that the rate control pays at every border (docs/decisions/chunks.md). */
const NOMINAL_SEGMENTS = 2;
/** Up to 30 s by the segment: more is lost with a worker, and fewer cores find work. Minutes only where keyframes are as rare. */
const LENGTHS = [2, 1, 3, 4, 5, 10, 20, 50];
/** CPU seconds, measured for five rungs of 1080p: to start a process, and to decode one second that is thrown away. */
const START_COST = 0.2;
const PREROLL_COST_PER_SECOND = 0.35;
/** What a segment more or less than nominal costs in lost spread, in the same coin: worth about a second of decoding. */
const LENGTH_COST_PER_SEGMENT = 0.3;
/** Beyond so many each costs more, by these shares for every further one: the first with which little enough is thrown away. */
const USUAL_SEGMENTS = 5;
const GROWTHS = [1 / 10, 1 / 20, 1 / 40, 0];
/** Of the film, what may be decoded for nothing so that no chunk grows to minutes. */
const LARGEST_PREROLL_SHARE = 0.1;
/** A keyframe this near to a border, in frames, stands on it. */
const ALIGNED_FRAMES = 0.25;

/**
 * The chunks, in order, covering every segment once: the choice of starts that costs least. Where
 * nothing is gained by another length they are of two. A tail shorter than half a segment joins the chunk before it:
 * starting a process for a few frames costs more than encoding them. `keyframeSeconds` count from the first frame, ascending.
 */
export function chooseChunks(timeline: Timeline, keyframeSeconds: readonly number[]): Chunk[] {
  const segments = segmentCount(timeline);
  const tailFrames = timeline.frameCount - (segments - 1) * timeline.framesPerSegment;
  const joinsTail = segments > 1 && tailFrames * 2 < timeline.framesPerSegment;
  const counted = joinsTail ? segments - 1 : segments;
  const prerolls = Array.from({ length: counted }, (_, segment) =>
    prerollSeconds(timeline, keyframeSeconds, segment),
  );
  const starts = shortestStarts(prerolls, LARGEST_PREROLL_SHARE * timelineSeconds(timeline));
  return starts.map((firstSegment, index) => ({
    index,
    firstSegment,
    segmentCount: (starts[index + 1] ?? segments) - firstSegment,
  }));
}

/** Seconds of the master that are decoded for nothing where a chunk starts with this segment. */
export function prerollSeconds(
  timeline: Timeline,
  keyframeSeconds: readonly number[],
  segment: number,
): number {
  const frameSeconds = 1 / toNumber(timeline.frameRate);
  const start = segment * timeline.framesPerSegment * frameSeconds;
  const keyframe = lastAtMost(keyframeSeconds, start + ALIGNED_FRAMES * frameSeconds);
  return Math.max(0, start - (keyframe ?? 0));
}

function lastAtMost(ascending: readonly number[], most: number): number | undefined {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! <= most) low = middle + 1;
    else high = middle;
  }
  return ascending[low - 1];
}

/** Starts of chunks as short as they may be for so much thrown away at most; as long as it takes where that cannot be. */
function shortestStarts(prerolls: readonly number[], mostSeconds: number): number[] {
  const wasted = (starts: readonly number[]): number =>
    starts.reduce((sum, segment) => sum + prerolls[segment]!, 0);
  let starts: number[] = [];
  for (const growth of GROWTHS) {
    starts = cheapestStarts(prerolls, growth);
    if (wasted(starts) <= mostSeconds) break;
  }
  return starts;
}

/** By dynamic programming from the end: `cost[s]` is the least that everything from segment `s` on can cost. */
function cheapestStarts(prerolls: readonly number[], growth: number): number[] {
  const segments = prerolls.length;
  const cost = new Float64Array(segments + 1);
  const length = new Uint8Array(segments + 1);
  for (let start = segments - 1; start >= 0; start--) {
    const own = START_COST + PREROLL_COST_PER_SECOND * prerolls[start]!;
    cost[start] = Number.POSITIVE_INFINITY;
    for (const count of LENGTHS) {
      if (start + count > segments) continue;
      const total = own + lengthCost(count, growth) + cost[start + count]!;
      // Equal costs: the length that stands first, so that the choice is the same everywhere.
      if (total < cost[start]! - 1e-9) {
        cost[start] = total;
        length[start] = count;
      }
    }
  }
  const starts: number[] = [];
  for (let start = 0; start < segments; start += length[start]!) starts.push(start);
  return starts;
}

function lengthCost(segments: number, growth: number): number {
  const beyond = Math.max(0, segments - USUAL_SEGMENTS);
  return LENGTH_COST_PER_SEGMENT * Math.abs(segments - NOMINAL_SEGMENTS) * (1 + growth * beyond);
}
