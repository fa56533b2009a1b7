import type { Room } from "../core/admission.ts";
import { asFailure, type Failure } from "../core/errors.ts";
import type { PlanSettings } from "../core/plan.ts";
import type { AttemptRecord, TaskRecord } from "../core/records/task.ts";
import type { TaskResult } from "../core/records/task-result.ts";
import { type Verdict, verdictOn } from "../core/work.ts";
import { completeTask, failTask, releaseTask, renewLease } from "../stores/library/claimed-work.ts";
import { claimTask } from "../stores/library/claims.ts";
import { claimBeside, findClaim, recordLost } from "../stores/library/second-claims.ts";
import { findAssetForWork } from "../stores/library/work.ts";
import { offerAfter, offerWork } from "../stores/offer-work.ts";
import { type Handled, jobIdOf, type TakenOffer, type WorkQueue } from "../stores/queue.ts";
import { type Obstacle, obstacleTo } from "./obstacles.ts";
import { runStage } from "./pipeline.ts";
import type { TaskContext, Workshop } from "./task-context.ts";

/** A claim lives this long without a sign of life; a killed worker's tasks are free again after it. */
export const LEASE_SECONDS = 6;
const RENEW_MS = 1_500;
/** A task for which there is no room here is offered again after this, to whoever has some. */
const NO_ROOM_SECONDS = 2;
/** And one that cannot be begun; null: not at all. */
const AGAIN_SECONDS: Record<Obstacle, number | null> = { unwanted: null, hardware: 2, early: 1 };

export interface Worker {
  /** Handles one offer from the queue. Never throws: what went wrong is in the library. */
  handle(offer: TakenOffer): Promise<Handled>;
  /** Stops what runs and hands it back unharmed. */
  stop(): void;
  /** Tasks in hand. */
  running(): number;
}

/** Why a task's signal was aborted. */
class Stopped extends Error {
  readonly why: "lost" | "shutdown";
  constructor(why: "lost" | "shutdown") {
    super(why);
    this.why = why;
  }
}

