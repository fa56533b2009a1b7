import { z } from "@hono/zod-openapi";
import { followsOthers, LANES, laneOf } from "../core/work-order.ts";
import type {
  ClaimedTask,
  FailedAsset,
  HoldingWorker,
  TaskCounts,
  WaitingAssets,
} from "../stores/library/work-overview.ts";
import type { LaneCounts } from "../stores/queue.ts";
import { instant } from "./contract.ts";
import { unheardTasks } from "./unheard-tasks.ts";

const count = z.number().int();
const standings = {
  /** To be begun; of a kind that follows others, once what it follows is done. */
  todo: count,
  /** Failed and to be tried again, not yet. */
  backingOff: count,
  claimed: count,
  /** Held by a worker that did not renew in time: the next one takes it over. */
  lapsed: count,
  /** Set aside: not tried again unless somebody retries the asset. */
  failed: count,
};
const kindView = z.object({
  kind: z.string(),
  followsOthers: z.boolean(),
  ...standings,
  /** Of what is not done and not set aside, in seconds of one core. */
  workSeconds: z.number(),
});

/** Jobs as the queue itself counts them: hints, and no measure of what is to be done. */
const hintsView = z.object({
  waiting: count,
  active: count,
  delayed: count,
  /** Workers that listen to it, idle ones too. */
  consumers: count,
});

const laneView = z.object({
  lane: z.enum(LANES),
  /** As `matinee_queue_work_seconds`. */
  workSeconds: z.number(),
  kinds: z.array(kindView),
  /** Tasks that wait while no worker listens to the lane: nobody will do them. null while Redis does not answer. */
  unheard: count.nullable(),
  /** null while Redis does not answer. */
  hints: hintsView.nullable(),
});

const claimView = z.object({
  taskId: z.string(),
  assetId: z.string(),
  tenant: z.string(),
  kind: z.string(),
  worker: z.string().nullable(),
  claimedAt: instant.nullable(),
  leaseUntil: instant.nullable(),
  ratio: z.number(),
});

export const queuesView = z
  .object({
    /** By the library's clock, like all times here. */
    at: instant,
    lanes: z.array(laneView),
    /** Assets on their way, and how long the one that stood still longest has not changed. */
    assets: z.array(
      z.object({
        state: z.string(),
        count,
        longest: z.object({ id: z.string(), tenant: z.string(), since: instant }).nullable(),
      }),
    ),
    /** Who holds tasks now, and how many, of all claims; those who have most first. */
    workers: z.array(z.object({ worker: z.string(), tasks: count, since: instant.nullable() })),
    /** The first hundred, whose lease ends first coming first. */
    claims: z.array(claimView),
    /** The last twenty that failed: each waits for a person. */
    failedAssets: z.array(
      z.object({
        ...{ id: z.string(), tenant: z.string(), filename: z.string(), at: instant, code: z.string() },
        retryable: z.boolean(),
      }),
    ),
  })
  .openapi("Queues");
export type QueuesView = z.infer<typeof queuesView>;

export interface WorkOverview {
  now: Date;
  tasks: readonly TaskCounts[];
  claims: readonly ClaimedTask[];
  workers: readonly HoldingWorker[];
  assets: readonly WaitingAssets[];
  failedAssets: readonly FailedAsset[];
  /** null while Redis does not answer. */
  hints: LaneCounts | null;
}

/** What is to be done, as an operator is shown it. */
export function presentQueues(overview: WorkOverview): QueuesView {
  const { now, tasks, claims, workers, assets, failedAssets, hints } = overview;
  return {
    at: now.toISOString(),
    lanes: LANES.map((lane) => {
      const kinds = tasks
        .filter(({ kind }) => laneOf(kind) === lane)
        .map((counts) => ({ ...counts, followsOthers: followsOthers(counts) }))
        .sort((a, b) => b.workSeconds - a.workSeconds || (a.kind < b.kind ? -1 : 1));
      const workSeconds = kinds.reduce((sum, kind) => sum + kind.workSeconds, 0);
      const unheard = unheardTasks(lane, tasks, hints);
      return { lane, workSeconds, kinds, unheard, hints: hints?.[lane] ?? null };
    }),
    assets: assets.map(({ longest, ...state }) => ({
      ...state,
      longest: longest && { ...longest, since: longest.since.toISOString() },
    })),
    workers: workers.map(({ since, ...held }) => ({ ...held, since: since?.toISOString() ?? null })),
    claims: claims.map(({ _id: taskId, claimedAt, leaseUntil, ...claim }) => ({
      taskId,
      ...claim,
      claimedAt: claimedAt?.toISOString() ?? null,
      leaseUntil: leaseUntil?.toISOString() ?? null,
    })),
    failedAssets: failedAssets.map(({ at, ...asset }) => ({ ...asset, at: at.toISOString() })),
  };
}
