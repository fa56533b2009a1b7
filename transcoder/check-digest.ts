import { Failure } from "../core/errors.ts";
import { requireDigest } from "./master-digest.ts";
import type { TaskContext } from "./task-context.ts";

/** Reads the whole master once, in order, and compares it with what its owner stated. Nothing is published before. */
export async function checkDigest(context: TaskContext): Promise<null> {
  const { pinned } = context.asset;
  if (pinned === null) throw new Failure("ours", "internal", "The asset has no source.");
  requireDigest(pinned, await context.scratch.digest(pinned, context.signal));
  return null;
}
