import { placeTasks, placeTitle, type Queued, TITLES_IN_HAND } from "../../core/schedule.ts";
import { type Lane, laneOf } from "../../core/work-order.ts";
import { heapOf } from "./heap.ts";
import { openTasks, type Task, type Title } from "./title.ts";

const TITLES_LOOKED_AT = 32;
/** Old places are let go of after so many rounds. */
const ROUNDS_KEPT = 16;

/** The queue of a simulation: what waits, by the places that the product's own rules give it. */
export class Schedule {
  readonly #waiting = { fast: heapOf<Task>(), usual: heapOf<Task>(), pull: heapOf<Task>() };
  /** Unfinished titles of each tenant, oldest first. */
  readonly #active = new Map<string, Title[]>();
  #rounds = 0;

  admit(title: Title): void {
    this.#active.set(title.tenant, [...this.#ofTenant(title), title]);
  }

  remove(title: Title): void {
    this.#ofTenant(title).splice(this.#rankOf(title), 1);
  }

  /** As `offerWork`. */
  offer(title: Title): void {
    const rank = Math.min(this.#rankOf(title), TITLES_IN_HAND);
    this.#place(
      openTasks(title).map((task) => ({ task, rank })),
      placeTitle,
    );
  }

  /** As `offerAll`. */
  offerAll(): void {
    const looked = [...this.#active.values()].flatMap((ofTenant) =>
      ofTenant
        .slice(0, TITLES_LOOKED_AT)
        .flatMap((title, rank) => openTasks(title).map((task) => ({ task, rank }))),
    );
    this.#place(looked, placeTasks);
    if (++this.#rounds % ROUNDS_KEPT === 0)
      for (const lane of Object.values(this.#waiting)) lane.keep(isWhereItStands);
  }

  put(task: Task, priority: number): void {
    if (task.state !== "todo" || task.queuedAs === priority) return;
    task.queuedAs = priority;
    this.#waiting[laneOf(task.spec.kind)].push(priority, task);
  }

  /** The next to be taken up; null where nothing waits. */
  next(lane: Lane): Task | null {
    for (;;) {
      const first = this.#waiting[lane].pop();
      if (first === undefined) return null;
      if (isWhereItStands(first.at, first.value)) return first.value;
    }
  }

  #place(open: readonly { task: Task; rank: number }[], by: typeof placeTasks): void {
    const places = by(open.map(({ task, rank }) => queuedOf(task, rank)));
    for (const { task } of open) this.put(task, places.get(task.spec.id) ?? 0);
  }

  #ofTenant({ tenant }: Title): Title[] {
    return this.#active.get(tenant) ?? [];
  }

  #rankOf(title: Title): number {
    return this.#ofTenant(title).indexOf(title);
  }
}

/** One that was placed anew, or is begun, stands at its old place as well. */
function isWhereItStands(at: number, { state, queuedAs }: Task): boolean {
  return state === "todo" && queuedAs === at;
}

function queuedOf({ spec, title, state }: Task, rank: number): Queued {
  return {
    taskId: spec.id,
    tenant: title.tenant,
    assetId: title.asset._id,
    kind: spec.kind,
    part: spec.part,
    chunk: spec.chunk,
    workSeconds: spec.weight,
    memoryBytes: 0,
    isRunning: state === "claimed",
    isBackfill: false,
    rank,
  };
}
