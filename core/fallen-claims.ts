import type { AttemptRecord, ClaimBeside, TaskKind, TaskRecord } from "./records/task.ts";
import { DEATHS_ALLOWED, EARLY_DEATHS_ALLOWED } from "./retry-verdict.ts";

/** Claims whose workers vanished: which they are, what they count for, and what the ledger says of them. Pure. */

/** A claim whose lease ran out: its worker vanished. */
export interface FallenClaim extends ClaimBeside {
  isBeside: boolean;
  stage: TaskKind;
}

/** The claims of a task whose workers have vanished: the present one, and that beside it. */
export function fallenClaims(task: TaskRecord, now: Date): FallenClaim[] {
  const { kind: stage, beside } = task;
  const present = presentClaim(task);
  return [
    ...(present === null ? [] : [{ ...present, isBeside: false, stage }]),
    ...(beside == null ? [] : [{ ...beside, isBeside: true, stage }]),
  ].filter((claim) => claim.leaseUntil < now);
}

/** The claim that has a task's place; null where none has. */
export function presentClaim(task: TaskRecord): ClaimBeside | null {
  const { state, epoch, worker, leaseUntil, claimedAt, ratio } = task;
  if (state !== "claimed" || leaseUntil === null) return null;
  return { epoch, worker, claimedAt: claimedAt ?? leaseUntil, leaseUntil, ratio };
}

/** Before any frame came out. */
export function isEarly({ ratio }: Pick<FallenClaim, "ratio">): boolean {
  return ratio === 0;
}

/** Whether its workers have vanished more often than chance explains. */
export function isPoisoned(
  { deaths, earlyDeaths }: Pick<TaskRecord, "deaths" | "earlyDeaths">,
  fallen: readonly FallenClaim[],
): boolean {
  const early = fallen.filter(isEarly).length;
  return deaths + fallen.length > DEATHS_ALLOWED || earlyDeaths + early > EARLY_DEATHS_ALLOWED;
}

/** Its line in the ledger, written by whoever finds it. */
export function lineOf({
  stage,
  worker,
  claimedAt,
  leaseUntil,
}: Omit<FallenClaim, "isBeside">): AttemptRecord {
  return {
    ...{ stage, worker: worker ?? "", startedAt: claimedAt, endedAt: leaseUntil, outcome: "lost" },
    // What it ran and spent went with it.
    ...{ argv: [], cpuSeconds: 0, bytesOut: 0, error: null },
  };
}
