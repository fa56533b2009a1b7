import { Failure } from "../core/errors.ts";
import { packagePrefix } from "../core/keys.ts";
import { objectsOf } from "../core/task-recipe.ts";
import { redoTask } from "../stores/library/reopen-tasks.ts";
import { tasksOfAsset } from "../stores/library/tasks.ts";
import type { TaskContext } from "./task-context.ts";

/** An object that storage does not hold as it was recorded. */
export interface DamagedObject {
  key: string;
  reason: string;
}

/**
 * Removes damaged objects and opens the tasks that made them again, and those that had read them back: keys are written once, so first
 * they must go. Returns the failure to end the present task with; it is tried again, and has to wait for what is made again.
 */
export async function makeAgain(context: TaskContext, damaged: readonly DamagedObject[]): Promise<Failure> {
  const keys = new Set(damaged.map(({ key }) => key));
  const prefix = packagePrefix(context.asset._id, context.task.generation ?? "");
  await context.blobs.remove("media", [...keys]);
  const tasks = await tasksOfAsset(context.library, context.asset._id);
  const concerned = tasks.filter(
    (task) =>
      task.generation === context.task.generation &&
      task.result !== null &&
      objectsOf(task.result, prefix).some((key) => keys.has(key)),
  );
  // Whoever read them back has to wait for what is made again, and so comes after it.
  const inOrder = concerned.toSorted((a, b) => Number(a.kind === "verify") - Number(b.kind === "verify"));
  for (const task of inOrder) await redoTask(context.library, task);
  const cause = new Error(damaged.map(({ key, reason }) => `${key}: ${reason}`).join("\n"));
  const message = `${damaged.length} objects did not read back and are made again.`;
  return new Failure("transient", "cells_damaged", message, { cause });
}
