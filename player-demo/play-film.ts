import type Hls from "hls.js";
import type { Playback, TitlePage, ViewerApi } from "./api-client.ts";
import type { ApiProblem } from "./api-problem.ts";
import { startBeacons } from "./beacons.ts";
import { beginAt, loadFilm } from "./begin-playing.ts";
import { goHome, watchHref } from "./card-link.ts";
import { EdgeKeeper } from "./edge-keeper.ts";
import { fitPicture, isHdrScreen } from "./fit-picture.ts";
import { fitSound, outputChannels } from "./fit-sound.ts";
import { furnishPlayer } from "./furnish-player.ts";
import { GrantKeeper } from "./grant-keeper.ts";
import { hlsConfig } from "./hls-config.ts";
import { keepPlaying, leaveSilentEdges } from "./keep-playing.ts";
import { type PlayerControls, playerControls } from "./player-controls.ts";
import type { Seat } from "./seat.ts";
import { showShare } from "./share-dialog.ts";
import { askToken } from "./sign-in.ts";
import { type WatchLayer, watchLayer } from "./watch-layer.ts";
import { WatchMeter } from "./watch-meter.ts";

declare global {
  interface Window {
    /** What plays now, for tests: hls.js and the native video element. Nothing in the page reads it. */
    matinee?: { hls: Hls; video: HTMLVideoElement };
  }
}

/** What plays, and since when (by `performance.now()`) it is waited for. */
export interface Film {
  titleId: string;
  playback: Playback;
  title: TitlePage | null;
  askedAtMs: number;
}

/** What playing may come to: where it stands then, in seconds. */
export interface Outcomes {
  /** The session is over. */
  onOver(atSeconds: number): void;
  /** The API does not renew what it granted. */
  onRefused(problem: ApiProblem, atSeconds: number): void;
  /** The film does not go on here, in words for a person. */
  onFailed(message: string, atSeconds: number): void;
}

/** A film before it begins: its controls, and the grants and edges that its requests go by. */
interface Opened {
  controls: PlayerControls;
  layer: WatchLayer;
  keeper: GrantKeeper;
  edges: EdgeKeeper;
  goOn: (() => void) | null;
}

/** Plays a film in `root`. Returns how to leave: playing stops, the position is kept, the session ends. */
export async function playFilm(
  root: HTMLElement,
  seat: Seat,
  film: Film,
  outcomes: Outcomes,
): Promise<() => void> {
  const { api, sessions } = seat;
  const { playback } = film;
  const opened = openFilm(seat, film, outcomes);
  const { controls, keeper, edges } = opened;
  const { frame, media, video } = controls;
  root.replaceChildren(frame);
  const endSession = () => sessions.end(playback.sessionId);
  const release = () => {
    keeper.stop();
    edges.stop();
  };
  const hls = await loadFilm(media, playback.manifestUrl).catch((thrown) => {
    release();
    void endSession();
    throw thrown;
  });
  const leave = accompany(api, film, opened, hls, outcomes);
  window.matinee = { hls, video };
  beginAt(video, playback.resumeAtSeconds);
  frame.focus();
  return () => {
    const told = leave();
    release();
    delete window.matinee;
    void told.then(endSession);
    video.pause();
    hls.destroy();
  };
}

function openFilm(seat: Seat, { titleId, playback, title }: Film, outcomes: Outcomes): Opened {
  const { api } = seat;
  const { next = null } = title ?? {};
  // The film that was watched makes room: Back leads to where the viewer came from, and not through all episodes.
  const goOn = next === null ? null : () => location.replace(watchHref(next, "left"));
  const share = () =>
    showShare(controls.frame, controls.video, (startSeconds) => api.share(titleId, startSeconds));
  const controls: PlayerControls = playerControls(title, playback, { goBack: goHome, goOn, share });
  const layer = watchLayer();
  controls.frame.append(layer.root);
  const keeper = new GrantKeeper(api, playback, {
    onLost(problem) {
      const atSeconds = controls.video.currentTime;
      // Not known: the token is another account's now.
      if (problem.code === "playback_over" || problem.status === 404) outcomes.onOver(atSeconds);
      else outcomes.onRefused(problem, atSeconds);
    },
    signIn: async (isRefused) => seat.signIn(await askToken(controls.frame, layer, isRefused)),
  });
  const edges = new EdgeKeeper(keeper, playback.manifestUrl, playback.steeringUrl ?? null);
  controls.media.config = hlsConfig(playback, api, edges);
  return { controls, layer, keeper, edges, goOn };
}

/** Everything that listens to the film while it plays. Returns how to end it; that ends when the last is told. */
function accompany(
  api: ViewerApi,
  { playback, title, askedAtMs }: Film,
  { controls, layer, keeper, edges, goOn }: Opened,
  hls: Hls,
  outcomes: Outcomes,
): () => Promise<void> {
  const { video } = controls;
  fitSound(hls, outputChannels());
  fitPicture(hls, isHdrScreen());
  const meter = new WatchMeter(askedAtMs);
  // Before what may give up: an error that ends the session is told as its last word.
  const stopBeacons = startBeacons(api, {
    ...{ sessionId: playback.sessionId, clock: playback.clock },
    video,
    hls,
    meter,
  });
  leaveSilentEdges(hls, edges);
  const onFailed = (message: string) => outcomes.onFailed(message, video.currentTime);
  const stopWaiting = keepPlaying(hls, video, keeper, layer, onFailed);
  const address = (url: string) => edges.address(url);
  const clear = furnishPlayer({ hls, controls, keeper, address, layer, playback, title, meter, goOn });
  return () => {
    clear();
    stopWaiting();
    return stopBeacons();
  };
}
