import { completesPart } from "../../core/film-parts.ts";
import { type Lane, laneOf } from "../../core/work-order.ts";
import { type Drawn, drawAttempt, isSlow, type Luck } from "./attempt.ts";
import { heapOf } from "./heap.ts";
import { type Held, heldBack } from "./held-sound.ts";
import { Schedule } from "./schedule.ts";
import {
  type Arrival,
  type Attempt,
  openBeside,
  peersKey,
  planTasks,
  type SimulatedTitle,
  type Task,
  type Title,
  takePlan,
  titleOf,
} from "./title.ts";

/**
 * Workers of one slot each on simulated time. Which tasks there are, which may begin and in which order they are taken up is
 * decided by the product's own rules; only the encoding is imagined. Which chunk of a ladder is nearest to a worker's own is not looked at: these
 * take what is offered.
 */
export interface Cluster extends Luck {
  workers: number;
  /** false: nobody begins anything beside a slow worker, for comparison. */
  lendsAHand?: boolean;
  /** Nothing that happens later is looked at. */
  untilSeconds?: number;
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
/** Idle workers look for slow ones so often, and the slower of two notices so late that it has lost. */
const LOOK_SECONDS = 1;
const NOTICE_SECONDS = 1.5;
/** Finished ones that a slow one is compared with. */
const PEERS_KEPT = 32;

type Event =
  | { kind: "arrival"; title: Title }
  | { kind: "end"; drawn: Drawn }
  | { kind: "noticed" }
  | { kind: "again"; attempt: Attempt }
  | { kind: "offered"; task: Task; held: Held }
  | { kind: "round" }
  | { kind: "look" };

/** What becomes of the titles that arrive; the same for the same seed. */
export function simulate(cluster: Cluster, arrivals: readonly Arrival[]): Outcome {
  return new Simulation(cluster, arrivals.map(titleOf)).run();
}

class Simulation {
  readonly #cluster: Cluster;
  readonly #titles: readonly Title[];
  readonly #outcome: Outcome;
  readonly #schedule = new Schedule();
  readonly #events = heapOf<Event>();
  readonly #idle: Record<Lane, number>;
  readonly #claimed = new Set<Task>();
  #unfinished: number;
  #now = 0;

  constructor(cluster: Cluster, titles: Title[]) {
    this.#cluster = cluster;
    this.#titles = titles;
    this.#outcome = { titles, workSeconds: 0, lostSeconds: 0, deaths: 0, besides: 0 };
    // Its masters are all uploaded.
    this.#idle = { fast: cluster.workers, usual: cluster.workers, pull: 0 };
    this.#unfinished = titles.length;
  }

  run(): Outcome {
    const until = this.#cluster.untilSeconds ?? Number.POSITIVE_INFINITY;
    for (const title of this.#titles) this.#events.push(title.arrivedAt, { kind: "arrival", title });
    this.#events.push(ROUND_SECONDS, { kind: "round" });
    this.#events.push(LOOK_SECONDS, { kind: "look" });
    while (this.#unfinished > 0) {
      const event = this.#events.pop();
      if (event === undefined || event.at > until) break;
      this.#now = event.at;
      this.#happen(event.value);
      this.#takeUp("fast");
      this.#takeUp("usual");
    }
    return this.#outcome;
  }

  #happen(event: Event): void {
    if (event.kind === "arrival") this.#arrive(event.title);
    else if (event.kind === "end") this.#end(event.drawn);
    else if (event.kind === "noticed") this.#idle.usual++;
    else if (event.kind === "again") this.#leaseEnds(event.attempt);
    else if (event.kind === "offered") this.#offerAgain(event.task, event.held);
    else if (event.kind === "round") this.#round();
    else this.#look();
  }

  #after(seconds: number, event: Event): void {
    this.#events.push(this.#now + seconds, event);
  }

