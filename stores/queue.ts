import { type ConnectionOptions, Queue } from "bullmq";
import type { Redis } from "ioredis";
import { Failure } from "../core/errors.ts";
import type { TaskKind } from "../core/records/task.ts";
import { LANES, type Lane } from "../core/work-order.ts";
import { connect, QUEUE_NAMES, withDeadline } from "./queue-connection.ts";
import { addAll, countLanes, depthsOf, putFirst, reorder, sumOfDepths } from "./queue-jobs.ts";

/**
 * The queue is a hint: it says which task to look at next, quickly. What is to be done and who does it is
 * in the library; everything here may vanish, repeat or come late (RELIABILITY §4.1).
 */

export interface QueueSettings {
  url: string;
  prefix: string;
}

/**
 * What a library has in Redis lies under its own name: of two installations under one prefix each would take up the other's tasks,
 * find them in no library of its own and drop them.
 */
export function ofLibrary({ url, prefix }: QueueSettings, libraryName: string): QueueSettings {
  return { url, prefix: `${prefix}:${libraryName}` };
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
  depth(): Promise<JobDepth>;
  /** The same lane by lane, all of them. */
  depths(): Promise<Record<Lane, JobDepth>>;
  /** And with who listens. */
  counts(): Promise<LaneCounts>;
  /** Asserts what we need of Redis: answers, keeps an append-only file, never evicts. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Jobs of a lane by what becomes of them; those that are done or failed are kept by nobody. */
export interface JobDepth {
  waiting: number;
  active: number;
  delayed: number;
}

/** And how many workers listen to it, idle ones too. */
export interface JobCounts extends JobDepth {
  consumers: number;
}

export type LaneCounts = Record<Lane, JobCounts>;

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
    depths: () => withDeadline(depthsOf(queues)),
    counts: () => withDeadline(countLanes(queues)),
    check: () => withDeadline(checkRedis(connection)),
    close: async () => {
      await Promise.all(LANES.map((lane) => queues[lane].close()));
      connection.disconnect();
    },
  };
}

async function takeTurn(connection: Redis, key: string, milliseconds: number): Promise<boolean> {
  return (await connection.set(key, "taken", "PX", milliseconds, "NX")) === "OK";
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
