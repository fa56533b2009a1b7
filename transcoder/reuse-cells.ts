import { packagePrefix } from "../core/keys.ts";
import type { TaskRecord } from "../core/records/task.ts";
import { movedResult, objectsOf } from "../core/task-recipe.ts";
import { findTwins } from "../stores/library/tasks.ts";
import type { StageOutcome } from "./pipeline.ts";
import type { TaskContext } from "./task-context.ts";

/** Copies in flight at once: they cost the worker nothing but waiting. */
const PARALLEL_COPIES = 8;

/**
 * Takes over what a task of another generation of this asset made of the same recipe: its objects are copied in storage
 * to where this generation's belong. null where there is no such task, or its objects are not all there any more.
 * Copied, since a grant opens one generation's prefix and nothing else (docs/decisions/generations.md).
 */
export async function reuseCells(context: TaskContext): Promise<StageOutcome | null> {
  for (const twin of await findTwins(context.library, context.task)) {
    const reused = await copyFrom(context, twin);
    if (reused !== null) return reused;
  }
  return null;
}

async function copyFrom(context: TaskContext, twin: TaskRecord): Promise<StageOutcome | null> {
  const { generation } = context.task;
  if (twin.generation === null || generation === null) return null;
  if (twin.result === null) return { result: null, reusedFrom: twin._id };
  const fromPrefix = packagePrefix(twin.assetId, twin.generation);
  const toPrefix = packagePrefix(twin.assetId, generation);
  const keys = objectsOf(twin.result, fromPrefix);
  let done = 0;
  let complete = true;
  const lane = async (from: Iterator<string>): Promise<void> => {
    for (let next = from.next(); !next.done && complete; next = from.next()) {
      context.signal.throwIfAborted();
      const found = await context.blobs.copy(
        "media",
        next.value,
        toPrefix + next.value.slice(fromPrefix.length),
      );
      complete &&= found;
      context.report((0.99 * ++done) / keys.length);
    }
  };
  const remaining = keys.values();
  await Promise.all(Array.from({ length: PARALLEL_COPIES }, () => lane(remaining)));
  if (!complete) return null;
  return { result: movedResult(twin.result, fromPrefix, toPrefix), reusedFrom: twin._id };
}