  #arrive(title: Title): void {
    this.#schedule.admit(title);
    planTasks(title);
    this.#schedule.offer(title);
  }

  #takeUp(lane: Lane): void {
    while (this.#idle[lane] > 0) {
      const task = this.#schedule.next(lane);
      if (task === null) return;
      const held = heldBack(task, this.#cluster.workers, this.#now);
      if (held === null) this.#begin(task, lane);
      else this.#holdBack(task, held);
    }
  }

  /** Nobody is at it, and nobody is offered it meanwhile. */
  #holdBack(task: Task, held: Held): void {
    task.state = "claimed";
    task.queuedAs = null;
    if (held.inPlace) this.#idle.usual--;
    this.#after(held.seconds, { kind: "offered", task, held });
  }

  #offerAgain(task: Task, { inPlace }: Held): void {
    if (inPlace) this.#idle.usual++;
    task.state = "todo";
    this.#schedule.put(task, 0);
  }

  #begin(task: Task, lane: Lane): void {
    this.#idle[lane]--;
    task.state = "claimed";
    task.queuedAs = null;
    this.#claimed.add(task);
    if (task.spec.kind === "video") task.title.begunAt ??= this.#now;
    const drawn = drawAttempt(this.#cluster, task, this.#now);
    task.attempts.push(drawn.attempt);
    this.#events.push(drawn.endsAt, { kind: "end", drawn });
  }

  #end({ attempt, dies }: Drawn): void {
    const { task, begunAt } = attempt;
    // Another came first, and its worker has noticed.
    if (!task.attempts.includes(attempt)) return;
    const tookSeconds = this.#now - begunAt;
    this.#outcome.workSeconds += tookSeconds;
    // A worker that died is replaced: what is lost is its work and the time of its lease.
    this.#idle[laneOf(task.spec.kind)]++;
    if (dies) {
      this.#outcome.deaths++;
      this.#outcome.lostSeconds += tookSeconds;
      attempt.diedAt = this.#now;
      this.#after(LEASE_SECONDS, { kind: "again", attempt });
      return;
    }
    this.#loseOthers(attempt);
    task.attempts = [];
    task.state = "done";
    this.#claimed.delete(task);
    this.#follow(task, tookSeconds);
  }

  /** Those who are slower work on until they notice. */
  #loseOthers(first: Attempt): void {
    for (const other of first.task.attempts) {
      if (other === first || other.diedAt !== null) continue;
      const spentSeconds = this.#now + NOTICE_SECONDS - other.begunAt;
      this.#outcome.workSeconds += spentSeconds;
      this.#outcome.lostSeconds += spentSeconds;
      this.#after(NOTICE_SECONDS, { kind: "noticed" });
    }
  }

  /** What a task that is done opens the way for. */
  #follow(task: Task, tookSeconds: number): void {
    const { title, spec } = task;
    if (spec.kind === "publish") this.#publish(title);
    else if (spec.kind === "preview") title.seenAt ??= this.#now;
    else this.#open(task, tookSeconds);
  }

  #open(task: Task, tookSeconds: number): void {
    const { title, spec } = task;
    if (spec.kind === "video" || spec.kind === "look" || spec.kind === "verify") {
      const peers = title.peers.get(peersKey(spec)) ?? [];
      const peer = { workSeconds: spec.weight, tookSeconds };
      title.peers.set(peersKey(spec), [...peers.slice(1 - PEERS_KEPT), peer]);
    }
    if (spec.kind === "probe") takePlan(title);
    // As `offerAfter`.
    if (spec.kind !== "video" || completesPart(spec.chunk, openBeside(task))) this.#schedule.offer(title);
  }

  #publish(title: Title): void {
    title.readyAt = this.#now;
    title.asset.state = "ready";
    this.#schedule.remove(title);
    this.#unfinished--;
  }

  #leaseEnds(attempt: Attempt): void {
    const { task } = attempt;
    task.attempts = task.attempts.filter((one) => one !== attempt);
    if (task.state !== "claimed" || task.attempts.length > 0) return;
    task.state = "todo";
    this.#claimed.delete(task);
    this.#schedule.put(task, 0);
  }

  #round(): void {
    // A title alone has its places already.
    if (this.#unfinished > 1) this.#schedule.offerAll();
    this.#after(ROUND_SECONDS, { kind: "round" });
  }

  /** As `offerBesides`: nothing waits where a worker is idle. */
  #look(): void {
    if (this.#cluster.lendsAHand !== false) this.#lendAHand();
    this.#after(LOOK_SECONDS, { kind: "look" });
  }

  #lendAHand(): void {
    for (const task of this.#claimed) {
      const [attempt, second] = task.attempts;
      if (this.#idle.usual === 0) return;
      if (attempt === undefined || second !== undefined || laneOf(task.spec.kind) === "fast") continue;
      if (!isSlow(attempt, this.#now)) continue;
      this.#outcome.besides++;
      this.#begin(task, "usual");
    }
  }
}
