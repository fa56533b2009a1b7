import { asFailure } from "../core/errors.ts";
import type { PlanSettings } from "../core/plan.ts";
import type { AssetRecord } from "../core/records/asset.ts";
import type { AttemptRecord, TaskRecord } from "../core/records/task.ts";
import { callOffClaim, releaseTask } from "../stores/library/claimed-work.ts";
import { findAssetForWork } from "../stores/library/open-work.ts";
import { offerAfter, offerWork } from "../stores/offer-work.ts";
import type { Handled, WorkQueue } from "../stores/queue.ts";
import { type KeptClaim, keepClaim, Stopped } from "./keep-claim.ts";
import { requireSomebodyFor } from "./missing-encoder.ts";
import { type Hindrance, obstacleToClaimed } from "./obstacles.ts";
import { runStage } from "./pipeline.ts";
import { newAttempt, recordDone, recordFailure, recordLoss } from "./task-attempt.ts";
import type { TaskContext, Workshop } from "./task-context.ts";

/**
 * Runs the stage of a claimed task, records how it ended and offers what follows. Aborting `controller` with `Stopped`
 * ends it unharmed. Rejects only where the library is away: then the claim runs out by itself.
 */
export async function doTask(
  workshop: Workshop,
  queue: WorkQueue,
  settings: PlanSettings,
  task: TaskRecord,
  controller: AbortController,
): Promise<Handled> {
  const attempt = newAttempt(workshop, task);
  const claim = keepClaim(workshop, task, controller);
  try {
    const asset = await findAssetForWork(workshop.library, task.assetId);
    const hindrance = await obstacleToClaimed(workshop, task, asset, controller.signal);
    if (asset !== null && hindrance?.obstacle === "encoder") await requireSomebodyFor(workshop, task, asset);
    if (asset === null || hindrance !== null) return await putBack(workshop, task, hindrance);
    const context = contextOf(workshop, task, asset, claim, attempt, controller.signal);
    const outcome = await runStage(context, settings);
    claim.end();
    const isFirst = await recordDone(workshop, task, attempt, outcome);
    if (!isFirst) {
      await recordLoss(workshop, task, attempt);
      return "done";
    }
  } catch (thrown) {
    claim.end();
    const { reason } = controller.signal;
    if (reason instanceof Stopped) return await giveUp(workshop, task, attempt, reason);
    return await fail(workshop, queue, task, attempt, thrown);
  } finally {
    claim.end();
  }
  await offerAfter(workshop.library, queue, task);
  return "done";
}

/** An answer to the queue: so many seconds from now. */
export function againIn({ library }: Pick<Workshop, "library">, seconds: number): Handled {
  return { againAt: new Date(library.serverNow().getTime() + seconds * 1000) };
}

/** Without a hindrance there is no asset that it could be of. */
async function putBack(workshop: Workshop, task: TaskRecord, hindrance: Hindrance | null): Promise<Handled> {
  if (hindrance === null || hindrance.obstacle === "unwanted") {
    await callOffClaim(workshop.library, task);
    return "done";
  }
  await releaseTask(workshop.library, task);
  return againIn(workshop, hindrance.againSeconds);
}

function contextOf(
  workshop: Workshop,
  task: TaskRecord,
  asset: AssetRecord,
  { report }: KeptClaim,
  attempt: AttemptRecord,
  signal: AbortSignal,
): TaskContext {
  return {
    ...workshop,
    task,
    asset,
    signal,
    report,
    note: ({ argv, cpuSeconds }) => {
      attempt.argv.push(argv);
      attempt.cpuSeconds += cpuSeconds;
    },
  };
}

async function giveUp(
  workshop: Workshop,
  task: TaskRecord,
  attempt: AttemptRecord,
  { why }: Stopped,
): Promise<Handled> {
  if (why === "lost") {
    await recordLoss(workshop, task, attempt);
    return "done";
  }
  await releaseTask(workshop.library, task);
  workshop.log.info({ taskId: task._id, why }, "task given up");
  return againIn(workshop, 0);
}

async function fail(
  workshop: Workshop,
  queue: WorkQueue,
  task: TaskRecord,
  attempt: AttemptRecord,
  thrown: unknown,
): Promise<Handled> {
  const verdict = await recordFailure(workshop, task, asFailure(thrown), attempt);
  await offerWork(workshop.library, queue, task.assetId);
  // The job in hand is this task's: another offer of it would be taken for the same one and vanish with it.
  return verdict === "final" ? "done" : againIn(workshop, verdict.retryInSeconds);
}
