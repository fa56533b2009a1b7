import { chunksLookedAt } from "./look-parts.ts";
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

const FOLLOWS_OTHERS: ReadonlySet<TaskKind> = new Set(["score", "look", "inspect", "images", "publish"]);

type Ordered = Pick<TaskRecord, "kind" | "part" | "chunk">;

/**
 * What a task must wait for: `score`, `look` and `images` for what they look at, `inspect` for all that was seen, heard and said,
 * `publish` for all others.
 */
function waitsFor(task: Ordered, other: Ordered): boolean {
  if (task.kind === "publish")
    return other.kind !== "publish" && other.kind !== "probe" && other.kind !== "preview";
  const isItsPicture = other.kind === "video" && other.part === task.part;
  if (task.kind === "look") return isItsPicture && isLookedAt(other.chunk, task.chunk);
  if (task.kind === "inspect") return isItsPicture || other.kind === "audio" || other.kind === "look";
  return (task.kind === "score" || task.kind === "images") && isItsPicture;
}

function isLookedAt(chunk: number, part: number): boolean {
  const { first, end } = chunksLookedAt(part);
  return chunk >= first && chunk < end;
}

/** Whether a task must wait for others at all: most are chunks, of which a long film has hundreds. */
export function followsOthers({ kind }: Pick<TaskRecord, "kind">): boolean {
  return FOLLOWS_OTHERS.has(kind);
}

/** Whether a task may be offered to the workers now: when all that it waits for is done. */
export function isOffered(
  task: Ordered & Pick<TaskRecord, "state" | "leaseUntil">,
  all: readonly (Ordered & Pick<TaskRecord, "state">)[],
  now: Date,
): boolean {
  const isFree =
    task.state === "todo" || (task.state === "claimed" && task.leaseUntil !== null && task.leaseUntil < now);
  if (!isFree || !followsOthers(task)) return isFree;
  return all.every((other) => other.state === "done" || !waitsFor(task, other));
}
