import type Hls from "hls.js";
import { startBeacons } from "./beacons.ts";
import { beginAt, loadFilm } from "./begin-playing.ts";
import { fitPicture, isHdrScreen } from "./fit-picture.ts";
import { fitSound, outputChannels } from "./fit-sound.ts";
import { furnishPlayer } from "./furnish-player.ts";
import { keepPlaying, leaveSilentEdges } from "./keep-playing.ts";
import { type Film, type Opened, type Outcomes, openFilm } from "./open-film.ts";
import type { Seat } from "./seat.ts";
import { TellingClock } from "./server-clock.ts";
import { type FilmTracks, soundAtStart, textAtStart } from "./track-choice.ts";
import { WatchMeter } from "./watch-meter.ts";

declare global {
  interface Window {
    /** What plays now, for tests: hls.js and the native video element. Nothing in the page reads it. */
    matinee?: { hls: Hls; video: HTMLVideoElement };
  }
}

/** Plays a film in `root`. Returns how to leave: playing stops, the position is kept, the session ends. */
export async function playFilm(
  root: HTMLElement,
  seat: Seat,
  film: Film,
  outcomes: Outcomes,
): Promise<() => void> {
  const { playback } = film;
  const opened = openFilm(seat, film, outcomes);
  const { controls, keeper, edges } = opened;
  const { frame, media, video } = controls;
  root.replaceChildren(frame);
  const endSession = () => seat.sessions.end(playback.sessionId);
  const release = () => {
    keeper.stop();
    edges.stop();
  };
  const hls = await loadFilm(media, playback.manifestUrl).catch((thrown) => {
    release();
    void endSession();
    throw thrown;
  });
  const leave = accompany(seat, film, opened, hls, outcomes);
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

/** Everything that listens to the film while it plays. Returns how to end it; that ends when the last is told. */
function accompany(
  { api, wishes }: Seat,
  { playback, title, preferences, askedAtMs }: Film,
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
    ...{ sessionId: playback.sessionId, clock: new TellingClock(() => keeper.clock) },
    video,
    hls,
    meter,
  });
  leaveSilentEdges(hls, edges);
  const onFailed = (message: string) => outcomes.onFailed(message, video.currentTime);
  const stopWaiting = keepPlaying(hls, video, keeper, layer, onFailed);
  const address = (url: string) => edges.address(url);
  const tracks: FilmTracks = {
    sound: (remembered) => soundAtStart(playback, preferences, remembered),
    text: (remembered) => textAtStart(playback, preferences, remembered),
    choose: (choice) => wishes.choose(choice),
  };
  const clear = furnishPlayer({
    hls,
    controls,
    keeper,
    address,
    layer,
    playback,
    title,
    tracks,
    meter,
    goOn,
  });
  return () => {
    clear();
    stopWaiting();
    return stopBeacons();
  };
}
