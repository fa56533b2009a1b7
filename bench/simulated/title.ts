import { chunksSeenWith } from "../../core/film-parts.ts";
import type { Plan } from "../../core/plan.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import type { TaskState } from "../../core/records/task.ts";
import type { Peer } from "../../core/stragglers.ts";
import { type TaskSpec, tasksOf } from "../../core/work.ts";
import { isOffered } from "../../core/work-order.ts";

/** A title of a simulation, its tasks and who is at them. */

const BEGINNING = new Date(0);
/** Finished ones that a slow one is compared with. */
const PEERS_KEPT = 32;

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

export interface Title extends SimulatedTitle {
  asset: AssetRecord;
  plan: Plan;
  tasks: Task[];
  /** Of its tasks that are not alone of their kind, those that are done: by `peersKey`. */
  peers: Map<string, Peer[]>;
}

export interface Task extends Pick<TaskSpec, "kind" | "part" | "chunk"> {
  spec: TaskSpec;
  title: Title;
  state: TaskState;
  /** Nobody's lease runs out here: whoever dies is noticed. */
  leaseUntil: null;
  queuedAs: number | null;
  attempts: Attempt[];
  attemptsMade: number;
  /** How often a sound has been taken up, begun or not. */
  claims: number;
}

export interface Attempt {
  task: Task;
  begunAt: number;
  lastsSeconds: number;
  /** When its worker died; it is held for alive until its lease runs out. */
  diedAt: number | null;
}

/** A title that nothing has been done for yet. */
export function titleOf({ atSeconds, tenant, plan }: Arrival, index: number): Title {
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

/** Who has the same peers. */
export function peersKey({ kind, part }: Pick<TaskSpec, "kind" | "part">): string {
  return `${kind} ${part}`;
}

/** Remembers how long a task took that is not alone of its kind. */
export function notePeer({ title, spec }: Task, tookSeconds: number): void {
  if (spec.kind !== "video" && spec.kind !== "look" && spec.kind !== "verify") return;
  const peers = title.peers.get(peersKey(spec)) ?? [];
  const peer = { workSeconds: spec.weight, tookSeconds };
  title.peers.set(peersKey(spec), [...peers.slice(1 - PEERS_KEPT), peer]);
}

/** Gives it the tasks that its state calls for. */
export function planTasks(title: Title): void {
  title.tasks = tasksOf(title.asset).map((spec) => ({
    ...{ kind: spec.kind, part: spec.part, chunk: spec.chunk },
    spec,
    title,
    state: "todo",
    leaseUntil: null,
    queuedAs: null,
    attempts: [],
    attemptsMade: 0,
    claims: 0,
  }));
}

/** What its probing tells: from here on all of its tasks are known. */
export function takePlan(title: Title): void {
  title.asset.state = "encoding";
  title.asset.plan = title.plan;
  title.asset.generation = "g";
  planTasks(title);
}

/** Tasks that somebody is at or may begin. */
export function openTasks({ tasks }: Title): Task[] {
  return tasks.filter((task) => task.state === "claimed" || isOffered(task, tasks, BEGINNING));
}

/** Of the chunks of this one's ladder that some part sees together with it, those that are not done. */
export function openBeside({ title: { tasks }, spec: { part, chunk } }: Task): number[] {
  const { first, end } = chunksSeenWith(chunk);
  return tasks.flatMap(({ spec, state }) =>
    spec.kind === "video" && spec.part === part && state !== "done" && spec.chunk >= first && spec.chunk < end
      ? [spec.chunk]
      : [],
  );
}
