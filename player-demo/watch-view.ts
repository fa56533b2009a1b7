import { ApiProblem } from "./api-problem.ts";
import { goHome } from "./card-link.ts";
import { element } from "./element.ts";
import { playFilm } from "./play-film.ts";
import { otherScreens, problemPanel, problemText } from "./problem-panel.ts";
import type { Seat } from "./seat.ts";
import { showSignIn } from "./sign-in.ts";
import { text } from "./strings.ts";

/** What is to be played now. */
interface Wish {
  /** null is where it was left. */
  fromSeconds: number | null;
  /** Another screen of the account makes room for this one. */
  takeover?: boolean;
}

/** The way on that the viewer has after a problem. */
interface Way {
  label: string;
  run: () => void;
}

/**
 * Plays a title in `root`, from where it was left unless told otherwise. Returns how to leave: playing stops, the
 * position is kept, the session ends.
 */
export function showWatch(
  root: HTMLElement,
  seat: Seat,
  titleId: string,
  fromSeconds: number | null,
): () => void {
  const screen = new WatchScreen(root, seat, titleId);
  void screen.start({ fromSeconds });
  return () => screen.leave();
}

/** Where one title is watched: its film, or what keeps it from playing. */
class WatchScreen {
  readonly #root: HTMLElement;
  readonly #seat: Seat;
  readonly #titleId: string;
  /** Ends what is on the screen now. */
  #clear: () => void = () => undefined;
  #isLeft = false;

  constructor(root: HTMLElement, seat: Seat, titleId: string) {
    this.#root = root;
    this.#seat = seat;
    this.#titleId = titleId;
  }

  async start(wish: Wish): Promise<void> {
    this.#empty();
    const { api, sessions, wishes } = this.#seat;
    const askedAtMs = performance.now();
    this.#root.replaceChildren(element("p", { class: "loading waiting", role: "status" }, text("loading")));
    try {
      const [playback, title, preferences] = await Promise.all([
        sessions.open(this.#titleId, { takeover: wish.takeover ?? false, preferences: wishes.ahead }),
        api.title(this.#titleId).catch(() => null),
        wishes.read(),
      ]);
      if (this.#isLeft) return void sessions.end(playback.sessionId);
      const resumeAtSeconds = wish.fromSeconds ?? playback.resumeAtSeconds;
      const film = {
        ...{ titleId: this.#titleId, title, preferences, askedAtMs },
        playback: { ...playback, resumeAtSeconds },
      };
      this.#clear = await playFilm(this.#root, this.#seat, film, {
        // A session lives for a day: where it is over, a new one goes on from the same place.
        onOver: (fromSeconds) => void this.start({ fromSeconds }),
        onRefused: (problem, fromSeconds) => this.#refuse(problem, fromSeconds),
        onFailed: (message, fromSeconds) => this.#fail(message, null, this.#again(fromSeconds)),
      });
    } catch (thrown) {
      if (!this.#isLeft) this.#refuse(thrown, wish.fromSeconds);
    }
  }

  leave(): void {
    this.#isLeft = true;
    this.#clear();
  }

  #empty(): void {
    this.#clear();
    this.#clear = () => undefined;
  }

  #again(fromSeconds: number | null): Way {
    return { label: text("retry"), run: () => void this.start({ fromSeconds }) };
  }

  /** What the API refused, with the way on that it leaves. */
  #refuse(thrown: unknown, fromSeconds: number | null): void {
    const { status, code } = thrown instanceof ApiProblem ? thrown : { status: 0, code: "" };
    const again = this.#again(fromSeconds);
    if (status === 401) {
      this.#askToken(problemText(thrown), again);
      return;
    }
    const takeOver = () => void this.start({ fromSeconds, takeover: true });
    const way = code === "too_many_streams" ? { label: text("watchHere"), run: takeOver } : again;
    this.#fail(problemText(thrown), otherScreens(thrown), way);
    if (code !== "unreachable") return;
    addEventListener("online", again.run, { once: true });
    this.#clear = () => removeEventListener("online", again.run);
  }

  #askToken(refusal: string, { run }: Way): void {
    this.#empty();
    showSignIn(this.#root, refusal, (token) => {
      this.#seat.signIn(token);
      run();
    });
  }

  #fail(message: string, more: HTMLElement | null, way: Way): void {
    this.#empty();
    this.#root.replaceChildren(problemPanel(message, more, way, { label: text("backToFilms"), run: goHome }));
    this.#root.querySelector<HTMLElement>(".primary")?.focus();
  }
}
