import type { AttemptRecord, TaskRecord } from "./records/task.ts";

/** What is counted of a task: results are large and say nothing here. */
export type TimedTask = Pick<TaskRecord, "weight" | "state" | "ratio"> & {
  attempts: Pick<AttemptRecord, "startedAt" | "endedAt" | "outcome">[];
};

/** What was done longer ago says little of the workers at hand now; less than this is too short to say much. */
const WINDOW_SECONDS = 300;
const SHORTEST_SECONDS = 3;
/** Nobody believes seconds of hours. */
const STEPS: readonly { below: number; step: number }[] = [
  { below: 60, step: 5 },
  { below: 600, step: 15 },
  { below: Number.POSITIVE_INFINITY, step: 60 },
];

/**
 * Seconds until these tasks are done, at the rate at which this asset's work has got on in the last minutes: as many
 * workers as it had, as quick as they were on this film, pauses counted. null until there is something to go by. Pure.
 */
export function secondsLeft(tasks: readonly TimedTask[], now: Date): number | null {
  const ended = tasks.flatMap(({ weight, attempts }) =>
    attempts.filter(({ outcome }) => outcome === "done").map((attempt) => ({ weight, ...attempt })),
  );
  const began = Math.min(...ended.map(({ startedAt }) => startedAt.getTime()));
  const sinceMs = Math.max(began, now.getTime() - WINDOW_SECONDS * 1000);
  const seconds = (now.getTime() - sinceMs) / 1000;
  if (!(seconds >= SHORTEST_SECONDS)) return null;
  const running = tasks.filter(({ state }) => state === "claimed");
  const done =
    ended.reduce((sum, attempt) => sum + attempt.weight * shareSince(attempt, sinceMs), 0) +
    running.reduce((sum, { weight, ratio }) => sum + weight * ratio, 0);
  const open = tasks
    .filter(({ state }) => state !== "done")
    .reduce((sum, { weight, ratio }) => sum + weight * (1 - ratio), 0);
  if (done <= 0) return null;
  return rounded((open * seconds) / done);
}

/** How much of an attempt lies behind a moment. */
function shareSince({ startedAt, endedAt }: TimedTask["attempts"][number], sinceMs: number): number {
  const whole = endedAt.getTime() - startedAt.getTime();
  if (whole <= 0) return Number(endedAt.getTime() >= sinceMs);
  return Math.min(1, Math.max(0, (endedAt.getTime() - sinceMs) / whole));
}

function rounded(seconds: number): number {
  const { step } = STEPS.find(({ below }) => seconds < below)!;
  return Math.ceil(seconds / step) * step;
}
