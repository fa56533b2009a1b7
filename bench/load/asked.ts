/** What a steady crowd is told to ask, and what it tells of the answers. */

export interface Asks {
  origin: string;
  seconds: number;
  kinds: Asked[];
}

/** One kind of request, at a rate of its own. */
export interface Asked {
  name: string;
  perSecond: number;
  /** Asked in turn. */
  requests: { method: string; path: string; token: string; body?: string }[];
}

/** Waits count from when a request was meant to be sent. Whatever is not a good answer counts as none. */
export interface Steady {
  asked: number;
  unanswered: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  mostMs: number;
}
