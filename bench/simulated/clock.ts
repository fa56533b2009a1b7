import type { Drawn } from "./attempt.ts";
import { heapOf } from "./heap.ts";
import type { Held } from "./held-sound.ts";
import type { Attempt, Task, Title } from "./title.ts";

/** What is to happen in a simulation. */
export type Event =
  | { kind: "arrival"; title: Title }
  | { kind: "end"; drawn: Drawn }
  | { kind: "noticed" }
  | { kind: "again"; attempt: Attempt }
  | { kind: "offered"; task: Task; held: Held }
  | { kind: "round" }
  | { kind: "look" };

/** Simulated time, which goes from one event to the next. */
export class Clock {
  readonly #events = heapOf<Event>();
  /** In seconds. */
  now = 0;

  at(time: number, event: Event): void {
    this.#events.push(time, event);
  }

  after(seconds: number, event: Event): void {
    this.at(this.now + seconds, event);
  }

  /** Goes on to what happens next; null where nothing does, or not until then. */
  next(until: number): Event | null {
    const next = this.#events.pop();
    if (next === undefined || next.at > until) return null;
    this.now = next.at;
    return next.value;
  }
}
