import { Failure } from "../core/errors.ts";

/** Whether an error, or what caused it, is a full disk. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOSPC" || code === "EDQUOT" || isDiskFull(error.cause);
}

/** A full disk as the `resource` Failure that it is; anything else as it came. */
export function asDiskFailure(thrown: unknown): unknown {
  if (!isDiskFull(thrown) || thrown instanceof Failure) return thrown;
  return new Failure("resource", "scratch_full", "The worker's disk is full.", { cause: thrown });
}
