import { isNext, nearestChunk } from "../core/near-chunk.ts";
import type { TaskRecord } from "../core/records/task.ts";
import { type ChunkOfFilm, chunkOfTask, taskId as idOfTask } from "../core/work.ts";
import { type ClaimOutcome, claimTask } from "../stores/library/claims.ts";
import { findAssetForWork } from "../stores/library/open-work.ts";
import { claimBeside, findClaim } from "../stores/library/second-claims.ts";
import { openChunks } from "../stores/library/tasks.ts";
import { offerWork } from "../stores/offer-work.ts";
import type { Handled, TakenOffer, WorkQueue } from "../stores/queue.ts";
import type { ChunksBegun } from "./chunks-begun.ts";
import { LEASE_SECONDS } from "./keep-claim.ts";
import { obstacleTo } from "./obstacles.ts";
import type { Workshop } from "./task-context.ts";

/** The task that was claimed, or what the queue is answered where there is none to do here. */
export type Taken = { claimed: TaskRecord } | { handled: Handled };

/** Claims what is offered, or in a chunk's place another one of its ladder that is nearer to what has been begun here. */
export async function takeOffer(
  workshop: Workshop,
  queue: WorkQueue,
  { taskId, besideEpoch }: TakenOffer,
  begun: ChunksBegun,
): Promise<Taken> {
  const taken =
    besideEpoch === undefined
      ? await takeTask(workshop, queue, taskId, begun)
      : await takeBeside(workshop, taskId, besideEpoch);
  const chunk = "claimed" in taken ? chunkOfTask(taken.claimed._id) : null;
  if (chunk !== null) begun.note(chunk);
  return taken;
}

async function takeTask(
  { library, workerId }: Workshop,
  queue: WorkQueue,
  taskId: string,
  begun: ChunksBegun,
): Promise<Taken> {
  const claimOf = (id: string) => claimTask(library, id, workerId, LEASE_SECONDS);
  const offered = chunkOfTask(taskId);
  const claim = offered === null ? await claimOf(taskId) : await claimNear(library, offered, begun, claimOf);
  if ("claimed" in claim) return claim;
  if ("busyUntil" in claim) return { handled: { againAt: claim.busyUntil } };
  // Offering finds the failed task, and fails the asset where it still calls for it.
  if ("poison" in claim) await offerWork(library, queue, claim.poison.assetId);
  return { handled: "done" };
}

/** Another one comes first at each of them only where many more begin at once than there are chunks. */
const MOST_TRIES = 8;

/**
 * An offer of a chunk stands for any chunk of its ladder: there are as many offers as chunks, and whoever is offered one that another has
 * begun takes one that is free. Where none is, the answer is that of the one that was offered.
 */
async function claimNear(
  library: Workshop["library"],
  offered: ChunkOfFilm,
  begun: ChunksBegun,
  claimOf: (id: string) => Promise<ClaimOutcome>,
): Promise<ClaimOutcome> {
  const { assetId, generation, part } = offered;
  const claimChunk = (chunk: number) => claimOf(idOfTask(assetId, generation, "video", part, chunk));
  if (isNext(offered.chunk, begun.of(offered))) {
    const claim = await claimChunk(offered.chunk);
    if ("claimed" in claim || "poison" in claim) return claim;
  }
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const open = await openChunks(library, offered);
    const own = open.find(({ chunk, isFree }) => isFree && chunk === offered.chunk);
    const fresh = open.filter(({ isFree, failures }) => !isFree || failures === 0);
    // One that is tried again has waited for its time. Of those who met at a chunk each is offered another one.
    const isOwn = own !== undefined && (own.failures > 0 || tries > 0);
    const chunk = isOwn ? own.chunk : nearestChunk(fresh, begun.of(offered));
    if (chunk === null) break;
    const claim = await claimChunk(chunk);
    if ("claimed" in claim || "poison" in claim) return claim;
  }
  return claimChunk(offered.chunk);
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
