import { completesPart } from "../../core/film-parts.ts";
import type { Lane } from "../../core/work-order.ts";
import type { Drawn, Luck } from "./attempt.ts";
import { Clock, type Event } from "./clock.ts";
import { Crew, type Spent } from "./crew.ts";
import { type Held, heldBack } from "./held-sound.ts";
import { Schedule } from "./schedule.ts";
import {
  type Arrival,
  type Attempt,
  notePeer,
  openBeside,
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

export interface Outcome extends Spent {
  titles: SimulatedTitle[];
}

/** What the product does: a round over all takes place so often, and idle workers look for slow ones. */
const ROUND_SECONDS = 5;
const LOOK_SECONDS = 1;

/** What becomes of the titles that arrive; the same for the same seed. */
export function simulate(cluster: Cluster, arrivals: readonly Arrival[]): Outcome {
  return new Simulation(cluster, arrivals.map(titleOf)).run();
}

class Simulation {
  readonly #cluster: Cluster;
  readonly #titles: Title[];
  readonly #clock = new Clock();
  readonly #crew: Crew;
  readonly #schedule = new Schedule();
  #unfinished: number;

  constructor(cluster: Cluster, titles: Title[]) {
    this.#cluster = cluster;
    this.#titles = titles;
    this.#crew = new Crew(cluster, cluster.workers, this.#clock);
    this.#unfinished = titles.length;
  }

  run(): Outcome {
    for (const title of this.#titles) this.#clock.at(title.arrivedAt, { kind: "arrival", title });
    this.#clock.at(ROUND_SECONDS, { kind: "round" });
    this.#clock.at(LOOK_SECONDS, { kind: "look" });
    while (this.#unfinished > 0) {
      const event = this.#clock.next(this.#cluster.untilSeconds ?? Number.POSITIVE_INFINITY);
      if (event === null) break;
      this.#happen(event);
      this.#takeUp("fast");
      this.#takeUp("usual");
    }
    return { titles: this.#titles, ...this.#crew.spent };
  }

  #happen(event: Event): void {
    if (event.kind === "arrival") this.#arrive(event.title);
    else if (event.kind === "end") this.#end(event.drawn);
    else if (event.kind === "noticed") this.#crew.letGo();
    else if (event.kind === "again") this.#leaseEnds(event.attempt);
    else if (event.kind === "offered") this.#offerAgain(event.task, event.held);
    else if (event.kind === "round") this.#round();
    else this.#look();
  }

  #arrive(title: Title): void {
    this.#schedule.admit(title);
    planTasks(title);
    this.#schedule.offer(title);
  }

  #takeUp(lane: Lane): void {
    while (this.#crew.hasIdle(lane)) {
      const task = this.#schedule.next(lane);
      if (task === null) return;
      const held = heldBack(task, this.#cluster.workers, this.#clock.now);
      if (held === null) this.#crew.begin(task, lane);
      else this.#holdBack(task, held);
    }
  }

  /** Nobody is at it, and nobody is offered it meanwhile. */
  #holdBack(task: Task, held: Held): void {
    task.state = "claimed";
    task.queuedAs = null;
    if (held.inPlace) this.#crew.keepBusy();
    this.#clock.after(held.seconds, { kind: "offered", task, held });
  }

  #offerAgain(task: Task, { inPlace }: Held): void {
    if (inPlace) this.#crew.letGo();
    task.state = "todo";
    this.#schedule.put(task, 0);
  }

  #end(drawn: Drawn): void {
    const tookSeconds = this.#crew.end(drawn);
    if (tookSeconds !== null) this.#follow(drawn.attempt.task, tookSeconds);
  }

  /** What a task that is done opens the way for. */
  #follow(task: Task, tookSeconds: number): void {
    const { title, spec } = task;
    if (spec.kind === "publish") this.#publish(title);
    else if (spec.kind === "preview") title.seenAt ??= this.#clock.now;
    else this.#open(task, tookSeconds);
  }

  #open(task: Task, tookSeconds: number): void {
    const { title, spec } = task;
    notePeer(task, tookSeconds);
    if (spec.kind === "probe") takePlan(title);
    // As `offerAfter`.
    if (spec.kind !== "video" || completesPart(spec.chunk, openBeside(task))) this.#schedule.offer(title);
  }

  #publish(title: Title): void {
    title.readyAt = this.#clock.now;
    title.asset.state = "ready";
    this.#schedule.remove(title);
    this.#unfinished--;
  }

  #leaseEnds(attempt: Attempt): void {
    if (this.#crew.forget(attempt)) this.#schedule.put(attempt.task, 0);
  }

  #round(): void {
    // A title alone has its places already.
    if (this.#unfinished > 1) this.#schedule.offerAll();
    this.#clock.after(ROUND_SECONDS, { kind: "round" });
  }

  #look(): void {
    if (this.#cluster.lendsAHand !== false) this.#crew.lendAHand();
    this.#clock.after(LOOK_SECONDS, { kind: "look" });
  }
}
