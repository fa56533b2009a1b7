import type { Room } from "../core/admission.ts";
import type { PlanSettings } from "../core/plan.ts";
import type { Lane } from "../core/work-order.ts";
import type { Handled, TakenOffer, WorkQueue } from "../stores/queue.ts";
import { jobIdOf } from "../stores/queue-jobs.ts";
import { openChunksBegun } from "./chunks-begun.ts";
import { againIn, doTask } from "./do-task.ts";
import { Stopped } from "./keep-claim.ts";
import { takeOffer } from "./take-offer.ts";
import type { Workshop } from "./task-context.ts";

/** A task for which there is no room here is offered again after this, to whoever has some. */
const NO_ROOM_SECONDS = 2;
/** And one that the library, being away, could tell nothing of. */
const NO_LIBRARY_SECONDS = 2;

export interface Worker {
  /** Handles one offer from the queue. Never throws: what went wrong is in the library. */
  handle(offer: TakenOffer): Promise<Handled>;
  /** Stops what runs and hands it back unharmed. */
  stop(): void;
  /** Tasks in hand. */
  running(): number;
  /** Of them, those that keep a core: all but fetches. */
  onCores(): number;
}

/** A worker: claims offered tasks, runs their stage under a lease, records how it ended, offers what follows. */
export function createWorker(
  workshop: Workshop,
  queue: WorkQueue,
  settings: PlanSettings,
  room: Room,
): Worker {
  const inHand = new Map<AbortController, Lane>();
  const begun = openChunksBegun();
  let stopping = false;

  const handle = async (offer: TakenOffer): Promise<Handled> => {
    if (stopping) return againIn(workshop, 0);
    // What it holds is set aside for it: no encode is to wait for as long as somebody's server takes.
    if (offer.lane === "pull") return handleWithRoom(offer);
    const job = jobIdOf(offer);
    if (!room.enter(job, offer.memoryBytes, performance.now() / 1000, offer.lane === "fast"))
      return againIn(workshop, NO_ROOM_SECONDS);
    try {
      return await handleWithRoom(offer);
    } finally {
      room.leave(job);
    }
  };

  const handleWithRoom = async (offer: TakenOffer): Promise<Handled> => {
    const taken = await takeOffer(workshop, queue, offer, begun);
    if ("handled" in taken) return taken.handled;
    const controller = new AbortController();
    inHand.set(controller, offer.lane);
    // It was claimed while the worker was told to stop.
    if (stopping) controller.abort(new Stopped("shutdown"));
    try {
      return await doTask(workshop, queue, settings, taken.claimed, controller);
    } finally {
      inHand.delete(controller);
    }
  };

  return {
    handle: (offer) =>
      handle(offer).catch((error: unknown) => {
        // The claim runs out by itself, the queue asks again.
        workshop.log.error({ err: error, taskId: offer.taskId }, "a task could not be handled");
        return againIn(workshop, NO_LIBRARY_SECONDS);
      }),
    stop: () => {
      stopping = true;
      for (const controller of inHand.keys()) controller.abort(new Stopped("shutdown"));
    },
    running: () => inHand.size,
    onCores: () => [...inHand.values()].filter((lane) => lane !== "pull").length,
  };
}
