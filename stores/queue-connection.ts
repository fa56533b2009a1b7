import { Redis, type RedisOptions } from "ioredis";
import { Failure } from "../core/errors.ts";
import type { Lane } from "../core/work-order.ts";

/** How all of us reach the queue. */

/** What somebody waits for has a queue of its own: behind it stand no hours of encoding. */
export const QUEUE_NAMES: Record<Lane, string> = { usual: "work", fast: "fast", pull: "pull" };

/** BullMQ's own back-off ends at 20 s: a worker would idle that long after Redis is back. */
const retryStrategy = (times: number): number => Math.min(200 * times, 2_000);

export function connect(url: string, options: RedisOptions): Redis {
  const connection = new Redis(url, { retryStrategy, ...options });
  connection.on("error", () => undefined);
  return connection;
}

/** A producer never waits longer than this for Redis; the reconciler makes good what was not offered. */
const OFFER_DEADLINE_MS = 2_000;

/** The answer, or Failure `transient` after the deadline. */
export async function withDeadline<T>(work: Promise<T>): Promise<T> {
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
