import type { VideoCodec } from "./encoding.ts";
import type { FailureClass } from "./errors.ts";
import type { AssetRecord, TaskKind, TaskRecord } from "./records.ts";
import { chunkFrames } from "./timeline.ts";

/** A task as the state of its asset calls for it, before anyone has worked on it. */
export interface TaskSpec {
  id: string;
  kind: TaskKind;
  part: string;
  chunk: number;
  /** Share of the asset's work, in seconds of one core: only the proportions matter. */
  weight: number;
}

/** Rough costs from measured baselines, in CPU seconds per second of picture. */
const VIDEO_COST: Record<VideoCodec, number> = { h264: 2.2, hevc: 5, av1: 3 };
/** Two passes: one measures, one encodes. */
const AUDIO_COST = 0.05;
const FIXED_COST = 0.5;
/** The part of a task that there is one of. */
const WHOLE = "all";

/**
 * The tasks that an asset in this state needs, all of them: what has no record yet is missing. The queue is
 * rebuilt from this and nothing else. The publishing task appears with the rest and waits for them.
 */
export function tasksOf(asset: AssetRecord): TaskSpec[] {
  if (asset.state === "queued" || asset.state === "probing") {
    const id = taskId(asset._id, "source", "probe", WHOLE, 0);
    return [{ id, kind: "probe", part: WHOLE, chunk: 0, weight: FIXED_COST }];
  }
  const { plan, generation } = asset;
  if (asset.state !== "encoding" || plan === null || generation === null) return [];
  const seconds = (frames: number): number =>
    (frames * plan.timeline.frameRate.den) / plan.timeline.frameRate.num;
  const spec = (kind: TaskKind, part: string, chunk: number, weight: number): TaskSpec => ({
    id: taskId(asset._id, generation, kind, part, chunk),
    kind,
    part,
    chunk,
    weight,
  });
  return [
    ...plan.ladders.flatMap((ladder) =>
      plan.chunks.map((chunk) => {
        const frames = chunkFrames(plan.timeline, chunk).frameCount;
        return spec("video", ladder.id, chunk.index, VIDEO_COST[ladder.codec] * seconds(frames));
      }),
    ),
    ...plan.audio.map((track) => spec("audio", track.id, 0, AUDIO_COST * seconds(plan.timeline.frameCount))),
    spec("images", WHOLE, 0, FIXED_COST),
    spec("publish", WHOLE, 0, FIXED_COST),
  ];
}

/** `<assetId>.<generation or "source">.<kind>.<part>.<chunk>`: an id that the queue accepts as a job's id too. */
export function taskId(
  assetId: string,
  generation: string,
  kind: TaskKind,
  part: string,
  chunk: number,
): string {
  return `${assetId}.${generation}.${kind}.${part}.${chunk}`;
}

/** Pictures are taken from what was encoded, so they come after it. */
function mustWaitFor(kind: TaskKind, other: TaskKind): boolean {
  if (kind === "publish") return other !== "publish" && other !== "probe";
  return kind === "images" && other === "video";
}

/** Whether a task may be offered to the workers now: `images` when all video is done, `publish` when all others are. */
export function isOffered(
  task: Pick<TaskRecord, "kind" | "state" | "leaseUntil">,
  all: readonly TaskRecord[],
  now: Date,
): boolean {
  if (all.some((other) => mustWaitFor(task.kind, other.kind) && other.state !== "done")) return false;
  if (task.state === "todo") return true;
  return task.state === "claimed" && task.leaseUntil !== null && task.leaseUntil < now;
}

/** What to do with a task whose attempt failed. */
export type Verdict = { retryInSeconds: number } | "final";

/**
 * How often each class of failure may happen to one task before its asset fails. `source` is never tried
 * again; a missing outer part is waited for; a defect of ours is tried a few times in case it was chance.
 */
const BUDGET: Record<FailureClass, { attempts: number; firstDelaySeconds: number }> = {
  source: { attempts: 1, firstDelaySeconds: 0 },
  request: { attempts: 1, firstDelaySeconds: 0 },
  ours: { attempts: 3, firstDelaySeconds: 1 },
  resource: { attempts: 40, firstDelaySeconds: 2 },
  transient: { attempts: 40, firstDelaySeconds: 1 },
};
const LONGEST_DELAY_SECONDS = 30;

/** The verdict on a task that has now failed `failures` times, the last time with this class. */
export function verdictOn(failureClass: FailureClass, failures: number): Verdict {
  const budget = BUDGET[failureClass];
  if (failures >= budget.attempts) return "final";
  return { retryInSeconds: Math.min(LONGEST_DELAY_SECONDS, budget.firstDelaySeconds * 2 ** (failures - 1)) };
}

/**
 * A worker that vanishes takes its tasks with it through no fault of theirs, unless they are what kills it.
 * A task whose claims die before any frame came out is set aside soon; one that had been getting on may
 * lose its worker many times (rolling restarts, spot machines).
 */
export const EARLY_DEATHS_ALLOWED = 8;
export const DEATHS_ALLOWED = 40;
