import type { TaskRecord } from "../core/records/task.ts";
import { renewLease } from "../stores/library/claimed-work.ts";
import type { Workshop } from "./task-context.ts";

/** A claim lives this long without a sign of life; a killed worker's tasks are free again after it. */
export const LEASE_SECONDS = 6;
const RENEW_MS = 1_500;

/** Why a task's signal was aborted. */
export class Stopped extends Error {
  readonly why: "lost" | "shutdown";
  constructor(why: "lost" | "shutdown") {
    super(why);
    this.why = why;
  }
}

/** A claim that is being kept. */
export interface KeptClaim {
  /** 0..1; what is shown of it never falls. */
  report(ratio: number): void;
  /** Renews it no more. */
  end(): void;
}

/** Renews the lease while a stage runs; losing it aborts the stage. */
export function keepClaim(workshop: Workshop, task: TaskRecord, controller: AbortController): KeptClaim {
  let ratio = 0;
  let lastRenewal = performance.now();
  const timer = setInterval(() => {
    renewLease(workshop.library, task, ratio, LEASE_SECONDS).then(
      (held) => {
        if (held) lastRenewal = performance.now();
        else controller.abort(new Stopped("lost"));
      },
      () => {
        // The library does not answer: past the lease someone else may hold the task.
        if (performance.now() - lastRenewal > LEASE_SECONDS * 1000) controller.abort(new Stopped("lost"));
      },
    );
  }, RENEW_MS);
  return {
    report: (next) => {
      ratio = Math.max(ratio, next);
    },
    end: () => clearInterval(timer),
  };
}