/** A worker: claims offered tasks, runs their stage under a lease, records how it ended, offers what follows. */
export function createWorker(
  workshop: Workshop,
  queue: WorkQueue,
  settings: PlanSettings,
  room: Room,
): Worker {
  const inHand = new Set<AbortController>();
  let stopping = false;

  const handle = async (offer: TakenOffer): Promise<Handled> => {
    if (stopping) return { againAt: workshop.library.serverNow() };
    const job = jobIdOf(offer);
    if (!room.enter(job, offer.memoryBytes, performance.now() / 1000, offer.lane === "fast"))
      return { againAt: inSeconds(workshop, NO_ROOM_SECONDS) };
    try {
      return await handleWithRoom(offer);
    } finally {
      room.leave(job);
    }
  };

  const handleWithRoom = async ({ taskId, besideEpoch }: TakenOffer): Promise<Handled> => {
    if (besideEpoch !== undefined) {
      const { library, workerId, log } = workshop;
      const slow = await findClaim(library, taskId, besideEpoch);
      // A seat that is taken and given back leaves the task's place empty: better not taken.
      const asset = slow && (await findAssetForWork(library, slow.assetId));
      if (slow === null || (await obstacleTo(workshop, slow, asset)) !== null) return "done";
      const claimed = await claimBeside(library, taskId, besideEpoch, workerId, LEASE_SECONDS);
      if (claimed === null) return "done";
      log.info({ taskId, slow: claimed.beside?.worker }, "the same begun beside a slow worker");
      return work(claimed);
    }
    const claim = await claimTask(workshop.library, taskId, workshop.workerId, LEASE_SECONDS);
    if ("busyUntil" in claim) return { againAt: claim.busyUntil };
    if ("gone" in claim) return "done";
    if ("poison" in claim) {
      // Offering finds the failed task, and fails the asset where it still calls for it.
      await offerWork(workshop.library, queue, claim.poison.assetId);
      return "done";
    }
    return work(claim.claimed);
  };

  const work = async (task: TaskRecord): Promise<Handled> => {
    const controller = new AbortController();
    inHand.add(controller);
    const claim = keepClaim(workshop, task, controller);
    const attempt = newAttempt(workshop, task);
    try {
      const asset = await findAssetForWork(workshop.library, task.assetId);
      const obstacle = await obstacleTo(workshop, task, asset);
      if (asset === null || obstacle !== null) {
        await releaseTask(workshop.library, task);
        const againSeconds = AGAIN_SECONDS[obstacle ?? "unwanted"];
        return againSeconds === null ? "done" : { againAt: inSeconds(workshop, againSeconds) };
      }
      const context: TaskContext = {
        ...workshop,
        task,
        asset,
        signal: controller.signal,
        report: claim.report,
        note: (run) => {
          attempt.argv.push(run.argv);
          attempt.cpuSeconds += run.cpuSeconds;
        },
      };
      const { result, reusedFrom } = await runStage(context, settings);
      claim.end();
      const done = ended(workshop, attempt, reusedFrom === null ? "done" : "reused", null, result);
      const isFirst = await completeTask(workshop.library, task, result, {
        ...done,
        ...(reusedFrom === null ? {} : { reusedFrom }),
      });
      if (!isFirst) return await lost(task, attempt);
      workshop.log.info(
        { taskId: task._id, assetId: task.assetId, cpuSeconds: attempt.cpuSeconds, reusedFrom },
        "task done",
      );
    } catch (thrown) {
      claim.end();
      const reason = controller.signal.reason;
      if (reason instanceof Stopped) {
        if (reason.why === "lost") return await lost(task, attempt);
        await releaseTask(workshop.library, task);
        workshop.log.info({ taskId: task._id, why: reason.why }, "task given up");
        return { againAt: workshop.library.serverNow() };
      }
      const verdict = await recordFailure(workshop, task, asFailure(thrown), attempt);
      await offerWork(workshop.library, queue, task.assetId);
      // The job in hand is this task's: another offer of it would be taken for the same one and vanish with it.
      return verdict === "final" ? "done" : { againAt: inSeconds(workshop, verdict.retryInSeconds) };
    } finally {
      claim.end();
      inHand.delete(controller);
    }
    await offerAfter(workshop.library, queue, task);
    return "done";
  };

  /** Somebody else holds the task, or nobody: all that is left of the attempt is what it cost. */
  const lost = async (task: TaskRecord, attempt: AttemptRecord): Promise<Handled> => {
    await recordLost(workshop.library, task, ended(workshop, attempt, "lost", null, null));
    workshop.log.info({ taskId: task._id, cpuSeconds: attempt.cpuSeconds }, "task lost");
    return "done";
  };

  return {
    handle: (offer) =>
      handle(offer).catch((error: unknown) => {
        // The library is away: the claim runs out by itself, the queue asks again.
        workshop.log.error({ err: error, taskId: offer.taskId }, "a task could not be handled");
        return { againAt: inSeconds(workshop, 2) };
      }),
    stop: () => {
      stopping = true;
      for (const controller of inHand) controller.abort(new Stopped("shutdown"));
    },
    running: () => inHand.size,
  };
}

/** Renews the lease while a stage runs; losing it aborts the stage. */
function keepClaim(workshop: Workshop, task: TaskRecord, controller: AbortController) {
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
    report: (next: number) => {
      ratio = Math.max(ratio, next);
    },
    end: () => clearInterval(timer),
  };
}

async function recordFailure(
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

function inSeconds({ library }: Workshop, seconds: number): Date {
  return new Date(library.serverNow().getTime() + seconds * 1000);
}

function newAttempt(workshop: Workshop, task: TaskRecord): AttemptRecord {
  const startedAt = task.claimedAt ?? workshop.library.serverNow();
  return {
    stage: task.kind,
    worker: workshop.workerId,
    startedAt,
    endedAt: startedAt,
    outcome: "lost",
    argv: [],
    versions: { ffmpeg: workshop.launcher.build, node: process.versions.node },
    cpuSeconds: 0,
    bytesOut: 0,
    error: null,
  };
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
