import type { TaskRecord } from "../core/records/task.ts";
import { claimTask } from "../stores/library/claims.ts";
import { findAssetForWork } from "../stores/library/open-work.ts";
import { claimBeside, findClaim } from "../stores/library/second-claims.ts";
import { offerWork } from "../stores/offer-work.ts";
import type { Handled, TakenOffer, WorkQueue } from "../stores/queue.ts";
import { LEASE_SECONDS } from "./keep-claim.ts";
import { obstacleTo } from "./obstacles.ts";
import type { Workshop } from "./task-context.ts";

/** The task that was claimed, or what the queue is answered where there is none to do here. */
export type Taken = { claimed: TaskRecord } | { handled: Handled };

/** Claims what is offered. */
export function takeOffer(
  workshop: Workshop,
  queue: WorkQueue,
  { taskId, besideEpoch }: TakenOffer,
): Promise<Taken> {
  return besideEpoch === undefined
    ? takeTask(workshop, queue, taskId)
    : takeBeside(workshop, taskId, besideEpoch);
}

async function takeTask({ library, workerId }: Workshop, queue: WorkQueue, taskId: string): Promise<Taken> {
  const claim = await claimTask(library, taskId, workerId, LEASE_SECONDS);
  if ("claimed" in claim) return claim;
  if ("busyUntil" in claim) return { handled: { againAt: claim.busyUntil } };
  // Offering finds the failed task, and fails the asset where it still calls for it.
  if ("poison" in claim) await offerWork(library, queue, claim.poison.assetId);
  return { handled: "done" };
}

async function takeBeside(workshop: Workshop, taskId: string, besideEpoch: number): Promise<Taken> {
  const { library, workerId, log } = workshop;
  const slow = await findClaim(library, taskId, besideEpoch);
  // A seat that is taken and given back leaves the task's place empty: better not taken.
  const asset = slow && (await findAssetForWork(library, slow.assetId));
  if (slow === null || (await obstacleTo(workshop, slow, asset)) !== null) return { handled: "done" };
  const claimed = await claimBeside(library, taskId, besideEpoch, workerId, LEASE_SECONDS);
  if (claimed === null) return { handled: "done" };
  log.info({ taskId, slow: claimed.beside?.worker }, "the same begun beside a slow worker");
  return { claimed };
}
