import type { TaskKind, TaskRecord } from "./records/task.ts";

/**
 * Each has a queue and slots of its own in every worker: `fast` what somebody waits for in person, `pull` what waits for
 * other people's servers and needs no core.
 */
export const LANES = ["fast", "usual", "pull"] as const;
export type Lane = (typeof LANES)[number];

export function laneOf(kind: TaskKind): Lane {
  if (kind === "fetch") return "pull";
  return kind === "probe" || kind === "preview" ? "fast" : "usual";
}

const FOLLOWS_OTHERS: ReadonlySet<TaskKind> = new Set(["score", "inspect", "images", "publish"]);

/** What a task must wait for: `score`, `inspect` and `images` for what they look at, `publish` for all others. */
function waitsFor(
  task: Pick<TaskRecord, "kind" | "part">,
  other: Pick<TaskRecord, "kind" | "part">,
): boolean {
  if (task.kind === "publish")
    return other.kind !== "publish" && other.kind !== "probe" && other.kind !== "preview";
  const isItsPicture = other.kind === "video" && other.part === task.part;
  if (task.kind === "inspect") return isItsPicture || other.kind === "audio";
  return (task.kind === "score" || task.kind === "images") && isItsPicture;
}

/** Whether a task must wait for others at all: most are chunks, of which a long film has hundreds. */
export function followsOthers({ kind }: Pick<TaskRecord, "kind">): boolean {
  return FOLLOWS_OTHERS.has(kind);
}

/** Whether a task may be offered to the workers now: when all that it waits for is done. */
export function isOffered(
  task: Pick<TaskRecord, "kind" | "part" | "state" | "leaseUntil">,
  all: readonly Pick<TaskRecord, "kind" | "part" | "state">[],
  now: Date,
): boolean {
  const isFree =
    task.state === "todo" || (task.state === "claimed" && task.leaseUntil !== null && task.leaseUntil < now);
  if (!isFree || !followsOthers(task)) return isFree;
  return all.every((other) => other.state === "done" || !waitsFor(task, other));
}
