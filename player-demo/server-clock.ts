/** A moment by this machine's two clocks. What either says is held against no other machine's; what passes on it counts. */
export interface Moment {
  /** Since some beginning; nobody sets it. */
  steadyMs: number;
  /** Of the day, as somebody has set it. */
  wallMs: number;
}

export function thisMoment(): Moment {
  return { steadyMs: performance.now(), wallMs: Date.now() };
}

/**
 * The server's time, as an answer of its said it and as it has gone on here since. A viewer's own clock may be minutes off,
 * by which a grant would look over while it is good, or good when it is over.
 */
export class ServerClock {
  readonly #askedAt: Moment;
  readonly #saidMs: number;

  /** `date`: the answer's own `Date` (RFC 9110 6.6.1); where it has none that can be read, this machine's clock is believed. */
  constructor(date: string | null, askedAt: Moment) {
    const saidMs = Date.parse(date ?? "");
    this.#askedAt = askedAt;
    this.#saidMs = Number.isNaN(saidMs) ? askedAt.wallMs : saidMs;
  }

  /** Since 1970. Counted from the asking, so rather ahead than behind, by what the answer took. */
  nowMs(now: Moment = thisMoment()): number {
    const { steadyMs, wallMs } = this.#askedAt;
    // The steady one stands while some machines sleep, and the other one may be set back: more passes on one of them.
    return this.#saidMs + Math.max(0, now.steadyMs - steadyMs, now.wallMs - wallMs);
  }
}
