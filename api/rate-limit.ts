import type { Context } from "hono";
import { Redis } from "ioredis";
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import { Failure } from "../core/errors.ts";
import { inOneTurn } from "../stores/together.ts";
import { sayFirst } from "./answer-head.ts";
import type { ApiConfig } from "./config.ts";
import type { ApiEnv } from "./deps.ts";
import { rateLimitHeaders } from "./problem.ts";

const WINDOW_SECONDS = 60;
/** A player asks once for each film, and again where it is set up anew. */
const LICENSES_PER_SESSION = 30;
/** An answer never waits longer than this for Redis (RELIABILITY F09); the count in memory takes over. */
export const REDIS_DEADLINE_MS = 250;
/** After a count that failed all others are kept in memory for so long: one answer waits for a frozen Redis then, and not each. */
const REDIS_PAUSE_MS = 10_000;

/**
 * rate-limiter-flexible's own script, for all who are counted at once: counts each key up and says in how many
 * milliseconds it begins anew.
 */
const COUNT_EACH = `
local counts = {}
for at, key in ipairs(KEYS) do
  local points, seconds = ARGV[2 * at - 1], ARGV[2 * at]
  redis.call('set', key, 0, 'EX', seconds, 'NX')
  local count = redis.call('incrby', key, points)
  local ttl = redis.call('pttl', key)
  if ttl == -1 then
    redis.call('expire', key, seconds)
    ttl = 1000 * seconds
  end
  counts[at] = {count, ttl}
end
return counts
`;

type Limiter = RateLimiterRedis;

export interface RateLimits {
  account: Limiter;
  stranger: Limiter;
  /** By playback session. */
  license: Limiter;
  /** Words of links that there are not, by socket address; each word counts once. */
  guess: Limiter;
  /** Those words, by address and word. */
  guessed: Limiter;
  close(): void;
}

/** Counts per account and, before a token is known to be good, per socket address, shared through Redis. */
export function openRateLimits(
  queue: ApiConfig["queue"],
  rates: ApiConfig["rates"],
  redisDeadlineMs = REDIS_DEADLINE_MS,
): RateLimits {
  const redis = new Redis(queue.url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: redisDeadlineMs,
    retryStrategy: (times) => Math.min(200 * times, 2_000),
  });
  // Without a listener a lost connection would end the process; ioredis reconnects by itself.
  redis.on("error", () => undefined);
  const store = countingStore(redis);
  const limiter = (name: string, points: number): Limiter =>
    new RateLimiterRedis({
      storeClient: store,
      keyPrefix: `${queue.prefix}:rate:${name}`,
      points,
      duration: WINDOW_SECONDS,
      rejectIfRedisNotReady: true,
      inMemoryBlockOnConsumed: points + 1,
      insuranceLimiter: new RateLimiterMemory({ points, duration: WINDOW_SECONDS }),
    });
  return {
    account: limiter("account", rates.perAccount),
    stranger: limiter("stranger", rates.perStranger),
    license: limiter("license", LICENSES_PER_SESSION),
    guess: limiter("guess", rates.perStranger),
    guessed: limiter("guessed", 1),
    close: () => redis.disconnect(),
  };
}

/**
 * The two members of ioredis that the limiter asks for. Counts of one turn of the event loop go in one command, and none
 * waits for the one before it: the deadline is that of one command.
 */
function countingStore(redis: Redis) {
  let pausedUntil = Number.NEGATIVE_INFINITY;
  const count = inOneTurn(async (asked: readonly (readonly string[])[]) => {
    const keys = asked.map(([key = ""]) => key);
    const rest = asked.flatMap(([, points = "", seconds = ""]) => [points, seconds]);
    try {
      return (await redis.eval(COUNT_EACH, keys.length, ...keys, ...rest)) as [number, number][];
    } catch (thrown) {
      pausedUntil = performance.now() + REDIS_PAUSE_MS;
      throw thrown;
    }
  });
  return {
    /** Where it is not `ready`, the limiter does not ask. */
    get status() {
      return performance.now() < pausedUntil ? "paused" : redis.status;
    },
    rlflxIncr: count,
  };
}

/** One point of the account's budget for each request; over it: 429 with when to come again. */
export async function spendRequest(c: Context<ApiEnv>, limits: RateLimits): Promise<void> {
  const { tenant, subject } = c.get("caller");
  const spent = await consume(limits.account, `${tenant}:${subject}`);
  if (spent.over) throw tooMany(spent);
  const { limit, remainingPoints: remaining } = spent;
  const resetSeconds = Math.ceil(spent.msBeforeNext / 1000);
  for (const [name, value] of Object.entries(rateLimitHeaders({ limit, remaining, resetSeconds })))
    sayFirst(c, name, value);
}

/**
 * One bad token of what the socket's address may show; over it: 429. Guessing gets slow whatever headers it forges
 * (RELIABILITY T42), and a good token costs nothing here.
 */
export async function spendStrange(c: Context<ApiEnv>, limits: RateLimits): Promise<void> {
  const address = c.env?.incoming?.socket?.remoteAddress ?? "unknown";
  const spent = await consume(limits.stranger, address);
  if (spent.over) throw tooMany(spent);
}

/** One licence of a session's budget; over it: 429 with when to come again. */
export async function spendLicense(limits: RateLimits, sessionId: string): Promise<void> {
  const spent = await consume(limits.license, sessionId);
  if (spent.over) throw tooMany(spent);
}

/** Throws 429 where this address has tried as many words as it may. Costs nothing. */
export async function refuseGuesser(limits: RateLimits, address: string): Promise<void> {
  const spent = await consume(limits.guess, address, 0);
  if (spent.over || spent.remainingPoints === 0) throw tooMany(spent);
}

/**
 * One wrong word of an address's budget; over it: 429 with when to come again. A word that was tried there within the minute costs
 * nothing: who follows a dead link again learns nothing by it.
 */
export async function spendGuess(limits: RateLimits, address: string, word: string): Promise<void> {
  const isKnown = (await consume(limits.guessed, `${address} ${word}`)).over;
  if (isKnown) return;
  const spent = await consume(limits.guess, address);
  if (spent.over) throw tooMany(spent);
}

interface Spent {
  limit: number;
  over: boolean;
  remainingPoints: number;
  msBeforeNext: number;
}

async function consume(limiter: Limiter, key: string, points = 1): Promise<Spent> {
  try {
    const { remainingPoints, msBeforeNext } = await limiter.consume(key, points);
    return { limit: limiter.points, over: false, remainingPoints, msBeforeNext };
  } catch (thrown) {
    // The limiter rejects with the count itself where the budget is spent.
    if (!(thrown instanceof RateLimiterRes)) throw thrown;
    return { limit: limiter.points, over: true, remainingPoints: 0, msBeforeNext: thrown.msBeforeNext };
  }
}

function tooMany({ limit, msBeforeNext }: Spent): Failure {
  return new Failure("request", "rate_limited", "Too many requests.", {
    status: 429,
    requestLimit: limit,
    retryAfterSeconds: Math.max(1, Math.ceil(msBeforeNext / 1000)),
  });
}
