import type { Playback, PlayWish, ViewerApi } from "./api-client.ts";
import { holdSession, isFree } from "./session-lock.ts";

const STORED_AS = "matinee.session";

/**
 * The sessions of one tab, which follow each other: each is opened in the place of the one before. That one's end may still
 * be on its way, and a page that is loaded anew ends nothing, so where the account may watch no more at once it would be
 * kept out by itself. Another screen's session is never given up here, nor a twin's: a tab that is duplicated knows the
 * session of the one that it was made from.
 */
export class OwnSessions {
  readonly #api: ViewerApi;
  #opening: Promise<unknown> = Promise.resolve();
  /** How other tabs are told that they play here no more, by session. */
  readonly #held = new Map<string, () => void>();

  constructor(api: ViewerApi) {
    this.#api = api;
  }

  /** Opens a session of the title. Throws `ApiProblem`. */
  open(titleId: string, wish: PlayWish): Promise<Playback> {
    // One behind the other: of a session that is still being opened nobody here could say which place to take.
    const opened = this.#opening.then(async () => {
      const takeover = wish.takeover || (await this.#last()) || false;
      const playback = await this.#api.play(titleId, { ...wish, takeover });
      const { sessionId } = playback;
      this.#held.set(sessionId, holdSession(sessionId));
      sessionStorage.setItem(STORED_AS, sessionId);
      return playback;
    });
    this.#opening = opened.catch(() => undefined);
    return opened;
  }

  /** Ends one of them. Never rejects: what nobody heard of ends with its grant, or with the next one opened here. */
  async end(sessionId: string): Promise<void> {
    this.#held.get(sessionId)?.();
    this.#held.delete(sessionId);
    try {
      await this.#api.end(sessionId);
    } catch {
      return;
    }
    if (sessionStorage.getItem(STORED_AS) === sessionId) sessionStorage.removeItem(STORED_AS);
  }

  /** The last one of this tab, also of the page that was here before; null where it plays in a twin. */
  async #last(): Promise<string | null> {
    const last = sessionStorage.getItem(STORED_AS);
    return last === null || this.#held.has(last) || (await isFree(last)) ? last : null;
  }
}
