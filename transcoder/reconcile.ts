import { offerAll } from "../stores/offer-work.ts";
import type { WorkQueue } from "../stores/queue.ts";
import type { Workshop } from "./task-context.ts";

/** How often the queue is derived anew: a wiped Redis costs at most this and the time to connect. */
const PERIOD_MS = 5_000;
/** Shorter than the shortest time between two rounds of one worker, so that a worker alone never misses its own. */
const TURN_MS = 3_000;

/**
 * Derives, again and again, the tasks that every unfinished asset needs and offers those that nobody works on.
 * Every worker runs one, one of them at a time does a round: each step is harmless to repeat. Returns a function that stops it.
 */
export function startReconciler(workshop: Workshop, queue: WorkQueue): () => Promise<void> {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const round = async (): Promise<void> => {
    try {
      await reconcile(workshop, queue);
    } catch (error) {
      workshop.log.warn({ err: error }, "reconciling failed; trying again");
    }
    if (!stopped) timer = setTimeout(start, PERIOD_MS * (0.75 + Math.random() / 2));
  };
  let current: Promise<void>;
  const start = (): void => {
    current = round();
  };
  start();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await current;
  };
}

/** One round over all unfinished assets, by whoever's turn it is: what it costs does not grow with the workers. */
export async function reconcile(workshop: Workshop, queue: WorkQueue): Promise<void> {
  if (await queue.takeTurn("reconcile", TURN_MS)) await offerAll(workshop.library, queue);
}
