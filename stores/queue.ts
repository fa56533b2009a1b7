import { type ConnectionOptions, DelayedError, type Job, Queue, Worker } from "bullmq";
import { Redis, type RedisOptions } from "ioredis";
import { Failure } from "../core/errors.ts";
import type { TaskKind } from "../core/records.ts";

/**
 * The queue is a hint: it says which task to look at next, quickly. What is to be done and who does it is
 * in the library; everything here may vanish, repeat or come late (RELIABILITY §4.1).
 */

export interface QueueSettings {
  url: string;
  prefix: string;
}

/** What to look at. Smaller `priority` first (1 is the first). */
export interface Offer {
  taskId: string;
  kind: TaskKind;
  priority: number;
}

/** `done`: forget the job. `again`: someone holds the task; look again at that time. */
export type Handled = "done" | { againAt: Date };

export interface WorkQueue {
  /** Adds what is not there yet. Throws Failure `transient` after the deadline. */
  offer(offers: readonly Offer[]): Promise<void>;
  /** How many wait and run. */
  depth(): Promise<{ waiting: number; active: number; delayed: number }>;
  /** Asserts what we need of Redis: answers, keeps an append-only file, never evicts. */
  check(): Promise<void>;
  close(): Promise<void>;
}

const QUEUE_NAME = "work";
/** A producer never waits longer than this for Redis; the reconciler makes good what was not offered. */
const OFFER_DEADLINE_MS = 2_000;
/** BullMQ's own back-off ends at 20 s: a worker would idle that long after Redis is back. */
const retryStrategy = (times: number): number => Math.min(200 * times, 2_000);

/** Opens the producers' side. Connects lazily and survives Redis being away. */
export function openQueue(settings: QueueSettings): WorkQueue {
  const connection = connect(settings.url, { enableOfflineQueue: false, maxRetriesPerRequest: 1 });
  const queue = new Queue(QUEUE_NAME, {
    connection: connection as ConnectionOptions,
    prefix: settings.prefix,
  });
  // Without a listener a lost connection would end the process; ioredis reconnects by itself.
  queue.on("error", () => undefined);
  return {
    offer: (offers) => withDeadline(addAll(queue, offers)),
    depth: () => withDeadline(queueDepth(queue)),
    check: () => withDeadline(checkRedis(connection)),
    close: async () => {
      await queue.close();
      connection.disconnect();
    },
  };
}

function connect(url: string, options: RedisOptions): Redis {
  const connection = new Redis(url, { retryStrategy, ...options });
  connection.on("error", () => undefined);
  return connection;
}

async function addAll(queue: Queue, offers: readonly Offer[]): Promise<void> {
  if (offers.length === 0) return;
  await queue.addBulk(
    offers.map(({ taskId, kind, priority }) => ({
      name: kind,
      data: { taskId },
      // The id only keeps the queue short: a second offer of a waiting task adds nothing. Nothing relies on it.
      opts: { jobId: taskId, priority, removeOnComplete: true, removeOnFail: true },
    })),
  );
}

async function queueDepth(queue: Queue): Promise<{ waiting: number; active: number; delayed: number }> {
  const counts = await queue.getJobCounts("waiting", "prioritized", "active", "delayed");
  return {
    waiting: (counts.waiting ?? 0) + (counts.prioritized ?? 0),
    active: counts.active ?? 0,
    delayed: counts.delayed ?? 0,
  };
}

async function checkRedis(connection: Redis): Promise<void> {
  const setting = async (name: string): Promise<string> =>
    ((await connection.config("GET", name)) as string[])[1] ?? "";
  const [policy, appendOnly] = await Promise.all([setting("maxmemory-policy"), setting("appendonly")]);
  if (policy !== "noeviction")
    throw weak(`Redis evicts keys (maxmemory-policy is ${policy}); set it to noeviction.`);
  if (appendOnly !== "yes") throw weak("Redis keeps no append-only file; start it with --appendonly yes.");
}

function weak(message: string): Failure {
  return new Failure("resource", "queue_unsafe", message);
}

async function withDeadline<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("deadline")), OFFER_DEADLINE_MS);
  });
  try {
    return await Promise.race([work, deadline]);
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure("transient", "queue_unavailable", "The queue does not answer.", { cause });
  } finally {
    clearTimeout(timer);
  }
}

export interface Consumer {
  /** Takes no more jobs and resolves when the running handlers have ended. */
  close(): Promise<void>;
}

/**
 * Runs `handle` for offered tasks, at most `slots` at once. A worker killed with `kill -9` has its jobs
 * offered again after lock and stall check (measured: under 10 s); the library's lease decides who works.
 */
export function consume(
  settings: QueueSettings,
  slots: number,
  handle: (taskId: string) => Promise<Handled>,
): Consumer {
  const connection = connect(settings.url, { maxRetriesPerRequest: null });
  const run = async (job: Job<{ taskId: string }>, token?: string): Promise<void> => {
    const handled = await handle(job.data.taskId);
    if (handled === "done") return;
    await job.moveToDelayed(handled.againAt.getTime(), token);
    throw new DelayedError();
  };
  const worker = new Worker(QUEUE_NAME, run, {
    connection: connection as ConnectionOptions,
    prefix: settings.prefix,
    concurrency: slots,
    lockDuration: 6_000,
    stalledInterval: 2_000,
    // Deaths are counted in the library; here a job may stall for ever.
    maxStalledCount: 1_000_000,
  });
  worker.on("error", () => undefined);
  return {
    close: async () => {
      await worker.close();
      connection.disconnect();
    },
  };
}
