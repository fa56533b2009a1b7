import { chunksLookedAt, chunksOf, isWithin } from "./film-parts.ts";
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

const FOLLOWS_OTHERS: ReadonlySet<TaskKind> = new Set([
  "score",
  "look",
  "inspect",
  "verify",
  "images",
  "publish",
]);

/** What of a task decides what it waits for. */
export type Ordered = Pick<TaskRecord, "kind" | "part" | "chunk">;

/**
 * What a task must wait for: `score`, `look` and `images` for what they look at, `verify` for what it reads back, `inspect` for all
 * that was seen, heard and said, `publish` for all others.
 */
export function waitsFor(task: Ordered, other: Ordered): boolean {
  if (task.kind === "publish")
    return other.kind !== "publish" && other.kind !== "probe" && other.kind !== "preview";
  const isItsPicture = other.kind === "video" && other.part === task.part;
  if (task.kind === "look") return isItsPicture && isWithin(other.chunk, chunksLookedAt(task.chunk));
  if (task.kind === "verify") return isReadBack(other, task);
  if (task.kind === "inspect") return isItsPicture || other.kind === "audio" || other.kind === "look";
  return (task.kind === "score" || task.kind === "images") && isItsPicture;
}

/** A part of a ladder's pictures, or a whole sound or text. */
function isReadBack(other: Ordered, task: Ordered): boolean {
  if (other.part !== task.part) return false;
  if (other.kind === "video") return isWithin(other.chunk, chunksOf(task.chunk));
  return other.kind === "audio" || other.kind === "subtitle";
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
