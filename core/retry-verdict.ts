import type { Failure, FailureClass } from "./errors.ts";
import type { TaskRecord } from "./records/task.ts";

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

/**
 * Of a server that is away: three and a half minutes of it at least, and longer where it is silent, since each attempt asks three times and waits
 * in between; its owner can begin anew.
 */
const ATTEMPTS_OF_UNREACHABLE = 12;
/** Resource failures that pass by themselves: a disk is emptied by others. */
const WAITED_FOR: ReadonlySet<string> = new Set(["scratch_full"]);
/**
 * A run that met its limit of memory, time or output meets it again: it is tried twice more, each time with twice the memory.
 * A master that is larger than a worker's whole limit may yet fit another worker.
 */
const ATTEMPTS_AT_A_LIMIT = 3;

/** The verdict on a task that has now failed `failures` times, the last time in this way. */
export function verdictOn(
  { failureClass, code }: Pick<Failure, "failureClass" | "code">,
  failures: number,
): Verdict {
  const { attempts, firstDelaySeconds } = BUDGET[failureClass];
  if (failures >= attemptsAllowed(failureClass, code, attempts)) return "final";
  return { retryInSeconds: Math.min(LONGEST_DELAY_SECONDS, firstDelaySeconds * 2 ** (failures - 1)) };
}

function attemptsAllowed(failureClass: FailureClass, code: string, usual: number): number {
  if (failureClass === "transient" && code === "source_unreachable") return ATTEMPTS_OF_UNREACHABLE;
  return failureClass === "resource" && !WAITED_FOR.has(code) ? ATTEMPTS_AT_A_LIMIT : usual;
}

/**
 * A worker that vanishes takes its tasks with it through no fault of theirs, unless they are what kills it.
 * A task whose claims die before any frame came out is set aside soon; one that had been getting on may
 * lose its worker many times (rolling restarts, spot machines).
 */
export const EARLY_DEATHS_ALLOWED = 8;
export const DEATHS_ALLOWED = 40;

/** What viewers ask for and could not be made is tried anew, with a fresh budget, so often. */
const REVIVALS = 4;
/** So long after the last attempt at the soonest, and twice as long each time: players ask again every second. */
const FIRST_REVIVAL_AFTER_SECONDS = 60;

/** Whether a task that somebody waits for and nobody will take up is to be tried anew now. */
export function isRevived(
  { state, error, attempts, revivals = 0 }: Pick<TaskRecord, "state" | "error" | "attempts" | "revivals">,
  now: Date,
): boolean {
  // Nothing was wrong with it: its film was called off, and is back.
  if (state === "cancelled") return true;
  if (state !== "failed" || error?.retryable === false || revivals >= REVIVALS) return false;
  const lastAt = attempts.at(-1)?.endedAt.getTime() ?? 0;
  return now.getTime() - lastAt >= FIRST_REVIVAL_AFTER_SECONDS * 1000 * 2 ** revivals;
}
