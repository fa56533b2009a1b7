import type { Failure } from "../core/errors.ts";
import type { AttemptRecord, TaskRecord } from "../core/records/task.ts";
import type { TaskResult } from "../core/records/task-result.ts";
import { type Verdict, verdictOn } from "../core/retry-verdict.ts";
import { completeTask, failTask } from "../stores/library/claimed-work.ts";
import { recordLost } from "../stores/library/second-claims.ts";
import { encodersHere } from "./missing-encoder.ts";
import type { StageOutcome } from "./pipeline.ts";
import type { Workshop } from "./task-context.ts";

/** The ledger's line of an attempt that begins now; until it is known better, it is one that was lost. */
export function newAttempt(workshop: Workshop, task: TaskRecord): AttemptRecord {
  const { library, workerId, launcher } = workshop;
  const startedAt = task.claimedAt ?? library.serverNow();
  return {
    stage: task.kind,
    worker: workerId,
    startedAt,
    endedAt: startedAt,
    outcome: "lost",
    argv: [],
    versions: {
      ffmpeg: launcher.build,
      ...encodersHere(workshop),
      node: process.versions.node,
    },
    cpuSeconds: 0,
    bytesOut: 0,
    error: null,
  };
}

/** False: the claim was lost meanwhile, and nothing is recorded. */
export async function recordDone(
  workshop: Workshop,
  task: TaskRecord,
  attempt: AttemptRecord,
  { result, reusedFrom }: StageOutcome,
): Promise<boolean> {
  const line = ended(workshop, attempt, reusedFrom === null ? "done" : "reused", null, result);
  const isFirst = await completeTask(workshop.library, task, result, {
    ...line,
    ...(reusedFrom === null ? {} : { reusedFrom }),
  });
  if (!isFirst) return false;
  workshop.log.info(
    { taskId: task._id, assetId: task.assetId, cpuSeconds: attempt.cpuSeconds, reusedFrom },
    "task done",
  );
  return true;
}

/** Answers what becomes of the task. */
export async function recordFailure(
  workshop: Workshop,
  task: TaskRecord,
  failure: Failure,
  attempt: AttemptRecord,
): Promise<Verdict> {
  const verdict = verdictOn(failure, task.failures + 1);
  workshop.log.warn(
    { err: failure, taskId: task._id, assetId: task.assetId, code: failure.code, verdict },
    "task failed",
  );
  const line = ended(workshop, attempt, "failed", failure, null);
  // Of a claim that was lost meanwhile the ledger has a line without its cost.
  if (!(await failTask(workshop.library, task, failure, line, verdict)))
    await recordLost(workshop.library, task, line);
  return verdict;
}

/** Somebody else holds the task, or nobody: all that is left of the attempt is what it cost. */
export async function recordLoss(
  workshop: Workshop,
  task: TaskRecord,
  attempt: AttemptRecord,
): Promise<void> {
  await recordLost(workshop.library, task, ended(workshop, attempt, "lost", null, null));
  workshop.log.info({ taskId: task._id, cpuSeconds: attempt.cpuSeconds }, "task lost");
}

function ended(
  workshop: Workshop,
  attempt: AttemptRecord,
  outcome: AttemptRecord["outcome"],
  failure: Failure | null,
  result: TaskResult | null,
): AttemptRecord {
  const cells = [...(result?.tracks ?? []), ...(result?.texts ?? [])].flatMap((track) => track.cells);
  return {
    ...attempt,
    endedAt: workshop.library.serverNow(),
    outcome,
    bytesOut: cells.reduce((sum, cell) => sum + cell.bytes, 0),
    error: failure && { class: failure.failureClass, code: failure.code, message: failure.message },
  };
}
