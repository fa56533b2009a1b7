import { offerBesides } from "../stores/offer-work.ts";
import type { WorkQueue } from "../stores/queue.ts";
import { LEASE_SECONDS } from "./keep-claim.ts";
import type { Workshop } from "./task-context.ts";

/** Often, since what is looked for is what a title waits for; all idle workers together look this often. */
const PERIOD_MS = 1_000;

/**
 * While this worker has a hand free, looks for claims that others are slow at, so that the same is begun beside them by
 * whoever is idle. Returns a function that stops it.
 */
export function startLending(
  { library, log }: Workshop,
  queue: WorkQueue,
  isIdle: () => boolean,
): () => Promise<void> {
  let current: Promise<void> | null = null;
  const look = async (): Promise<void> => {
    try {
      if (await queue.takeTurn("lend a hand", PERIOD_MS * 0.9))
        await offerBesides(library, queue, LEASE_SECONDS);
    } catch (error) {
      log.warn({ err: error }, "looking for slow workers failed; trying again");
    } finally {
      current = null;
    }
  };
  const timer = setInterval(() => {
    if (isIdle()) current ??= look();
  }, PERIOD_MS);
  return async () => {
    clearInterval(timer);
    await current;
  };
}
