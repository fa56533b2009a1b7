import type { Plan } from "../core/plan.ts";
import type { AssetRecord } from "../core/records/asset.ts";
import type { TaskState } from "../core/records/task.ts";
import { placeTasks, placeTitle, type Queued, TITLES_IN_HAND } from "../core/schedule.ts";
import { isStraggling, type Peer } from "../core/stragglers.ts";
import { isOffered, laneOf, type TaskSpec, tasksOf } from "../core/work.ts";
import { seeded, seedOf } from "../test/fuzz/random.ts";
import { heapOf } from "./heap.ts";

/**
 * Workers of one slot each on simulated time. Which tasks there are, which may begin and in which order they are taken up is
 * decided by the product's own rules; only the encoding is imagined.
 */
export interface Cluster {
  workers: number;
  seed: number;
  /** Every task takes its cost times something from 1 − spread to 1 + spread. */
  spread: number;
  /** Share of attempts whose worker dies half-way, and share of those that take `stragglerFactor` times as long. */
  deaths: number;
  stragglers: number;
  stragglerFactor: number;
  /** false: nobody begins anything beside a slow worker, for comparison. */
  lendsAHand?: boolean;
  /** Nothing that happens later is looked at. */
  untilSeconds?: number;
}

export interface Arrival {
  atSeconds: number;
  tenant: string;
  plan: Plan;
}

export interface SimulatedTitle {
  tenant: string;
  arrivedAt: number;
  /**
   * When the first of its preview could be seen, the first of its picture was begun, and it was published; null where that is
   * later than what is looked at.
   */
  seenAt: number | null;
  begunAt: number | null;
  readyAt: number | null;
}

export interface Outcome {
  titles: SimulatedTitle[];
  /** Seconds of one core: all that was spent, and what of it was lost: with workers, or since another came first. */
  workSeconds: number;
  lostSeconds: number;
  deaths: number;
  /** Attempts that were begun beside a slow one. */
  besides: number;
}

/** What the product does: a claim of a dead worker is free after its lease, a round over all takes place so often. */
const LEASE_SECONDS = 6;
const ROUND_SECONDS = 5;
/** From one task's end to the next one's start: claim, fetching, process start. */
const TURNROUND_SECONDS = 0.3;
const TITLES_LOOKED_AT = 32;
/** Idle workers look for slow ones so often, and the slower of two notices so late that it has lost. */
const LOOK_SECONDS = 1;
const NOTICE_SECONDS = 1.5;

interface Task {
  spec: TaskSpec;
  title: Title;
  state: TaskState;
  queuedAs: number | null;
  attempts: Attempt[];
  attemptsMade: number;
}

interface Attempt {
  task: Task;
  begunAt: number;
  lastsSeconds: number;
  /** When its worker died; it is held for alive until its lease runs out. */
  diedAt: number | null;
}

interface Title extends SimulatedTitle {
  asset: AssetRecord;
  plan: Plan;
  tasks: Task[];
  /** Of its chunks, those that are done: ladder by ladder. */
  peers: Map<string, Peer[]>;
}

type Event =
  | { kind: "arrival"; title: Title }
  | { kind: "end"; attempt: Attempt; dies: boolean }
  | { kind: "noticed" }
  | { kind: "again"; attempt: Attempt }
  | { kind: "round" }
  | { kind: "look" };

