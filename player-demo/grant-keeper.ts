import type { Granted, Playback, ViewerApi } from "./api-client.ts";
import { ApiProblem } from "./api-problem.ts";
import { grantOf, renewDelayMs, withGrant } from "./grant-swap.ts";
import type { ServerClock } from "./server-clock.ts";

const RETRY_MS = 5_000;
/** With less than this left, a request waits for the new grant: a 403 would make hls.js give up the chosen quality. */
const SPARE_SECONDS = 5;

/** What a session may need to go on. */
export interface Needs {
  /** The server gives no further grant. */
  onLost(problem: ApiProblem): void;
  /** Asks for another token; `isRefused`: that was done, and it was no good either. Resolves once the API asks with it. */
  signIn(isRefused: boolean): Promise<void>;
}

/** Keeps the session's grant fresh while it plays, so that a long film never meets a 403. */
export class GrantKeeper {
  readonly #api: ViewerApi;
  readonly #sessionId: string;
  readonly #needs: Needs;
  #grant: string;
  #granted: Granted;
  #timer = 0;
  /** With a token that the server has not taken yet. */
  #hasSignedIn = false;
  #renewing: Promise<boolean> | null = null;

  constructor(api: ViewerApi, playback: Playback, needs: Needs) {
    this.#api = api;
    this.#sessionId = playback.sessionId;
    this.#needs = needs;
    this.#grant = grantOf(playback.manifestUrl) ?? "";
    this.#granted = playback;
    this.#schedule(renewDelayMs(this.#leftMs));
  }

  /** `url` with a grant that is good now. A timer sleeps with the machine, so it may have to be renewed first. */
  async fresh(url: string): Promise<string> {
    if (this.secondsLeft < SPARE_SECONDS && this.#timer !== -1) await this.renew();
    return withGrant(url, this.#grant);
  }

  get secondsLeft(): number {
    return Math.max(0, this.#leftMs / 1000);
  }

  /** As the last grant brought it. */
  get clock(): ServerClock {
    return this.#granted.clock;
  }

  /** By the server's time, which said when it ends. */
  get #leftMs(): number {
    return Date.parse(this.#granted.expiresAt) - this.clock.nowMs();
  }

  /**
   * Renews at once (several callers share one request); false where that failed. Where the viewer's token is over it waits
   * for another one: the film plays on while its grant lasts, and from then on whoever asks for more of it waits too.
   */
  renew(): Promise<boolean> {
    this.#renewing ??= this.#ask().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = -1;
  }

  async #ask(): Promise<boolean> {
    try {
      this.#granted = await this.#api.renew(this.#sessionId);
      this.#hasSignedIn = false;
      this.#grant = grantOf(this.#granted.manifestUrl) ?? this.#grant;
      this.#schedule(renewDelayMs(this.#leftMs));
      return true;
    } catch (thrown) {
      const problem = thrown instanceof ApiProblem ? thrown : new ApiProblem(0, "unreachable");
      if (problem.status === 401 && this.#timer !== -1) {
        await this.#needs.signIn(this.#hasSignedIn);
        this.#hasSignedIn = true;
        return this.#ask();
      }
      const isFinal = problem.status >= 400 && problem.status < 500 && problem.status !== 429;
      if (!isFinal) this.#schedule(RETRY_MS);
      else if (this.#timer !== -1) this.#needs.onLost(problem);
      return false;
    }
  }

  #schedule(delayMs: number): void {
    if (this.#timer === -1) return;
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.renew(), delayMs);
  }
}
