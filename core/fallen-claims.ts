import type { AttemptRecord, ClaimBeside, TaskKind, TaskRecord } from "./records.ts";
import { DEATHS_ALLOWED, EARLY_DEATHS_ALLOWED } from "./work.ts";

/** Claims whose workers vanished: which they are, what they count for, and what the ledger says of them. Pure. */

/** A claim whose lease ran out: its worker vanished. */
export interface FallenClaim extends Omit<ClaimBeside, "epoch"> {
  isBeside: boolean;
  stage: TaskKind;
}

/** The claims of a task whose workers have vanished: the present one, and that beside it. */
export function fallenClaims(task: TaskRecord, now: Date): FallenClaim[] {
  const { kind: stage, worker, leaseUntil, claimedAt, ratio, beside } = task;
  const present =
    task.state !== "claimed" || leaseUntil === null
      ? []
      : [{ isBeside: false, stage, worker, claimedAt: claimedAt ?? leaseUntil, leaseUntil, ratio }];
  const other = beside == null ? [] : [{ ...beside, isBeside: true, stage }];
  return [...present, ...other].filter((claim) => claim.leaseUntil < now);
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
export function lineOf({ stage, worker, claimedAt, leaseUntil }: FallenClaim): AttemptRecord {
  return {
    ...{ stage, worker: worker ?? "", startedAt: claimedAt, endedAt: leaseUntil, outcome: "lost" },
    // What it ran and spent went with it.
    ...{ argv: [], cpuSeconds: 0, bytesOut: 0, error: null },
  };
}
