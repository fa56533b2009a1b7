import type { AssetRecord } from "./records/asset.ts";
import type { TaskKind, TaskRecord } from "./records/task.ts";
import { laneOf } from "./work-order.ts";

/**
 * In which order open tasks are taken up, as the number that the queue sorts by. Tenants have equal shares, and within a
 * tenant its oldest titles: start-time fair queueing whose virtual time is begun anew in each round, so that it needs no
 * memory. Whoever has been served more has less left, and never waits for it (docs/decisions/schedule.md).
 */

/** A task as the schedule sees it. */
export interface Queued extends Pick<TaskRecord, "tenant" | "assetId" | "kind" | "part" | "chunk"> {
  taskId: string;
  /** What it costs, in seconds of one core. */
  workSeconds: number;
  /** What it will hold in memory, roughly. */
  memoryBytes: number;
  /** Somebody is at it: it needs no place, but counts against its tenant. */
  isRunning: boolean;
  /** After all that is not: see `isBackfill`. */
  isBackfill: boolean;
  /** How many unfinished titles of the same tenant and lane are older. */
  rank: number;
}

/** What an open task is part of: `normal` and `backfill` share a queue, the others have one each. */
export type Urgency = "fast" | "pull" | "normal" | "backfill";

function urgencyOf({ kind, isBackfill }: Pick<Queued, "kind" | "isBackfill">): Urgency {
  const lane = laneOf(kind);
  if (lane !== "usual") return lane;
  return isBackfill ? "backfill" : "normal";
}

/** Whether the asset waits for all others: because its owner said so, or since something of it can be watched meanwhile. */
export function isBackfill({ published, encoding }: Pick<AssetRecord, "published" | "encoding">): boolean {
  return encoding.lane === undefined ? published !== null : encoding.lane === "backfill";
}

/**
 * Titles of one tenant that are worked on together. Shares among all of ten thousand would finish none of them before
 * nearly all are done; one at a time would leave workers idle at each title's end.
 */
export const TITLES_IN_HAND = 8;

/** Somebody waits for it this very moment: before all that has a place by its turn. */
export const WAITED_FOR_PRIORITY = 1;
/** Where each urgency's places begin and how many there are, one a second of work. The queue knows 2^21 of them. */
const FIRST_PLACE: Record<Urgency, number> = { fast: 2, pull: 2, normal: 2, backfill: 1_000_001 };
const LAST_PLACE = 999_990;
/** What somebody is at already comes after all that nobody is at. */
export const BESIDE_PRIORITY = 2_000_002;

/** They open the way for others and are short. */
const OPENS_THE_WAY: ReadonlySet<TaskKind> = new Set(["probe", "analyse", "publish"]);

/**
 * The priority of each task that waits, 1 first. A task's place is the work of its own tenant ahead of it, in seconds,
 * so that the same place of two tenants means the same service. Titles beyond those in hand have the last place: they
 * are taken up where a worker would be idle, and get a better one when it is their turn.
 */
export function placeTasks(tasks: readonly Queued[]): Map<string, number> {
  const places = new Map<string, number>();
  const flows = Map.groupBy(tasks, (task) => `${urgencyOf(task)} ${task.tenant}`);
  for (const flow of flows.values()) {
    const first = FIRST_PLACE[urgencyOf(flow[0]!)];
    let aheadSeconds = 0;
    for (const task of inTurn(flow)) {
      const place = task.rank < TITLES_IN_HAND ? Math.min(LAST_PLACE, Math.round(aheadSeconds)) : LAST_PLACE;
      if (!task.isRunning) places.set(task.taskId, first + place);
      aheadSeconds += task.workSeconds;
    }
  }
  return places;
}

/**
 * The places of one title's tasks where its neighbours are not known, until the next round over all: as if the older
 * titles of its tenant each had as much to do.
 */
export function placeTitle(tasks: readonly Queued[]): Map<string, number> {
  const sharing = 1 + Math.min(tasks[0]?.rank ?? 0, TITLES_IN_HAND);
  return placeTasks(tasks.map((task) => ({ ...task, workSeconds: task.workSeconds * sharing })));
}

/** One tenant's tasks of one urgency: its titles take turns by the work of theirs that is ahead, older ones first. */
function inTurn(flow: readonly Queued[]): Queued[] {
  const titles = Map.groupBy(flow, ({ assetId }) => assetId);
  const turns = [...titles.values()].flatMap((title) => {
    let aheadSeconds = 0;
    return title.toSorted(withinTitle).map((task) => {
      const turn = { task, aheadSeconds };
      aheadSeconds += task.workSeconds;
      return turn;
    });
  });
  const inHand = (task: Queued): number => Number(task.rank >= TITLES_IN_HAND);
  turns.sort(
    (a, b) => inHand(a.task) - inHand(b.task) || a.aheadSeconds - b.aheadSeconds || a.task.rank - b.task.rank,
  );
  return turns.map(({ task }) => task);
}

/** Largest first: a long task that begins last is what a title waits for in the end. */
function withinTitle(a: Queued, b: Queued): number {
  return (
    Number(b.isRunning) - Number(a.isRunning) ||
    Number(OPENS_THE_WAY.has(b.kind)) - Number(OPENS_THE_WAY.has(a.kind)) ||
    b.workSeconds - a.workSeconds ||
    a.chunk - b.chunk
  );
}
