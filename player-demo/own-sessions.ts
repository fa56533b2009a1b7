import type { Playback, PlayWish, ViewerApi } from "./api-client.ts";

const STORED_AS = "matinee.session";

/**
 * The sessions of one tab, which follow each other: each is opened in the place of the one before. That one's end may still
 * be on its way, and a page that is loaded anew ends nothing, so where the account may watch no more at once it would be
 * kept out by itself. Another screen's session is never given up here.
 */
export class OwnSessions {
  readonly #api: ViewerApi;
  #opening: Promise<unknown> = Promise.resolve();

  constructor(api: ViewerApi) {
    this.#api = api;
  }

  /** Opens a session of the title. Throws `ApiProblem`. */
  open(titleId: string, wish: PlayWish): Promise<Playback> {
    // One behind the other: of a session that is still being opened nobody here could say which place to take.
    const opened = this.#opening.then(async () => {
      const last = sessionStorage.getItem(STORED_AS) ?? false;
      const playback = await this.#api.play(titleId, { ...wish, takeover: wish.takeover || last });
      sessionStorage.setItem(STORED_AS, playback.sessionId);
      return playback;
    });
    this.#opening = opened.catch(() => undefined);
    return opened;
  }

  /** Ends one of them. Never rejects: what nobody heard of ends with its grant, or with the next one opened here. */
  async end(sessionId: string): Promise<void> {
    try {
      await this.#api.end(sessionId);
    } catch {
      return;
    }
    if (sessionStorage.getItem(STORED_AS) === sessionId) sessionStorage.removeItem(STORED_AS);
  }
}
