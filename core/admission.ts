import type { Speed, VideoCodec } from "./encoding.ts";
import { encodedPart, type Ladder } from "./ladder.ts";
import type { Plan } from "./plan.ts";
import { trialLadders } from "./title-analysis.ts";
import type { TaskSpec } from "./work.ts";

/**
 * What a worker takes on at once: never more than its memory holds. Pure but for what it remembers; times are given.
 */

const MEBIBYTE = 2 ** 20;
/** Anything that is no encode of a picture: a decoder, some buffers. */
const SMALL_TASK_BYTES = 256 * MEBIBYTE;
/**
 * Of one encode in all rungs of a ladder, from what the kernel counted: in H.264 500 MB at 1080p, in HEVC and AV1 1 GB
 * there and 2.6 GB at 2160p (docs/operations.md). A part is there whatever the size, the rest grows with the samples.
 */
const ENCODER_BYTES: Record<VideoCodec, number> = {
  h264: 128 * MEBIBYTE,
  hevc: 560 * MEBIBYTE,
  av1: 560 * MEBIBYTE,
};
const BYTES_PER_SAMPLE = 128;
/**
 * In H.264 the slower speeds look twice as far ahead, and hold every frame in between: 800 MB at 1080p. A recent AV1 keeps more of each
 * frame the harder it tries: 1.1 GB at 1080p, 2.9 GB at 2160p.
 */
const BYTES_PER_SAMPLE_AHEAD: Record<VideoCodec, Record<Speed, number>> = {
  h264: { fast: 0, balanced: 72, small: 72 },
  hevc: { fast: 0, balanced: 0, small: 0 },
  av1: { fast: 0, balanced: 8, small: 24 },
};

/** What a task holds in memory at its peak, roughly. `isTried`: an analysis has trials to make, and not only a master to look into. */
export function memoryOf(
  { kind, part }: Pick<TaskSpec, "kind" | "part">,
  plan: Pick<Plan, "ladders" | "speed"> | null,
  isTried = true,
): number {
  if (plan === null) return SMALL_TASK_BYTES;
  const { ladders, speed } = plan;
  // The trials of one codec after another, each in all its rungs at once.
  if (kind === "analyse" && isTried)
    return Math.max(SMALL_TASK_BYTES, ...ladders.map((one) => trialBytes(one, speed)));
  const ladder = ladders.find(({ id }) => id === part);
  if (kind !== "video" || ladder === undefined) return SMALL_TASK_BYTES;
  return encodeBytes(encodedPart(ladder), speed);
}

function trialBytes({ codec, rungs: [top] }: Ladder, speed: Speed): number {
  if (top === undefined) return 0;
  const { halves, wholes } = trialLadders(top.width, top.height, codec);
  return encodeBytes({ codec, rungs: [...halves.rungs, ...wholes.rungs] }, speed);
}

function encodeBytes({ codec, rungs }: Pick<Ladder, "codec" | "rungs">, speed: Speed): number {
  const bytesPerSample = BYTES_PER_SAMPLE + BYTES_PER_SAMPLE_AHEAD[codec][speed];
  return ENCODER_BYTES[codec] + bytesPerSample * samplesOf(rungs);
}

function samplesOf(rungs: Ladder["rungs"]): number {
  return rungs.reduce((sum, { width, height }) => sum + width * height, 0);
}

/** What the largest task holds that is planned of a picture of 3840×2160: in AV1, at the slowest speed. */
export const LARGEST_TASK_BYTES = 2_880 * MEBIBYTE;
/** Of one fetch: two parts of at most 64 MiB, and as much again that is sent and not yet given back (docs/decisions/pull-ingest.md). */
const FETCH_BYTES = 256 * MEBIBYTE;

/**
 * What of a worker's memory is set aside for fetches, and for how many of the wanted `slots`, so that none of them is in the way of
 * an encode for as long as somebody's slow server takes. The largest task keeps its room; beside it one is fetched in any
 * case, as the worker's own share has room for the small parts of most.
 */
export function setAsideForFetches(limitBytes: number, slots: number): { slots: number; bytes: number } {
  const spareBytes = Math.max(0, limitBytes - LARGEST_TASK_BYTES);
  const fitting = Math.min(slots, Math.floor(spareBytes / FETCH_BYTES));
  return { slots: Math.max(1, fitting), bytes: fitting * FETCH_BYTES };
}

/** A worker's memory, and who holds how much of it. */
export interface Room {
  /**
   * Takes room for a task; false where it must wait, and then nothing is taken. One that `passes`, since a person waits
   * for it, goes in before those that wait for room.
   */
  enter(taskId: string, bytes: number, nowSeconds: number, passes?: boolean): boolean;
  leave(taskId: string): void;
}

/** Room is kept for a task that found too little for so long after it last asked. */
const KEPT_SECONDS = 10;

/**
 * Small tasks would for ever slip in before a large one: while one waits, nobody else is let in. What is larger than
 * everything is left to other workers when it first asks, and runs alone after that.
 */
export function openRoom(limitBytes: number): Room {
  const held = new Map<string, number>();
  const refusedOnce = new Set<string>();
  let waiting: { taskId: string; askedAtSeconds: number } | null = null;
  return {
    enter(taskId, bytes, nowSeconds, passes = false) {
      if (waiting !== null && nowSeconds - waiting.askedAtSeconds > KEPT_SECONDS) waiting = null;
      if (waiting !== null && waiting.taskId !== taskId && !passes) return false;
      const isTooLarge = bytes > limitBytes;
      if (isTooLarge && !refusedOnce.has(taskId)) {
        refusedOnce.add(taskId);
        return false;
      }
      const heldBytes = [...held.values()].reduce((sum, one) => sum + one, 0);
      if (held.size > 0 && heldBytes + bytes > limitBytes) {
        waiting ??= { taskId, askedAtSeconds: nowSeconds };
        if (waiting.taskId === taskId) waiting.askedAtSeconds = nowSeconds;
        return false;
      }
      if (waiting?.taskId === taskId) waiting = null;
      refusedOnce.delete(taskId);
      held.set(taskId, bytes);
      return true;
    },
    leave(taskId) {
      held.delete(taskId);
    },
  };
}
