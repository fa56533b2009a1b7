/** What of watching is told to the server; each has a number of its own in the session, so that it counts once. */
export type Told = { seq: number; renditionId: string | null } & (
  | { type: "startup"; startupSeconds: number }
  | { type: "stall"; durationSeconds: number }
  | { type: "error"; code: string; fatal: boolean }
  | { type: "rung"; bps: number; height: number }
  | { type: "heartbeat"; playedSeconds: number }
);

/** Less is a flicker of the events, and no viewer sees it. */
const SHORTEST_STALL_MS = 100;
/** Ticks come four times a second: a longer gap is a machine that slept. */
const LONGEST_TICK_MS = 2_000;
/** The API takes no more at once: who waits for an hour is not there. */
const LONGEST_SECONDS = 3_600;
/** Who watches so much more has got over an error that was called fatal. */
const RECOVERED_MS = 2_000;

/** What the viewer felt so far: from the wish to the first picture (null before it), and standing still that is over. */
export interface Felt {
  startupSeconds: number | null;
  stalls: number;
  stalledSeconds: number;
}

/**
 * Measures a session by what the video element says: start-up without the time in which nobody had pressed play yet,
 * standing still without seeking and pauses, and how long each rung was watched. Times are of one monotonic clock, in ms.
 */
export class WatchMeter {
  readonly #askedAt: number;
  #readyAt: number | null = null;
  #playedAt: number | null = null;
  #hasStarted = false;
  #stalledSince: number | null = null;
  #tickedAt: number | null = null;
  #playedMs = 0;
  #renditionId: string | null = null;
  #fatalCode: string | null = null;
  #seq = 0;
  #felt: Felt = { startupSeconds: null, stalls: 0, stalledSeconds: 0 };

  /** `askedAt`: when the viewer asked for the film. */
  constructor(askedAt: number) {
    this.#askedAt = askedAt;
  }

  get felt(): Readonly<Felt> {
    return this.#felt;
  }

  /** The film could begin. */
  ready(now: number): void {
    this.#readyAt ??= now;
  }

  /** Somebody, or autoplay, wishes it to play. */
  wished(now: number): void {
    if (!this.#hasStarted) this.#playedAt = now;
  }

  /** Pictures move. */
  moves(now: number): Told[] {
    const told = this.#endStall(now);
    this.#tickedAt = now;
    if (this.#hasStarted) return told;
    this.#hasStarted = true;
    // Between being able to and being told to, it is the viewer who waits for nothing.
    const readyAt = this.#readyAt ?? this.#askedAt;
    const idleMs = Math.max(0, (this.#playedAt ?? readyAt) - readyAt);
    const startupSeconds = seconds(Math.max(0, now - this.#askedAt - idleMs));
    this.#felt.startupSeconds = startupSeconds;
    return [...told, this.#tell({ type: "startup", startupSeconds })];
  }

  /** There is nothing to show. `isOwnDoing`: the viewer seeks, or has paused. */
  waits(now: number, isOwnDoing: boolean): void {
    this.#addUp(now);
    this.#tickedAt = null;
    if (this.#hasStarted && !isOwnDoing) this.#stalledSince ??= now;
  }

  /** Paused, sought or at its end: what stood still stood still until here. */
  halts(now: number): Told[] {
    this.#addUp(now);
    this.#tickedAt = null;
    return this.#endStall(now);
  }

  /** The position has moved on by playing. After a seek within the buffer nothing else says that it goes on. */
  advances(now: number): void {
    this.#addUp(now);
    if (this.#hasStarted && this.#stalledSince === null) this.#tickedAt = now;
  }

  /** Another rung is shown from here on. */
  switched(now: number, rung: { renditionId: string | null; bps: number; height: number }): Told[] {
    const told = this.heartbeat(now);
    this.#renditionId = rung.renditionId;
    return [...told, this.#tell({ type: "rung", bps: rung.bps, height: rung.height })];
  }

  /** Something went wrong. Whether it ended the session is told when it is seen whether it goes on. */
  failed(now: number, code: string, isFatal: boolean): Told[] {
    if (!isFatal) return [this.#tell({ type: "error", code, fatal: false })];
    const told = this.heartbeat(now);
    this.#fatalCode = code;
    return told;
  }

  /** The viewer goes, or is shown that it cannot go on. */
  left(now: number): Told[] {
    const told = [...this.halts(now), ...this.heartbeat(now)];
    const code = this.#fatalCode;
    this.#fatalCode = null;
    return code === null ? told : [...told, this.#tell({ type: "error", code, fatal: true })];
  }

  /** What was watched since the last heartbeat; none where nothing was. */
  heartbeat(now: number): Told[] {
    this.#addUp(now);
    const [playedMs, code] = [this.#playedMs, this.#fatalCode];
    if (playedMs === 0) return [];
    this.#playedMs = 0;
    const played = this.#tell({ type: "heartbeat" as const, playedSeconds: seconds(playedMs) });
    if (code === null || playedMs < RECOVERED_MS) return [played];
    this.#fatalCode = null;
    return [played, this.#tell({ type: "error", code, fatal: false })];
  }

  #addUp(now: number): void {
    if (this.#tickedAt === null) return;
    this.#playedMs += Math.min(LONGEST_TICK_MS, Math.max(0, now - this.#tickedAt));
    this.#tickedAt = now;
  }

  #endStall(now: number): Told[] {
    const since = this.#stalledSince;
    this.#stalledSince = null;
    if (since === null || now - since < SHORTEST_STALL_MS) return [];
    const durationSeconds = seconds(now - since);
    this.#felt.stalls++;
    this.#felt.stalledSeconds += durationSeconds;
    return [this.#tell({ type: "stall", durationSeconds })];
  }

  #tell<D extends { type: Told["type"] }>(detail: D): D & { seq: number; renditionId: string | null } {
    return { ...detail, seq: this.#seq++, renditionId: this.#renditionId };
  }
}

function seconds(ms: number): number {
  return Math.min(LONGEST_SECONDS, Math.round(ms) / 1000);
}

/** The rendition that a level's playlist is of: `…/video/<renditionId>/media.m3u8`. */
export function renditionOf(playlistUrl: string): string | null {
  return /\/video\/([a-z0-9-]+)\/[^/]+$/.exec(playlistUrl.split("?", 1)[0] ?? "")?.[1] ?? null;
}
