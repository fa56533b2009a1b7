import { fallenClaims, isPoisoned } from "../../core/fallen-claims.ts";
import type { AttemptRecord, TaskKind, TaskRecord } from "../../core/records/task.ts";
import { isStraggling, type Peer } from "../../core/stragglers.ts";
import { laneOf } from "../../core/work-order.ts";
import { counted, swap } from "./claims.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";

/**
 * Claims beside claims: an idle worker begins what another is slow at. Both may renew and complete; the first to
 * complete wins, and the other finds nothing left that it holds.
 */

/** A claim that is being held, without what its task made. */
export type HeldClaim = Pick<TaskRecord, keyof typeof HELD>;

const HELD = {
  ...{ _id: 1, assetId: 1, generation: 1, kind: 1, part: 1, chunk: 1, weight: 1, failures: 1 },
  ...{ epoch: 1, leaseUntil: 1, claimedAt: 1, ratio: 1, beside: 1 },
} as const;

/** How many of those that are done say enough of how long one takes. */
const PEERS_ASKED = 32;
/** A chunk has others beside it to be measured by, as has a part that is looked at or read back; the rest of the kinds are alone in their title. */
const HAVE_PEERS: ReadonlySet<TaskKind> = new Set(["video", "look", "verify"]);

/** Claims of the usual lane that are so slow that somebody idle is to begin the same. `leaseSeconds` is what they renew for. */
export async function stragglers(library: Library, leaseSeconds: number): Promise<HeldClaim[]> {
  const now = library.serverNow();
  const held = library.tasks.find({ state: "claimed", leaseUntil: { $gte: now } }, { projection: HELD });
  const claims = (await fromDriver(held.toArray())) as HeldClaim[];
  // What two are at already is left to them, unless one of them is gone.
  const single = claims.filter(
    ({ kind, beside }) => laneOf(kind) === "usual" && (beside == null || beside.leaseUntil < now),
  );
  const peers = new Map<string, Promise<Peer[]>>();
  const late = await Promise.all(
    single.map(async (claim) => {
      const { assetId, generation, kind, part, leaseUntil, claimedAt } = claim;
      if (leaseUntil === null || claimedAt == null) return [];
      const alike = `${assetId} ${generation} ${kind} ${part}`;
      if (!peers.has(alike))
        peers.set(alike, HAVE_PEERS.has(kind) ? peersOf(library, claim) : Promise.resolve([]));
      const underway = {
        workSeconds: claim.weight,
        ranSeconds: secondsBetween(claimedAt, now),
        ratio: claim.ratio,
        silentSeconds: leaseSeconds - secondsBetween(now, leaseUntil),
      };
      return isStraggling(underway, (await peers.get(alike))!) ? [claim] : [];
    }),
  );
  return late.flat();
}

async function peersOf(library: Library, { assetId, generation, kind, part }: HeldClaim): Promise<Peer[]> {
  const done = library.tasks.find(
    { assetId, state: "done", kind, part, generation },
    {
      projection: {
        ...{ weight: 1, "attempts.startedAt": 1, "attempts.endedAt": 1, "attempts.outcome": 1 },
      },
      limit: PEERS_ASKED,
    },
  );
  return (await fromDriver(done.toArray())).flatMap(({ weight, attempts }) =>
    attempts
      .filter(({ outcome }) => outcome === "done")
      .map(({ startedAt, endedAt }) => ({
        workSeconds: weight,
        tookSeconds: secondsBetween(startedAt, endedAt),
      })),
  );
}

function secondsBetween(from: Date, to: Date): number {
  return (to.getTime() - from.getTime()) / 1000;
}

/** The claim of a task that was made with this epoch, where it is still in its place. */
export async function findClaim(library: Library, id: string, epoch: number): Promise<HeldClaim | null> {
  const filter = { _id: id, epoch, state: "claimed" as const };
  return fromDriver(library.tasks.findOne<HeldClaim>(filter, { projection: HELD }));
}

/**
 * Claims a task beside the claim of `besideEpoch`, which stays good. null where that one is over or this worker's own,
 * or where two are at it already.
 */
export async function claimBeside(
  library: Library,
  id: string,
  besideEpoch: number,
  worker: string,
  leaseSeconds: number,
): Promise<TaskRecord | null> {
  const filter = { _id: id, epoch: besideEpoch, state: "claimed" as const };
  const task = await fromDriver(library.tasks.findOne(filter));
  const now = library.serverNow();
  if (task === null || task.worker === worker || task.leaseUntil === null) return null;
  const { epoch, leaseUntil, ratio, beside } = task;
  // Of a claim that is over somebody takes the place, and not a seat beside it.
  if (leaseUntil < now || (beside != null && beside.leaseUntil >= now)) return null;
  const fallen = fallenClaims(task, now);
  if (isPoisoned(task, fallen)) return null;
  const claimedAt = task.claimedAt ?? now;
  return swap(library, task, {
    $set: {
      beside: { epoch, worker: task.worker, claimedAt, leaseUntil, ratio },
      ...{ worker, ratio: 0, claimedAt: now },
      leaseUntil: new Date(now.getTime() + leaseSeconds * 1000),
    },
    ...counted(fallen),
  });
}

/**
 * Puts an attempt that came to nothing into the ledger, in place of the line that was written for it where it was taken
 * for dead. Changes nothing else but that it is no longer beside another.
 */
export async function recordLost(library: Library, claim: TaskRecord, attempt: AttemptRecord): Promise<void> {
  const projection = { "attempts.worker": 1, "attempts.startedAt": 1, "beside.epoch": 1 };
  const task = await fromDriver(library.tasks.findOne({ _id: claim._id }, { projection }));
  if (task === null) return;
  const line = task.attempts.findIndex(
    ({ worker, startedAt }) =>
      worker === attempt.worker && startedAt.getTime() === attempt.startedAt.getTime(),
  );
  await fromDriver(
    library.tasks.updateOne(
      { _id: claim._id },
      // Lines are only ever added: each keeps its place.
      line < 0 ? { $push: { attempts: attempt } } : { $set: { [`attempts.${line}`]: attempt } },
    ),
  );
  const filter = { _id: claim._id, "beside.epoch": claim.epoch };
  await fromDriver(library.tasks.updateOne(filter, { $set: { beside: null } }));
}
