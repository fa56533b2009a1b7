import type { Plan } from "../core/plan.ts";
import type { AssetRecord, TaskState } from "../core/records.ts";
import { placeTasks, placeTitle, type Queued, TITLES_IN_HAND } from "../core/schedule.ts";
import { isOffered, laneOf, type TaskSpec, tasksOf } from "../core/work.ts";

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
  /** When the first of its picture was begun, and when it was published; null where that is later than what is looked at. */
  begunAt: number | null;
  readyAt: number | null;
}

export interface Outcome {
  titles: SimulatedTitle[];
  /** Seconds of one core: all that was spent, and what of it was lost with workers. */
  workSeconds: number;
  lostSeconds: number;
  deaths: number;
}

/** What the product does: a claim of a dead worker is free after its lease, a round over all takes place so often. */
const LEASE_SECONDS = 6;
const ROUND_SECONDS = 5;
/** From one task's end to the next one's start: claim, fetching, process start. */
const TURNROUND_SECONDS = 0.3;
const TITLES_LOOKED_AT = 32;

interface Task {
  spec: TaskSpec;
  title: Title;
  state: TaskState;
  queuedAs: number | null;
}

interface Title extends SimulatedTitle {
  asset: AssetRecord;
  plan: Plan;
  tasks: Task[];
}

type Event =
  | { kind: "arrival"; title: Title }
  | { kind: "end"; task: Task; begunAt: number; dies: boolean }
  | { kind: "again"; task: Task }
  | { kind: "round" };

export function simulate(cluster: Cluster, arrivals: readonly Arrival[]): Outcome {
  const random = mulberry32(cluster.seed);
  const events = heapOf<Event>();
  const waiting = { fast: heapOf<Task>(), usual: heapOf<Task>() };
  const idle = { fast: cluster.workers, usual: cluster.workers };
  const titles = arrivals.map((arrival, index) => titleOf(arrival, index));
  const active = new Map<string, Title[]>();
  const outcome: Outcome = { titles, workSeconds: 0, lostSeconds: 0, deaths: 0 };
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
    }));
  };
  const begin = (task: Task, lane: "fast" | "usual"): void => {
    idle[lane]--;
    task.state = "claimed";
    task.queuedAs = null;
    if (task.spec.kind === "video") task.title.begunAt ??= now;
    const slow = random() < cluster.stragglers ? cluster.stragglerFactor : 1;
    const lasts = TURNROUND_SECONDS + task.spec.weight * slow * (1 + cluster.spread * (2 * random() - 1));
    const dies = random() < cluster.deaths;
    const endsAt = now + lasts * (dies ? random() : 1);
    events.push(endsAt, { kind: "end", task, begunAt: now, dies });
  };
  const end = ({ task, begunAt, dies }: Event & { kind: "end" }): void => {
    const lane = laneOf(task.spec.kind);
    // A worker that died is replaced: what is lost is its work and the time of its lease.
    idle[lane]++;
    outcome.workSeconds += now - begunAt;
    if (dies) {
      outcome.deaths++;
      outcome.lostSeconds += now - begunAt;
      events.push(now + LEASE_SECONDS, { kind: "again", task });
      return;
    }
    task.state = "done";
    finish(task);
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
    } else if (spec.kind !== "preview") offer(title);
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
      happened.task.state = "todo";
      put(happened.task, 0);
    } else {
      round();
      events.push(now + ROUND_SECONDS, { kind: "round" });
    }
    takeUp("fast");
    takeUp("usual");
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
  const never = { begunAt: null, readyAt: null };
  return { tenant, arrivedAt: atSeconds, ...never, asset, plan, tasks: [] };
}

interface Heap<T> {
  push(at: number, value: T): void;
  /** The smallest, and of equal ones the one that came first. */
  pop(): { at: number; value: T } | undefined;
}

function heapOf<T>(): Heap<T> {
  const items: { at: number; order: number; value: T }[] = [];
  let pushed = 0;
  const before = (a: number, b: number): boolean => {
    const [x, y] = [items[a]!, items[b]!];
    return x.at < y.at || (x.at === y.at && x.order < y.order);
  };
  const swap = (a: number, b: number): void => {
    [items[a], items[b]] = [items[b]!, items[a]!];
  };
  return {
    push(at, value) {
      items.push({ at, order: pushed++, value });
      for (let child = items.length - 1; child > 0; ) {
        const parent = (child - 1) >> 1;
        if (!before(child, parent)) break;
        swap(child, parent);
        child = parent;
      }
    },
    pop() {
      if (items.length === 0) return undefined;
      swap(0, items.length - 1);
      const least = items.pop();
      for (let parent = 0; ; ) {
        let smallest = parent;
        for (const child of [2 * parent + 1, 2 * parent + 2])
          if (child < items.length && before(child, smallest)) smallest = child;
        if (smallest === parent) return least;
        swap(parent, smallest);
        parent = smallest;
      }
    },
  };
}

/** A small seeded generator (Tommy Ettinger's mulberry32): the same run every time. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