export function simulate(cluster: Cluster, arrivals: readonly Arrival[]): Outcome {
  const events = heapOf<Event>();
  const waiting = { fast: heapOf<Task>(), usual: heapOf<Task>(), pull: heapOf<Task>() };
  // Its masters are all uploaded.
  const idle = { fast: cluster.workers, usual: cluster.workers, pull: 0 };
  const titles = arrivals.map((arrival, index) => titleOf(arrival, index));
  const active = new Map<string, Title[]>();
  const outcome: Outcome = { titles, workSeconds: 0, lostSeconds: 0, deaths: 0, besides: 0 };
  const claimed = new Set<Task>();
  const until = cluster.untilSeconds ?? Number.POSITIVE_INFINITY;
  let unfinished = titles.length;
  let now = 0;

  const rankOf = (title: Title): number => active.get(title.tenant)!.indexOf(title);
  const queuedOf = (task: Task, rank: number): Queued => ({
    taskId: task.spec.id,
    tenant: task.title.tenant,
    assetId: task.title.asset._id,
    kind: task.spec.kind,
    chunk: task.spec.chunk,
    workSeconds: task.spec.weight,
    memoryBytes: 0,
    isRunning: task.state === "claimed",
    isBackfill: false,
    rank,
  });
  const put = (task: Task, priority: number): void => {
    if (task.state !== "todo" || task.queuedAs === priority) return;
    task.queuedAs = priority;
    waiting[laneOf(task.spec.kind)].push(priority, task);
  };
  const openOf = (title: Title): Task[] => {
    const outlines = title.tasks.map(({ spec, state }) => ({ ...spec, state }));
    return title.tasks.filter(
      ({ spec, state }) =>
        state === "claimed" || isOffered({ ...spec, state, leaseUntil: null }, outlines, new Date(0)),
    );
  };
  const place = (open: readonly Task[], queued: Queued[], by: typeof placeTasks): void => {
    const places = by(queued);
    for (const task of open) put(task, places.get(task.spec.id) ?? 0);
  };
  /** As `offerWork`. */
  const offer = (title: Title): void => {
    const rank = Math.min(rankOf(title), TITLES_IN_HAND);
    const open = openOf(title);
    place(
      open,
      open.map((task) => queuedOf(task, rank)),
      placeTitle,
    );
  };
  const planTasks = (title: Title): void => {
    title.tasks = tasksOf(title.asset).map((spec) => ({
      spec,
      title,
      state: "todo",
      queuedAs: null,
      attempts: [],
      attemptsMade: 0,
    }));
  };
  const begin = (task: Task, lane: "fast" | "usual"): void => {
    idle[lane]--;
    task.state = "claimed";
    task.queuedAs = null;
    claimed.add(task);
    if (task.spec.kind === "video") task.title.begunAt ??= now;
    // Drawn for the attempt, not in the order of things: two runs that differ in one rule have the same luck.
    const { share } = seeded(seedOf(`${cluster.seed} ${task.spec.id} ${task.attemptsMade++}`));
    const slow = share() < cluster.stragglers ? cluster.stragglerFactor : 1;
    const lastsSeconds =
      TURNROUND_SECONDS + task.spec.weight * slow * (1 + cluster.spread * (2 * share() - 1));
    const dies = share() < cluster.deaths;
    const attempt = { task, begunAt: now, lastsSeconds, diedAt: null };
    task.attempts.push(attempt);
    events.push(now + lastsSeconds * (dies ? share() : 1), { kind: "end", attempt, dies });
  };
  const end = ({ attempt, dies }: Event & { kind: "end" }): void => {
    const { task, begunAt } = attempt;
    // Another came first, and its worker has noticed.
    if (!task.attempts.includes(attempt)) return;
    outcome.workSeconds += now - begunAt;
    // A worker that died is replaced: what is lost is its work and the time of its lease.
    idle[laneOf(task.spec.kind)]++;
    if (dies) {
      outcome.deaths++;
      outcome.lostSeconds += now - begunAt;
      attempt.diedAt = now;
      events.push(now + LEASE_SECONDS, { kind: "again", attempt });
      return;
    }
    for (const other of task.attempts.filter((one) => one !== attempt && one.diedAt === null)) {
      const spentSeconds = now + NOTICE_SECONDS - other.begunAt;
      outcome.workSeconds += spentSeconds;
      outcome.lostSeconds += spentSeconds;
      events.push(now + NOTICE_SECONDS, { kind: "noticed" });
    }
    task.attempts = [];
    task.state = "done";
    claimed.delete(task);
    const { title, spec } = task;
    if (spec.kind === "video") {
      const peer = { workSeconds: spec.weight, tookSeconds: now - begunAt };
      title.peers.set(spec.part, [...(title.peers.get(spec.part) ?? []).slice(-31), peer]);
    }
    finish(task);
  };
  /** As `offerBesides`: who is idle has found that nothing waits. */
  const look = (): void => {
    if (cluster.lendsAHand === false) return;
    for (const task of claimed) {
      const [attempt, second] = task.attempts;
      if (idle.usual === 0) return;
      if (attempt === undefined || second !== undefined || laneOf(task.spec.kind) === "fast") continue;
      const underway = {
        workSeconds: task.spec.weight,
        ranSeconds: now - attempt.begunAt,
        ratio: ((attempt.diedAt ?? now) - attempt.begunAt) / attempt.lastsSeconds,
        silentSeconds: attempt.diedAt === null ? 0 : now - attempt.diedAt,
      };
      const peers = task.spec.kind === "video" ? task.title.peers.get(task.spec.part) : undefined;
      if (!isStraggling(underway, peers ?? [])) continue;
      outcome.besides++;
      begin(task, "usual");
    }
  };
  const finish = (task: Task): void => {
    const { title, spec } = task;
    if (spec.kind === "publish") {
      title.readyAt = now;
      title.asset.state = "ready";
      active.get(title.tenant)!.splice(rankOf(title), 1);
      unfinished--;
    } else if (spec.kind === "probe") {
      title.asset.state = "encoding";
      title.asset.plan = title.plan;
      title.asset.generation = "g";
      planTasks(title);
      offer(title);
    } else if (spec.kind === "video") {
      // As `offerAfter`.
      const isLast = title.tasks.every(
        (other) => other.state === "done" || other.spec.kind !== "video" || other.spec.part !== spec.part,
      );
      if (isLast) offer(title);
    } else if (spec.kind === "preview") title.seenAt ??= now;
    else offer(title);
  };
  /** As `offerAll`; a title alone has its places already. */
  const round = (): void => {
    if (unfinished === 1) return;
    const looked = [...active.values()].flatMap((ofTenant) =>
      ofTenant
        .slice(0, TITLES_LOOKED_AT)
        .flatMap((title, rank) => openOf(title).map((task) => ({ task, rank }))),
    );
    place(
      looked.map(({ task }) => task),
      looked.map(({ task, rank }) => queuedOf(task, rank)),
      placeTasks,
    );
  };
  const takeUp = (lane: "fast" | "usual"): void => {
    while (idle[lane] > 0) {
      const next = waiting[lane].pop();
      if (next === undefined) return;
      if (next.value.state === "todo" && next.value.queuedAs === next.at) begin(next.value, lane);
    }
  };

  for (const title of titles) events.push(title.arrivedAt, { kind: "arrival", title });
  events.push(ROUND_SECONDS, { kind: "round" });
  events.push(LOOK_SECONDS, { kind: "look" });
  while (unfinished > 0) {
    const event = events.pop();
    if (event === undefined || event.at > until) break;
    now = event.at;
    const happened = event.value;
    if (happened.kind === "arrival") {
      const ofTenant = active.get(happened.title.tenant) ?? [];
      active.set(happened.title.tenant, [...ofTenant, happened.title]);
      planTasks(happened.title);
      offer(happened.title);
    } else if (happened.kind === "end") end(happened);
    else if (happened.kind === "again") {
      const { task } = happened.attempt;
      task.attempts = task.attempts.filter((one) => one !== happened.attempt);
      if (task.state === "claimed" && task.attempts.length === 0) {
        task.state = "todo";
        claimed.delete(task);
        put(task, 0);
      }
    } else if (happened.kind === "noticed") idle.usual++;
    else if (happened.kind === "round") {
      round();
      events.push(now + ROUND_SECONDS, { kind: "round" });
    }
    takeUp("fast");
    takeUp("usual");
    if (happened.kind === "look") {
      look();
      events.push(now + LOOK_SECONDS, { kind: "look" });
    }
  }
  return outcome;
}

function titleOf({ atSeconds, tenant, plan }: Arrival, index: number): Title {
  // Of a record only what the rules look at.
  const asset = {
    _id: `as_${index}`,
    tenant,
    state: "queued",
    revision: 1,
    plan: null,
    generation: null,
    pinned: null,
    published: null,
  } as unknown as AssetRecord;
  const never = { seenAt: null, begunAt: null, readyAt: null };
  return { tenant, arrivedAt: atSeconds, ...never, asset, plan, tasks: [], peers: new Map() };
}
