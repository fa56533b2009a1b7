import { tookTooLong, tooSlow } from "../core/pull-answer.ts";
import { NEW_STRETCH, nextStretch, type PaceLimits } from "../core/pull-pace.ts";

/** Holds a fetch to its pace, over all that is asked for in one attempt: who cuts the connection begins no new stretch. */
export class PullClock {
  readonly #limits: PaceLimits;
  readonly #endsAtMs: number;
  #stretch = NEW_STRETCH;
  #isOver = false;

  /** `spentSeconds` went by in earlier attempts. */
  constructor(limits: PaceLimits, spentSeconds: number) {
    this.#limits = limits;
    this.#endsAtMs = performance.now() + (limits.mostSeconds - spentSeconds) * 1000;
  }

  /** Whether it has ended this attempt: to ask once more at once would give it the same time again. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Throws `source_unreachable` where the fetch has had all its time. */
  check(): void {
    if (performance.now() < this.#endsAtMs) return;
    this.#isOver = true;
    throw tookTooLong(this.#limits.mostSeconds);
  }

  /** The body as it comes. Throws `source_unreachable` where it comes too slowly, or has had all its time. */
  async *watch(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let askedAtMs = performance.now();
    for await (const piece of body) {
      const waitedSeconds = (performance.now() - askedAtMs) / 1000;
      const next = nextStretch(this.#stretch, { waitedSeconds, bytes: piece.length }, this.#limits);
      if (next === null) {
        this.#isOver = true;
        throw tooSlow(this.#limits);
      }
      this.#stretch = next;
      this.check();
      yield piece;
      askedAtMs = performance.now();
    }
  }
}
