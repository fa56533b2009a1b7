import type { Plan } from "./plan.ts";
import { toNumber } from "./rational.ts";
import { chunkFrames, segmentFrames, type Timeline } from "./timeline.ts";

/**
 * The parts in which a long film is looked at, side by side and while the rest of it is still being encoded. A part is a run of
 * chunks by their numbers alone: which chunks one waits for is known without the plan.
 */

/** Some three minutes: the start of a process is nothing beside it, and two hours are spread over dozens of workers. */
export const CHUNKS_PER_LOOK = 16;
/** Below six minutes or so a part's own process and the repeated segment cost more than anybody would gain. */
const CHUNKS_WORTH_PARTS = 2 * CHUNKS_PER_LOOK;

/** CPU seconds for each of the smallest rung that is decoded and looked at, and for the process that does it (docs/performance.md). */
const LOOK_COST = 0.012;
const FIXED_LOOK = 0.2;
/** A few frames of the largest rung. */
const COMBING_COST = 0.5;

/** Chunks from `first` up to `end`, which is not one of them. */
export interface ChunkSpan {
  first: number;
  end: number;
}

/** Parts of a film of so many chunks; 1 where it is looked at in one piece. */
export function lookCount(chunks: number): number {
  return chunks <= CHUNKS_WORTH_PARTS ? 1 : Math.ceil(chunks / CHUNKS_PER_LOOK);
}

/** The chunks that a part looks at: its own and the one before, whose last segment it begins with. */
export function chunksLookedAt(part: number): ChunkSpan {
  return { first: Math.max(0, part * CHUNKS_PER_LOOK - 1), end: (part + 1) * CHUNKS_PER_LOOK };
}

/** The chunks that some part looks at together with this one. */
export function chunksSeenWith(chunk: number): ChunkSpan {
  const parts = partsWith(chunk).map(chunksLookedAt);
  return { first: parts[0]!.first, end: parts.at(-1)!.end };
}

/** Whether a part can be looked at now that this chunk is done, when of those seen with it these are open. */
export function completesLook(chunk: number, open: readonly number[]): boolean {
  return partsWith(chunk)
    .map(chunksLookedAt)
    .some(({ first, end }) => !open.some((other) => other >= first && other < end));
}

/** The last chunk of a part is seen by the next one too. */
function partsWith(chunk: number): number[] {
  const own = Math.floor(chunk / CHUNKS_PER_LOOK);
  return (chunk + 1) % CHUNKS_PER_LOOK === 0 ? [own, own + 1] : [own];
}

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
  return spanOf(timeline, chunks.slice(part * CHUNKS_PER_LOOK, (part + 1) * CHUNKS_PER_LOOK));
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
  const parts = lookCount(plan.chunks.length);
  if (parts === 1) return [];
  return Array.from({ length: parts }, (_, part) => lookCost(plan.timeline, lookSpan(plan, part)));
}

/** What the inspection costs that comes after all parts, or looks at the film itself. */
export function inspectWeight(plan: Pick<Plan, "timeline" | "chunks">): number {
  const isInOnePiece = lookCount(plan.chunks.length) === 1;
  return COMBING_COST + (isInOnePiece ? lookCost(plan.timeline, wholeFilm(plan)) : 0);
}

function lookCost({ frameRate }: Timeline, { from, end }: LookSpan): number {
  return FIXED_LOOK + (LOOK_COST * (end - from)) / toNumber(frameRate);
}
