/**
 * The parts of a long film that are looked at, and read back from storage, side by side and while the rest of it is still being
 * encoded. A part is a run of chunks by their numbers alone: which chunks one waits for is known without the plan.
 */

/** Some three minutes: the start of a process is nothing beside it, and two hours are spread over dozens of workers. */
export const CHUNKS_PER_PART = 16;
/** Below six minutes or so a part's own process and what is done twice for it cost more than anybody would gain. */
const CHUNKS_WORTH_PARTS = 2 * CHUNKS_PER_PART;

/** Chunks from `first` up to `end`, which is not one of them. */
export interface ChunkSpan {
  first: number;
  end: number;
}

/** Parts of a film of so many chunks; 1 where it is taken in one piece. */
export function partCount(chunks: number): number {
  return chunks <= CHUNKS_WORTH_PARTS ? 1 : Math.ceil(chunks / CHUNKS_PER_PART);
}

/** The chunks of a part. The last one may have fewer. */
export function chunksOf(part: number): ChunkSpan {
  return { first: part * CHUNKS_PER_PART, end: (part + 1) * CHUNKS_PER_PART };
}

/** The chunks that are looked at for a part: its own and the one before, whose last segment it begins with. */
export function chunksLookedAt(part: number): ChunkSpan {
  const { first, end } = chunksOf(part);
  return { first: Math.max(0, first - 1), end };
}

/** The chunks that some part needs together with this one. */
export function chunksSeenWith(chunk: number): ChunkSpan {
  const own = Math.floor(chunk / CHUNKS_PER_PART);
  const { first } = chunksLookedAt(own);
  return { first, end: chunksOf(isLastOfPart(chunk) ? own + 1 : own).end };
}

/** Whether a part can be read back or looked at now that this chunk is done, when of those needed with it these are open. */
export function completesPart(chunk: number, open: readonly number[]): boolean {
  const own = Math.floor(chunk / CHUNKS_PER_PART);
  // Whoever can look at a part can read it back, too; its last chunk is seen by the next one.
  const needed = [chunksOf(own), ...(isLastOfPart(chunk) ? [chunksLookedAt(own + 1)] : [])];
  return needed.some((span) => !open.some((other) => isWithin(other, span)));
}

/** Whether a chunk is one of a span. */
export function isWithin(chunk: number, { first, end }: ChunkSpan): boolean {
  return chunk >= first && chunk < end;
}

function isLastOfPart(chunk: number): boolean {
  return (chunk + 1) % CHUNKS_PER_PART === 0;
}
