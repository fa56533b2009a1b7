import { type ConnectionOptions, DelayedError, type Job, Queue, Worker } from "bullmq";
import { Redis, type RedisOptions } from "ioredis";
import { Failure } from "../core/errors.ts";
import type { TaskKind } from "../core/records/task.ts";
import { WAITED_FOR_PRIORITY } from "../core/schedule.ts";
import { LANES, type Lane } from "../core/work-order.ts";

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
  lane: Lane;
  priority: number;
  /** What it will hold in memory, roughly: whoever has less room leaves it to others. */
  memoryBytes: number;
  /** It is to be begun beside the claim of this epoch, which is slow. */
  besideEpoch?: number;
}

/** What a worker is told of a task. */
export type TakenOffer = Pick<Offer, "taskId" | "lane" | "memoryBytes" | "besideEpoch">;

/** `done`: forget the job. `again`: someone holds the task; look again at that time. */
export type Handled = "done" | { againAt: Date };

export interface WorkQueue {
  /** Adds what is not there yet. Throws Failure `transient` after the deadline. */
  offer(offers: readonly Offer[]): Promise<void>;
  /** Puts a task of the fast lane first, where it waits. */
  hurry(taskId: string): Promise<void>;
  /** Gives tasks that wait another priority; of those that do not, and of those that somebody waits for, nothing changes. */
  reorder(priorities: ReadonlyMap<string, number>): Promise<void>;
  /** True for one caller in `milliseconds`, of all processes: what they all do in turn is then done by one. */
  takeTurn(what: string, milliseconds: number): Promise<boolean>;
  /** How many wait for a core and run; fetched masters are not among them. */
  depth(): Promise<{ waiting: number; active: number; delayed: number }>;
  /** The same lane by lane, with who listens. */
  counts(): Promise<LaneCounts>;
  /** Asserts what we need of Redis: answers, keeps an append-only file, never evicts. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Jobs of a lane, and how many workers listen to it, idle ones too. */
export interface JobCounts {
  waiting: number;
  active: number;
  delayed: number;
  failed: number;
  consumers: number;
}
export type LaneCounts = Record<Lane, JobCounts>;

/** What somebody waits for has a queue of its own: behind it stand no hours of encoding. */
const QUEUE_NAMES: Record<Lane, string> = { usual: "work", fast: "fast", pull: "pull" };
/** At once in each worker, beside its usual slots: a preview's unit keeps one core for two seconds. */
const FAST_SLOTS = 1;
/** A producer never waits longer than this for Redis; the reconciler makes good what was not offered. */
const OFFER_DEADLINE_MS = 2_000;
/** BullMQ's own back-off ends at 20 s: a worker would idle that long after Redis is back. */
const retryStrategy = (times: number): number => Math.min(200 * times, 2_000);

/** Opens the producers' side. Connects lazily and survives Redis being away. */
export function openQueue(settings: QueueSettings): WorkQueue {
  const connection = connect(settings.url, { enableOfflineQueue: false, maxRetriesPerRequest: 1 });
  const open = (lane: Lane): Queue => {
    const queue = new Queue(QUEUE_NAMES[lane], {
      connection: connection as ConnectionOptions,
      prefix: settings.prefix,
    });
    // Without a listener a lost connection would end the process; ioredis reconnects by itself.
    queue.on("error", () => undefined);
    return queue;
  };
  const queues: Record<Lane, Queue> = { fast: open("fast"), usual: open("usual"), pull: open("pull") };
  return {
    offer: (offers) => withDeadline(addAll(queues, offers)),
    hurry: (taskId) => withDeadline(putFirst(queues.fast, taskId)),
    reorder: async (priorities) => {
      for (const lane of LANES) await reorder(queues[lane], priorities);
    },
    takeTurn: (what, milliseconds) =>
      withDeadline(takeTurn(connection, `${settings.prefix}:turn:${what}`, milliseconds)),
    depth: () => withDeadline(sumOfDepths(queues)),
    counts: () => withDeadline(countLanes(queues)),
    check: () => withDeadline(checkRedis(connection)),
    close: async () => {
      await Promise.all(LANES.map((lane) => queues[lane].close()));
      connection.disconnect();
    },
  };
}

function connect(url: string, options: RedisOptions): Redis {
  const connection = new Redis(url, { retryStrategy, ...options });
  connection.on("error", () => undefined);
  return connection;
}

async function addAll(queues: Record<Lane, Queue>, offers: readonly Offer[]): Promise<void> {
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

async function reorder(queue: Queue, priorities: ReadonlyMap<string, number>): Promise<void> {
  const first = await withDeadline(queue.getPrioritized(0, REORDERED - 1));
  for (const job of first) {
    const priority = priorities.get(job.id ?? "");
    if (priority === undefined || priority === job.priority || job.priority === WAITED_FOR_PRIORITY) continue;
    // Somebody took it up in between: then its place matters no more.
    await withDeadline(job.changePriority({ priority }).catch(() => undefined));
  }
}

async function takeTurn(connection: Redis, key: string, milliseconds: number): Promise<boolean> {
  return (await connection.set(key, "taken", "PX", milliseconds, "NX")) === "OK";
}

/** Of those that wait, the one that was asked for last comes first: whoever seeks again does not wait for where he was. */
async function putFirst(queue: Queue, taskId: string): Promise<void> {
  const job = await queue.getJob(taskId);
  await job?.changePriority({ priority: WAITED_FOR_PRIORITY, lifo: true });
}

async function sumOfDepths(queues: Record<Lane, Queue>) {
  const [fast, usual] = await Promise.all([queueDepth(queues.fast), queueDepth(queues.usual)]);
  return {
    waiting: fast.waiting + usual.waiting,
    active: fast.active + usual.active,
    delayed: fast.delayed + usual.delayed,
  };
}

async function countLanes(queues: Record<Lane, Queue>): Promise<LaneCounts> {
  const { fast, usual, pull } = queues;
  const counts = [countJobs(fast), countJobs(usual), countJobs(pull)] as const;
  const [ofFast, ofUsual, ofPull] = await Promise.all(counts);
  return { fast: ofFast, usual: ofUsual, pull: ofPull };
}

async function countJobs(queue: Queue): Promise<JobCounts> {
  const [depth, counts, consumers] = await Promise.all([
    queueDepth(queue),
    queue.getJobCounts("failed"),
    queue.getWorkersCount(),
  ]);
  return { ...depth, failed: counts.failed ?? 0, consumers };
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
