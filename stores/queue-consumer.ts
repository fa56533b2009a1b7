import { type ConnectionOptions, DelayedError, type Job, Worker } from "bullmq";
import type { Lane } from "../core/work-order.ts";
import type { Handled, QueueSettings, TakenOffer } from "./queue.ts";
import { connect, QUEUE_NAMES } from "./queue-connection.ts";

/** The workers' side of the queue. */

/** At once in each worker, beside its usual slots: a preview's unit keeps one core for two seconds. */
const FAST_SLOTS = 1;

export interface Consumer {
  /** Takes no more jobs and resolves when the running handlers have ended. */
  close(): Promise<void>;
}

/**
 * Runs `handle` for offered tasks, at most `slots` at once and one more of the fast lane, and `pullSlots` fetched masters. A worker killed with `kill -9` has its jobs
 * offered again after lock and stall check (measured: under 10 s); the library's lease decides who works.
 */
export function consume(
  settings: QueueSettings,
  slots: number,
  handle: (offer: TakenOffer) => Promise<Handled>,
  pullSlots = 0,
): Consumer {
  const connection = connect(settings.url, { maxRetriesPerRequest: null });
  const run = async (job: Job<TakenOffer>, token?: string): Promise<void> => {
    const handled = await handle(job.data);
    if (handled === "done") return;
    await job.moveToDelayed(handled.againAt.getTime(), token);
    throw new DelayedError();
  };
  const work = (lane: Lane, concurrency: number): Worker => {
    const worker = new Worker(QUEUE_NAMES[lane], run, {
      connection: connection as ConnectionOptions,
      prefix: settings.prefix,
      concurrency,
      lockDuration: 6_000,
      stalledInterval: 2_000,
      // Deaths are counted in the library; here a job may stall for ever.
      maxStalledCount: 1_000_000,
    });
    worker.on("error", () => undefined);
    return worker;
  };
  const workers = [work("fast", FAST_SLOTS), work("usual", slots)];
  if (pullSlots > 0) workers.push(work("pull", pullSlots));
  return {
    close: async () => {
      await Promise.all(workers.map((worker) => worker.close()));
      connection.disconnect();
    },
  };
}
