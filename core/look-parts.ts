import { chunksOf, partCount } from "./film-parts.ts";
import type { Plan } from "./plan.ts";
import { toNumber } from "./rational.ts";
import { chunkFrames, segmentFrames, type Timeline } from "./timeline.ts";

/** How a long film is looked at in parts (core/film-parts.ts): which frames for each, and what it costs. */

/** CPU seconds for each of the smallest rung that is decoded and looked at, and for the process that does it (docs/performance.md). */
const LOOK_COST = 0.012;
const FIXED_LOOK = 0.2;
/** A few frames of the largest rung. */
const COMBING_COST = 0.5;

/** What is looked at for one part: segments, and frames of the film. */
export interface LookSpan {
  firstSegment: number;
  endSegment: number;
  /** The frame that it begins with, a segment before the first one that it answers for. */
  from: number;
  first: number;
  end: number;
}

/** The whole film in one piece. */
export function wholeFilm({ timeline, chunks }: Pick<Plan, "timeline" | "chunks">): LookSpan {
  return spanOf(timeline, chunks);
}

/** One of its parts. */
export function lookSpan({ timeline, chunks }: Pick<Plan, "timeline" | "chunks">, part: number): LookSpan {
  const { first, end } = chunksOf(part);
  return spanOf(timeline, chunks.slice(first, end));
}

function spanOf(timeline: Timeline, chunks: Plan["chunks"]): LookSpan {
  const [begin, last] = [chunks[0]!, chunks.at(-1)!];
  // What moves, turns dark or flashes over a border shows by what came before.
  const firstSegment = Math.max(0, begin.firstSegment - 1);
  const { firstFrame, frameCount } = chunkFrames(timeline, last);
  return {
    firstSegment,
    endSegment: last.firstSegment + last.segmentCount,
    from: segmentFrames(timeline, firstSegment).firstFrame,
    first: chunkFrames(timeline, begin).firstFrame,
    end: firstFrame + frameCount,
  };
}

/** What each part costs, in seconds of one core; none where the inspection looks at the film in one piece. */
export function lookWeights(plan: Pick<Plan, "timeline" | "chunks">): number[] {
  const parts = partCount(plan.chunks.length);
  if (parts === 1) return [];
  return Array.from({ length: parts }, (_, part) => lookCost(plan.timeline, lookSpan(plan, part)));
}

/** What the inspection costs that comes after all parts, or looks at the film itself. */
export function inspectWeight(plan: Pick<Plan, "timeline" | "chunks">): number {
  const isInOnePiece = partCount(plan.chunks.length) === 1;
  return COMBING_COST + (isInOnePiece ? lookCost(plan.timeline, wholeFilm(plan)) : 0);
}

function lookCost({ frameRate }: Timeline, { from, end }: LookSpan): number {
  return FIXED_LOOK + (LOOK_COST * (end - from)) / toNumber(frameRate);
}
