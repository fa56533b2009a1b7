import type { Queue } from "bullmq";
import { WAITED_FOR_PRIORITY } from "../core/schedule.ts";
import { LANES, type Lane } from "../core/work-order.ts";
import type { JobCounts, JobDepth, LaneCounts, Offer, TakenOffer } from "./queue.ts";
import { withDeadline } from "./queue-connection.ts";

/** Jobs of the queue: added, brought into order, counted. */

export async function addAll(queues: Record<Lane, Queue>, offers: readonly Offer[]): Promise<void> {
  for (const lane of LANES) {
    const own = offers.filter((offer) => offer.lane === lane);
    if (own.length > 0) await addTo(queues[lane], own);
  }
}

async function addTo(queue: Queue, offers: readonly Offer[]): Promise<void> {
  await queue.addBulk(
    offers.map(({ taskId, kind, lane, priority, memoryBytes, besideEpoch }) => ({
      name: kind,
      data: { taskId, lane, memoryBytes, ...(besideEpoch === undefined ? {} : { besideEpoch }) },
      // The id only keeps the queue short: a second offer of a waiting task adds nothing. Nothing relies on it.
      opts: { jobId: jobIdOf({ taskId, besideEpoch }), priority, removeOnComplete: true, removeOnFail: true },
    })),
  );
}

/** The job of a task is there already where the same is to be begun beside it. */
export function jobIdOf({ taskId, besideEpoch }: Pick<TakenOffer, "taskId" | "besideEpoch">): string {
  return besideEpoch === undefined ? taskId : `${taskId}.beside.${besideEpoch}`;
}

/** How many of those that wait are brought into their order: more than are taken up before the next round. */
const REORDERED = 2_000;

export async function reorder(queue: Queue, priorities: ReadonlyMap<string, number>): Promise<void> {
  const first = await withDeadline(queue.getPrioritized(0, REORDERED - 1));
  for (const job of first) {
    const priority = priorities.get(job.id ?? "");
    if (priority === undefined || priority === job.priority || job.priority === WAITED_FOR_PRIORITY) continue;
    // Somebody took it up in between: then its place matters no more.
    await withDeadline(job.changePriority({ priority }).catch(() => undefined));
  }
}

/** Of those that wait, the one that was asked for last comes first: whoever seeks again does not wait for where he was. */
export async function putFirst(queue: Queue, taskId: string): Promise<void> {
  const job = await queue.getJob(taskId);
  // One that was put back for a while; if it must wait for a lease or a back-off, whoever claims it sees that.
  if (await job?.isDelayed()) await job?.promote().catch(() => undefined);
  await job?.changePriority({ priority: WAITED_FOR_PRIORITY, lifo: true });
}

export async function sumOfDepths(queues: Record<Lane, Queue>): Promise<JobDepth> {
  const [fast, usual] = await Promise.all([queueDepth(queues.fast), queueDepth(queues.usual)]);
  return {
    waiting: fast.waiting + usual.waiting,
    active: fast.active + usual.active,
    delayed: fast.delayed + usual.delayed,
  };
}

export function depthsOf(queues: Record<Lane, Queue>): Promise<Record<Lane, JobDepth>> {
  return ofEach(queues, queueDepth);
}

export function countLanes(queues: Record<Lane, Queue>): Promise<LaneCounts> {
  return ofEach(queues, countJobs);
}

async function ofEach<T>(
  { fast, usual, pull }: Record<Lane, Queue>,
  ask: (queue: Queue) => Promise<T>,
): Promise<Record<Lane, T>> {
  const [ofFast, ofUsual, ofPull] = await Promise.all([ask(fast), ask(usual), ask(pull)]);
  return { fast: ofFast, usual: ofUsual, pull: ofPull };
}

async function countJobs(queue: Queue): Promise<JobCounts> {
  const [depth, consumers] = await Promise.all([queueDepth(queue), queue.getWorkersCount()]);
  return { ...depth, consumers };
}

async function queueDepth(queue: Queue): Promise<JobDepth> {
  const counts = await queue.getJobCounts("waiting", "prioritized", "active", "delayed");
  return {
    waiting: (counts.waiting ?? 0) + (counts.prioritized ?? 0),
    active: counts.active ?? 0,
    delayed: counts.delayed ?? 0,
  };
}
