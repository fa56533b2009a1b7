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

  /**
   * For what ends. Since 1970, counted from the asking, so rather ahead than behind, by what the answer took. A clock that is
   * set on brings an end near too early, which costs asking once more; one that stood would bring it too late.
   */
  nowMs(now: Moment = thisMoment()): number {
    // The steady one stands while some machines sleep, and the other one may be set back: more passes on one of them.
    return Math.max(this.steadyNowMs(now), this.#saidMs + now.wallMs - this.#askedAt.wallMs);
  }

  /** For what is put in order: never back, whatever somebody sets. Behind, where the steady clock stood in sleep. */
  steadyNowMs(now: Moment = thisMoment()): number {
    return this.#saidMs + Math.max(0, now.steadyMs - this.#askedAt.steadyMs);
  }
}

/**
 * The moments of what a session tells, each later than the one before: the API keeps the place of the latest. They go by the
 * newest of the server's clocks, which may be a little behind the last one: each was as far ahead as its answer was late.
 */
export class TellingClock {
  readonly #newest: () => ServerClock;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(newest: () => ServerClock) {
    this.#newest = newest;
  }

  /** Since 1970, in whole milliseconds: what is said in ISO 8601 has no parts of them. */
  nextMs(now: Moment = thisMoment()): number {
    this.#toldMs = Math.max(this.#toldMs + 1, Math.floor(this.#newest().steadyNowMs(now)));
    return this.#toldMs;
  }
}
