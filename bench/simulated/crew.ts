import { type Lane, laneOf } from "../../core/work-order.ts";
import { type Drawn, drawAttempt, isSlow, type Luck } from "./attempt.ts";
import type { Clock } from "./clock.ts";
import type { Attempt, Task } from "./title.ts";

/** What workers have spent. */
export interface Spent {
  /** Seconds of one core: all that was spent, and what of it was lost: with workers, or since another came first. */
  workSeconds: number;
  lostSeconds: number;
  deaths: number;
  /** Attempts that were begun beside a slow one. */
  besides: number;
}

/** What the product does: a claim of a dead worker is free after its lease, and the slower of two notices so late that it has lost. */
const LEASE_SECONDS = 6;
const NOTICE_SECONDS = 1.5;

/** The workers, and who of them is at what. One that dies is replaced: what is lost is its work and the time of its lease. */
export class Crew {
  readonly spent: Spent = { workSeconds: 0, lostSeconds: 0, deaths: 0, besides: 0 };
  readonly #luck: Luck;
  readonly #clock: Clock;
  readonly #idle: Record<Lane, number>;
  readonly #claimed = new Set<Task>();

  constructor(luck: Luck, workers: number, clock: Clock) {
    this.#luck = luck;
    this.#clock = clock;
    // The masters are all uploaded.
    this.#idle = { fast: workers, usual: workers, pull: 0 };
  }

  hasIdle(lane: Lane): boolean {
    return this.#idle[lane] > 0;
  }

  /** One of them is busy with nothing that is a task, until it is idle again. */
  keepBusy(): void {
    this.#idle.usual--;
  }

  letGo(): void {
    this.#idle.usual++;
  }

  begin(task: Task, lane: Lane): void {
    const { now } = this.#clock;
    this.#idle[lane]--;
    task.state = "claimed";
    task.queuedAs = null;
    this.#claimed.add(task);
    if (task.spec.kind === "video") task.title.begunAt ??= now;
    const drawn = drawAttempt(this.#luck, task, now);
    task.attempts.push(drawn.attempt);
    this.#clock.at(drawn.endsAt, { kind: "end", drawn });
  }

  /** How many seconds its task took, where it is done by this; null where its worker dies, or another came first and it has noticed. */
  end({ attempt, dies }: Drawn): number | null {
    const { task, begunAt } = attempt;
    if (!task.attempts.includes(attempt)) return null;
    const { now } = this.#clock;
    const tookSeconds = now - begunAt;
    this.spent.workSeconds += tookSeconds;
    this.#idle[laneOf(task.spec.kind)]++;
    if (dies) {
      this.spent.deaths++;
      this.spent.lostSeconds += tookSeconds;
      attempt.diedAt = now;
      this.#clock.after(LEASE_SECONDS, { kind: "again", attempt });
      return null;
    }
    this.#loseOthers(attempt);
    task.attempts = [];
    task.state = "done";
    this.#claimed.delete(task);
    return tookSeconds;
  }

  /** Those who are slower work on until they notice. */
  #loseOthers(first: Attempt): void {
    for (const other of first.task.attempts) {
      if (other === first || other.diedAt !== null) continue;
      const spentSeconds = this.#clock.now + NOTICE_SECONDS - other.begunAt;
      this.spent.workSeconds += spentSeconds;
      this.spent.lostSeconds += spentSeconds;
      this.#clock.after(NOTICE_SECONDS, { kind: "noticed" });
    }
  }

  /** Takes a dead worker's claim away; whether its task is to do again, since nobody else is at it. */
  forget(attempt: Attempt): boolean {
    const { task } = attempt;
    task.attempts = task.attempts.filter((one) => one !== attempt);
    if (task.state !== "claimed" || task.attempts.length > 0) return false;
    task.state = "todo";
    this.#claimed.delete(task);
    return true;
  }

  /** As `offerBesides`: nothing waits where a worker is idle. */
  lendAHand(): void {
    for (const task of this.#claimed) {
      const [attempt, second] = task.attempts;
      if (!this.hasIdle("usual")) return;
      if (attempt === undefined || second !== undefined || laneOf(task.spec.kind) === "fast") continue;
      if (!isSlow(attempt, this.#clock.now)) continue;
      this.spent.besides++;
      this.begin(task, "usual");
    }
  }
}
