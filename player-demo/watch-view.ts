import type Hls from "hls.js";
import { ApiProblem, type Playback, type TitlePage, type ViewerApi } from "./api-client.ts";
import { startBeacons } from "./beacons.ts";
import { beginAt, loadFilm } from "./begin-playing.ts";
import { watchHref } from "./card-link.ts";
import { EdgeKeeper } from "./edge-keeper.ts";
import { element } from "./element.ts";
import { fitPicture, isHdrScreen } from "./fit-picture.ts";
import { fitSound, outputChannels } from "./fit-sound.ts";
import { furnishPlayer } from "./furnish-player.ts";
import { GrantKeeper } from "./grant-keeper.ts";
import { keepPlaying, leaveSilentEdges } from "./keep-playing.ts";
import { askNextEdge } from "./load-policies.ts";
import { playerControls } from "./player-controls.ts";
import { otherScreens, problemPanel, problemText } from "./problem-panel.ts";
import { protectionConfig } from "./protection.ts";
import { showShare } from "./share-dialog.ts";
import { text } from "./strings.ts";
import { watchLayer } from "./watch-layer.ts";
import { WatchMeter } from "./watch-meter.ts";

declare global {
  interface Window {
    /** What plays now, for tests: hls.js and the native video element. Nothing in the page reads it. */
    matinee?: { hls: Hls; video: HTMLVideoElement };
  }
}

/** What is to be played now. */
interface Wish {
  /** null is where it was left. */
  fromSeconds: number | null;
  /** Another screen of the account makes room for this one. */
  takeover?: boolean;
}

/**
 * Plays a title in `root`, from where it was left unless told otherwise. Returns how to leave: playing stops, the
 * position is kept, the session ends.
 */
export function showWatch(
  root: HTMLElement,
  api: ViewerApi,
  titleId: string,
  fromSeconds: number | null,
): () => void {
  let leave: () => void = () => undefined;
  let isLeft = false;
  const start = async (wish: Wish): Promise<void> => {
    leave();
    leave = () => undefined;
    const askedAtMs = performance.now();
    root.replaceChildren(element("p", { class: "loading waiting", role: "status" }, text("loading")));
    try {
      const [playback, title] = await Promise.all([
        api.play(titleId, wish.takeover),
        api.title(titleId).catch(() => null),
      ]);
      if (isLeft) return void api.end(playback.sessionId).catch(() => undefined);
      const resumeAtSeconds = wish.fromSeconds ?? playback.resumeAtSeconds;
      leave = await play({ ...playback, resumeAtSeconds }, title, askedAtMs);
    } catch (thrown) {
      if (!isLeft) refuse(thrown, wish.fromSeconds);
    }
  };
  /** What the API refused, with the way on that it leaves. */
  const refuse = (thrown: unknown, fromSeconds: number | null) => {
    const code = thrown instanceof ApiProblem ? thrown.code : "";
    const again = () => void start({ fromSeconds });
    const takeOver = () => void start({ fromSeconds, takeover: true });
    const way =
      code === "too_many_streams"
        ? { label: text("watchHere"), run: takeOver }
        : { label: text("retry"), run: again };
    fail(problemText(thrown), otherScreens(thrown), way);
    if (code !== "unreachable") return;
    addEventListener("online", again, { once: true });
    leave = () => removeEventListener("online", again);
  };
  const fail = (message: string, more: HTMLElement | null, way: { label: string; run: () => void }) => {
    leave();
    leave = () => undefined;
    root.replaceChildren(problemPanel(message, more, way, { label: text("backToFilms"), run: goHome }));
    root.querySelector<HTMLElement>(".primary")?.focus();
  };
  const play = async (
    playback: Playback,
    title: TitlePage | null,
    askedAtMs: number,
  ): Promise<() => void> => {
    const { next = null } = title ?? {};
    // The film that was watched makes room: Back leads to where the viewer came from, and not through all episodes.
    const goOn = next === null ? null : () => location.replace(watchHref(next, "left"));
    const controls = playerControls(title, playback, {
      goBack: goHome,
      goOn,
      share: () => showShare(frame, video, (startSeconds) => api.share(titleId, startSeconds)),
    });
    const { frame, media, video } = controls;
    const failHere = (message: string) => {
      const fromSeconds = video.currentTime;
      fail(message, null, { label: text("retry"), run: () => void start({ fromSeconds }) });
    };
    // A session lives for a day: where it is over, a new one goes on from the same place.
    const keeper = new GrantKeeper(api, playback, (problem) => {
      if (problem.code === "playback_over") void start({ fromSeconds: video.currentTime });
      else refuse(problem, video.currentTime);
    });
    const edges = new EdgeKeeper(keeper, playback.manifestUrl, playback.steeringUrl ?? null);
    media.config = {
      capLevelToPlayerSize: true,
      // In the query: headers would cost a preflight for every segment. Only what the edge counts.
      cmcd: { includeKeys: ["br", "bl", "bs", "mtp", "ot", "sid"] },
      // A quality whose segment once failed would not be tried again in the whole film.
      errorPenaltyExpireMs: 20_000,
      ...protectionConfig(playback, api),
      // Hls.js opens the request itself unless it is open already.
      xhrSetup: (request, url) => edges.open(request, url),
      ...(playback.steeringUrl === undefined ? {} : askNextEdge(() => edges.count)),
      // One of us steers.
      contentSteeringController: undefined,
    };
    root.replaceChildren(frame);
    const release = () => {
      keeper.stop();
      edges.stop();
    };
    const endSession = () => api.end(playback.sessionId).catch(() => undefined);
    const hls = await loadFilm(media, playback.manifestUrl).catch((thrown) => {
      release();
      void endSession();
      throw thrown;
    });
    fitSound(hls, outputChannels());
    fitPicture(hls, isHdrScreen());
    const layer = watchLayer();
    frame.append(layer.root);
    const meter = new WatchMeter(askedAtMs);
    // Before what may give up: an error that ends the session is told as its last word.
    const stopBeacons = startBeacons(api, { sessionId: playback.sessionId, video, hls, meter });
    leaveSilentEdges(hls, edges);
    const stopWaiting = keepPlaying(hls, video, keeper, layer, failHere);
    const clear = furnishPlayer({
      hls,
      controls,
      keeper,
      address: (url) => edges.address(url),
      layer,
      playback,
      title,
      meter,
      goOn,
    });
    window.matinee = { hls, video };
    beginAt(video, playback.resumeAtSeconds);
    frame.focus();
    return () => {
      clear();
      stopWaiting();
      release();
      delete window.matinee;
      void stopBeacons().then(endSession);
      video.pause();
      hls.destroy();
    };
  };
  void start({ fromSeconds });
  return () => {
    isLeft = true;
    leave();
  };
}

function goHome(): void {
  location.hash = "";
}
