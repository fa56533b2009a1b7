import type { TrackPreferences, ViewerApi } from "./api-client.ts";
import { type TrackChoice, withChoice } from "./track-choice.ts";

/** Whoever tries several tracks tells the last one. */
const SETTLES_MS = 1_000;
/** A film waits for them, and can begin without. */
const WORTH_WAITING_MS = 2_000;

/**
 * Which sound and text the account wants in all films and on all its screens: read for each film, and told when a person
 * chooses. Nothing of it fails for the viewer: what could not be told holds in this tab, and is told with the next film.
 */
export class TrackWishes {
  readonly #api: ViewerApi;
  #known: TrackPreferences | null = null;
  #choice: TrackChoice | null = null;
  #timer = 0;

  constructor(api: ViewerApi) {
    this.#api = api;
    addEventListener("pagehide", () => this.#sendLast());
  }

  /**
   * Where something chosen here is not on record yet: what is wanted with it. It stands for all that the account wants, so
   * where that was never read it is null, and the film begins with what the browser remembers.
   */
  get ahead(): TrackPreferences | null {
    return this.#choice === null || this.#known === null ? null : withChoice(this.#known, this.#choice);
  }

  /** What is wanted in the next film; null where that cannot be known soon. Never rejects. */
  async read(): Promise<TrackPreferences | null> {
    if (this.#choice !== null) this.#schedule();
    try {
      this.#known = await this.#api.preferences(WORTH_WAITING_MS);
    } catch {
      // What was known holds.
    }
    return this.ahead ?? this.#known;
  }

  choose(choice: TrackChoice): void {
    this.#choice = { ...this.#choice, ...choice };
    this.#schedule();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#send(), SETTLES_MS);
  }

  async #send(): Promise<void> {
    const choice = this.#choice;
    if (choice === null) return;
    try {
      // Read again: another screen may have chosen meanwhile, and what is sent stands for all that is kept.
      const wanted = withChoice(await this.#api.preferences(), choice);
      await this.#api.setPreferences(wanted);
      this.#known = wanted;
      if (this.#choice === choice) this.#choice = null;
    } catch {
      // The next film tries again.
    }
  }

  /** There is no time to read: what was known must do. */
  #sendLast(): void {
    const { ahead } = this;
    if (ahead !== null) void this.#api.setPreferences(ahead).catch(() => undefined);
  }
}
