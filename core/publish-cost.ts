import { chunksOf, partCount } from "./film-parts.ts";
import { allRungs, type Plan } from "./plan.ts";
import { toNumber } from "./rational.ts";
import { chunkFrames, segmentCount } from "./timeline.ts";

/** Playlists, the gate and a little of every track played. */
const FIXED_SECONDS = 0.5;
/** What is read back: CPU seconds for a segment, and for each of its bytes (docs/performance.md). */
const SEGMENT_SECONDS = 0.002;
const BYTE_SECONDS = 4e-9;
/** A task of its own. */
const FIXED_READ_SECONDS = 0.05;
/** Listing it, taking over what is known of it, naming it in playlists and judging it: CPU seconds for a segment. */
const GATE_SEGMENT_SECONDS = 0.0002;
/** What comes out of an encode, of what its caps allow. */
const SHARE_OF_CAP = 0.6;

type Planned = Pick<Plan, "timeline" | "ladders" | "audio" | "subtitles" | "chunks">;

/** What publishing costs, in seconds of one core, roughly: what is read back in parts before is none of it. */
export function publishWeight(plan: Planned): number {
  const tracks = allRungs(plan).length + plan.audio.length + plan.subtitles.length;
  const gateSeconds = GATE_SEGMENT_SECONDS * segmentCount(plan.timeline) * tracks;
  const readSeconds = isInOnePiece(plan) ? everythingRead(plan).reduce((sum, one) => sum + one.weight, 0) : 0;
  return FIXED_SECONDS + gateSeconds + readSeconds;
}

/** One part that is read back by itself: of a ladder the chunks of one part of the film, or a whole sound or text. */
export interface ReadTask {
  /** The ladder's id, or the track's. */
  part: string;
  chunk: number;
  /** In seconds of one core, roughly. */
  weight: number;
}

/** The parts in which a long film is read back; none where its publication reads it in one piece. */
export function readTasks(plan: Planned): ReadTask[] {
  if (isInOnePiece(plan)) return [];
  return everythingRead(plan).map((one) => ({ ...one, weight: FIXED_READ_SECONDS + one.weight }));
}

function isInOnePiece({ chunks }: Planned): boolean {
  return partCount(chunks.length) === 1;
}

function everythingRead(plan: Planned): ReadTask[] {
  const { timeline, chunks, ladders, audio, subtitles } = plan;
  const parts = Array.from({ length: partCount(chunks.length) }, (_, part) => {
    const { first, end } = chunksOf(part);
    return isInOnePiece(plan) ? chunks : chunks.slice(first, end);
  });
  const whole = SEGMENT_SECONDS * segmentCount(timeline);
  return [
    ...ladders.flatMap(({ id, rungs }) => {
      const bitsPerSecond = SHARE_OF_CAP * rungs.reduce((sum, { maxBitrateBps }) => sum + maxBitrateBps, 0);
      return parts.map((own, chunk) => {
        const segments = own.reduce((sum, { segmentCount: count }) => sum + count, 0) * rungs.length;
        const frames = own.reduce((sum, one) => sum + chunkFrames(timeline, one).frameCount, 0);
        const bytes = ((bitsPerSecond / 8) * frames) / toNumber(timeline.frameRate);
        return { part: id, chunk, weight: SEGMENT_SECONDS * segments + BYTE_SECONDS * bytes };
      });
    }),
    ...[...audio, ...subtitles].map(({ id }) => ({ part: id, chunk: 0, weight: whole })),
  ];
}
